"""Everything that is wrong with JSON is one exception."""

import pytest

from cnb_python.system import json_text
from cnb_python.system.json_text import InvalidJson


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ('{\n"a": }', 2, "Expecting value"),
        ("[" * 100_000, 1, "it is nested too deeply"),
        ("9" * 5000, 1, "Exceeds the limit"),
        (b'"\xff"', 1, "it is not UTF-8 text"),
    ],
    ids=["syntax", "brackets", "digits", "bytes"],
)
def test_invalid_json_is_one_exception(text: str | bytes, line: int, reason: str) -> None:
    with pytest.raises(InvalidJson) as raised:
        json_text.parse(text)

    assert raised.value.line == line
    assert reason in raised.value.reason


def test_half_of_a_character_is_refused_in_files_of_others() -> None:
    assert json_text.parse('"\\udc80"') == "\udc80"
    assert json_text.parse_file('["\\ud83d\\udc0d"]') == ["\U0001f40d"]
    with pytest.raises(InvalidJson, match="half of a character"):
        json_text.parse_file('{"a\\ud800": 1}')
