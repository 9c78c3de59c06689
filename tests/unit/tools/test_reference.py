"""Pages that are read off the code say what the code says."""

import pytest

from cnb_python.config.settings import TABLE
from tools.docs import reference


@pytest.mark.parametrize("name", reference.pages())
def test_the_page_is_what_the_code_says(name: str) -> None:
    written = (reference.DOCS / name).read_text(encoding="utf-8")

    assert written == reference.pages()[name], f"docs/{name} is old: run `make docs`"


def test_every_setting_has_a_section() -> None:
    text = reference.settings()

    for setting in TABLE:
        assert f"\n## `{setting.name}`\n" in text
        assert f"\n| `{setting.variable}` |" in text
