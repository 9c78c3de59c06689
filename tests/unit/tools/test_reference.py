"""Pages that are read off the code say what the code says."""

import pytest

from cnb_python.config.settings import TABLE
from tools.docs import reference
from tools.docs.error_samples import kinds, samples


@pytest.mark.parametrize("name", reference.pages())
def test_the_page_is_what_the_code_says(name: str) -> None:
    written = (reference.DOCS / name).read_text(encoding="utf-8")

    assert written == reference.pages()[name], f"docs/{name} is old: run `make docs`"


def test_every_setting_has_a_section() -> None:
    text = reference.settings()

    for setting in TABLE:
        assert f"\n## `{setting.name}`\n" in text
        assert f"\n| `{setting.variable}` |" in text


def test_every_failure_has_a_section_with_what_to_do() -> None:
    sections = reference.failures().split("\n## ")[1:]

    assert [section.split("\n")[0] for section in sections] == [kind.__name__ for kind in kinds()]
    for section in sections:
        assert section.count("\n[Error: ") == 1
        assert "\nWhat to do:\n  1. " in section


def test_there_is_one_sample_of_each_failure() -> None:
    assert [type(one) for one in samples()] == list(kinds())
