"""What a person may write to ask for a Python."""

import pytest

from cnb_python.errors import InvalidPythonVersion, NoPythonVersion, SeveralPythonVersions
from cnb_python.version.request import Origin, parse_version, parse_version_file

NAME = ".python-version"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("3.13", (3, 13, None, False)),
        ("3.13.0", (3, 13, 0, False)),
        ("3.14.10", (3, 14, 10, False)),
        ("  3.14\t", (3, 14, None, False)),
        ("3.14t", (3, 14, None, True)),
        ("3.14.3t", (3, 14, 3, True)),
    ],
)
def test_a_line_or_a_release_can_be_asked_for(
    text: str, found: tuple[int, int, int | None, bool]
) -> None:
    request = parse_version(text, Origin("x"))

    assert (request.major, request.minor, request.patch, request.freethreaded) == found
    assert str(request) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        *("3", "3.14.1.2", "3..14", "3.14.", ".14", "python-3.14", "python3.14", "v3.14", "3.x"),
        *("3.14.*", ">=3.14", "~=3.14", "3.14rc1", "3.14.0b2", "3.14-dev", "system", "pypy3.11"),
        *("'3.14'", '"3.14"', "3.14 # web", "+3.14", "03.14", "3.014", "3.999999", "3.14 3.13"),
        *("3.1\uff14", "٣.١٤", "3.14\u200b", "\ufeff3.14", "3.1\x004"),
    ],
)
def test_everything_else_is_refused_with_its_origin(text: str) -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version(text, Origin(NAME, 7))

    assert caught.value.origin == ".python-version, line 7"


def test_what_cannot_be_seen_is_spelt_out() -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version("3.14\u200b\x07", Origin(NAME))

    assert caught.value.text == r"3.14\u200b\x07"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("3.13", 1),
        ("3.13\n", 1),
        ("3.13\r\n", 1),
        ("\n# why\n\n  3.13  \n\n# end\n", 4),
        ("  # indented\n\t3.13", 2),
        ("# made on Windows\r\n\r\n3.13\r\n", 3),
    ],
)
def test_comments_and_blank_lines_of_a_file_say_nothing(text: str, line: int) -> None:
    request = parse_version_file(text, NAME)

    assert str(request) == "3.13"
    assert request.origin == Origin(NAME, line)


@pytest.mark.parametrize("text", ["", "\n\n", "# 3.13\n", " \t\r\n"])
def test_a_file_that_names_none_is_refused(text: str) -> None:
    with pytest.raises(NoPythonVersion):
        parse_version_file(text, NAME)


def test_a_file_that_names_several_is_refused_with_all_of_them() -> None:
    with pytest.raises(SeveralPythonVersions) as caught:
        parse_version_file("3.13.1\n# and\n3.12.4\nsystem\n", NAME)

    assert caught.value.found == ((1, "3.13.1"), (3, "3.12.4"), (4, "system"))


def test_a_lone_carriage_return_starts_no_line() -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version_file("3.13\r3.14", NAME)

    assert caught.value.text == r"3.13\r3.14"
