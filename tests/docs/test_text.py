"""The Markdown files can be read in an editor of ordinary width."""

import re
from collections.abc import Iterator
from pathlib import Path

from tools.docs.site import DOCS, ROOT

WIDTH = 120
# It holds what the build prints.
GENERATED = {"errors.md"}
# Not rewritten yet.
LATER = {"architecture.md", "benchmarks.md"}
_ADDRESS = re.compile(r"https?://")


def test_lines_are_at_most_120_columns_wide() -> None:
    skipped = GENERATED | LATER
    pages = (path for path in sorted(DOCS.rglob("*.md")) if path.name not in skipped)

    assert [place for path in pages for place in _wide(path)] == []


def _wide(path: Path) -> Iterator[str]:
    """Yield the places of lines that are too wide and could be broken."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        is_table = line.lstrip().startswith("|")
        if len(line) > WIDTH and not is_table and not _ADDRESS.search(line):
            yield f"{path.relative_to(ROOT)}:{number}"
