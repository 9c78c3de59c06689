"""The page of the architecture names files that exist, and every package."""

import re

from tools.docs.site import DOCS, ROOT

SOURCE = ROOT / "src/cnb_python"
PAGE = (DOCS / "architecture.md").read_text(encoding="utf-8")
_PATH = re.compile(r"`((?:[a-z_]+/)*[a-z_]+\.(?:py|toml|go))`|`((?:[a-z_]+/)+)`")
# Written at run time, or files of apps.
_ELSEWHERE = {"mise.toml", "store.toml"}


def test_every_path_on_the_page_exists() -> None:
    paths = {file or folder for file, folder in _PATH.findall(PAGE)} - _ELSEWHERE
    managers = SOURCE / "managers"

    assert len(paths) > 60
    assert [
        path
        for path in sorted(paths)
        if not any((root / path).exists() for root in (SOURCE, ROOT, managers))
    ] == []


def test_every_package_is_on_the_page() -> None:
    packages = {path.name for path in SOURCE.iterdir() if path.is_dir()} - {"__pycache__"}

    assert [name for name in sorted(packages) if f"`{name}/`" not in PAGE] == []


def test_table_of_changes_has_at_least_25_rows() -> None:
    table = PAGE.partition("## To change X, open Y")[2].partition("## Rules")[0]

    assert sum(line.startswith("| ") for line in table.splitlines()) - 1 >= 25
