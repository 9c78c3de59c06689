"""Warns of installed packages that fail at run time, together or with the app's Python.

Separate from `processes`, which decides what the image starts.
"""

import re
from collections.abc import Mapping
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.base import Message

TABLE = Path(__file__).parents[1] / "data/incompatible.toml"
# The `other` of packages that fail with a Python: no distribution has this name.
PYTHON = "python"


def warnings(
    installed: Mapping[str, str], python_line: str = "", table: Path = TABLE
) -> tuple[Message, ...]:
    """Return a warning for each row of the *table* that applies to the *installed* packages.

    *installed*: the versions by normalized names. *python_line*: the release line of the app's
    Python, `3.14`.
    """
    rows = toml.tables_at(toml.read(table), "incompatible")
    versions = {**installed, PYTHON: python_line} if python_line else installed
    return tuple(_warning(row, versions) for row in rows if _applies(row, versions))


def _applies(row: TomlTable, installed: Mapping[str, str]) -> bool:
    version = installed.get(str(row["package"]))
    below = str(row["below"])
    if version is None or (below and _numbers(version) >= _numbers(below)):
        return False
    if str(row.get("through", row["package"])) not in installed:
        return False
    other = installed.get(str(row["other"]))
    if other is None:
        return bool(row["is_required"])
    return _numbers(other) >= _numbers(str(row["since"]))


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers that *version* starts with: (20, 1) of `20.1.0`, without final zeros."""
    match = re.match(r"\d{1,9}(?:\.\d{1,9})*", version)
    numbers = [int(part) for part in match[0].split(".")] if match else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def _warning(row: TomlTable, installed: Mapping[str, str]) -> Message:
    package, other = str(row["package"]), str(row["other"])
    if other == PYTHON:
        return _warning_about_python(row, installed)
    beside = f"with {other} {installed[other]}" if other in installed else f"without {other}"
    older = f", or pin {other}<{row['since']}"
    return Message(
        title=f"{package} {installed[package]} does not run {beside}",
        body=(
            f"The app fails when it loads {package}: {row['problem']}.",
            f"Use {package}>={row['below']}{older}.",
        ),
    )


def _warning_about_python(row: TomlTable, installed: Mapping[str, str]) -> Message:
    package, below = str(row["package"]), str(row["below"])
    newer = f"{package}>={below}, or a" if below else "a"
    return Message(
        title=f"{package} {installed[package]} does not run with Python {installed[PYTHON]}",
        body=(
            f"The app fails when it runs {package}: {row['problem']}.",
            f"Use {newer} Python older than {row['since']}: write its version to .python-version.",
        ),
    )
