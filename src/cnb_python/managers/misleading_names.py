"""Recognizes requirements that failed because they name something other than a package.

Separate from `alternatives`, which knows what indexes have; this is what people mean.
"""

import re
import sys
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.finding import NoSuchPackage, NoSuchVersion, UnfitVersion
from cnb_python.errors.packages.requirements import MisleadingName, NameKind
from cnb_python.managers.requirement_lines import normalized_name

TABLE = Path(__file__).parents[1] / "data/names.toml"
_KINDS: tuple[NameKind, ...] = ("renamed", "backport", "system", "conda")
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*")


def better_failure(failure: BuildpackError, table: Path = TABLE) -> BuildpackError:
    """Return what the name that *failure* is about stands for, else *failure*."""
    if not isinstance(failure, NoSuchPackage | NoSuchVersion | UnfitVersion):
        return failure
    values = vars(failure)
    text = str(values.get("requirement") or values.get("package") or "")
    if not (name := _NAME.match(text)) or values.get("needed_by"):
        return failure
    kind, use = _meaning(normalized_name(name[0]), table)
    return MisleadingName(text, kind, use) if kind else failure


def _meaning(name: str, table: Path) -> tuple[NameKind | None, str]:
    """Return what *name* stands for, and what to write in its place; None: it is a package."""
    if name == "python":
        return "interpreter", ""
    document = toml.read(table)
    for kind in _KINDS:
        for row in toml.tables_at(document, kind):
            names = row.get("names")
            if isinstance(names, list) and name in names:
                return kind, str(row.get("use", ""))
    is_module = name.replace("-", "_") in sys.stdlib_module_names
    return ("module", "") if is_module else (None, "")
