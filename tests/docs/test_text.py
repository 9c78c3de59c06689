"""The Markdown files as text: their width, and what refers to them."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.docs.site import DOCS, ROOT

WIDTH = 120
# It holds what the build prints.
GENERATED = {"errors.md"}
_ADDRESS = re.compile(r"https?://")
# Not a page of another project, in the middle of an address.
_PAGE = re.compile(r"(?<!main/)\bdocs/[a-z/-]+\.md\b")


def test_lines_are_at_most_120_columns_wide() -> None:
    pages = (path for path in sorted(DOCS.rglob("*.md")) if path.name not in GENERATED)

    assert [line for path in pages for line in _wide(path)] == []


def test_pages_that_messages_and_the_readme_name_exist() -> None:
    sources = [*(ROOT / "src").rglob("*.py"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    pages = {page for path in sources for page in _PAGE.findall(path.read_text(encoding="utf-8"))}

    assert pages
    assert [page for page in sorted(pages) if not (ROOT / page).is_file()] == []


def _wide(path: Path) -> Iterator[str]:
    """Yield path and number of each line that is too wide and could be broken."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        is_table = line.lstrip().startswith("|")
        if len(line) > WIDTH and not is_table and not _ADDRESS.search(line):
            yield f"{path.relative_to(ROOT)}:{number}"
