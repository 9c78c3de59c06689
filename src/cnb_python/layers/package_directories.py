"""Finds the installed packages that write files at run time, and the variables that choose where.

A read-only container has few writable directories. The exec.d program gives a variable a directory
below TMPDIR if the container cannot write to the usual one: execd/package_directories.go.

Separate from `process_defaults`, which writes the layer with the rows that apply.
"""

import re
from collections.abc import Collection
from pathlib import Path

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.launch.code.source_files import read_source_files
from cnb_python.system import regular_file

TABLE = Path(__file__).parents[1] / "data/package_directories.toml"
# Files besides code in which an app may set a variable.
_SET_IN = ("Procfile", ".env", ".flaskenv", "pyproject.toml")
_MAX_BYTES = 256 * 1024
DIRECTORY = "{}"
"""Stands for the directory in the value of a variable."""


def rows(app_dir: Path, installed: Collection[str], table: Path = TABLE) -> tuple[str, ...]:
    """Return a line for each variable of an *installed* package, as the exec.d program reads it.

    A line has the variable's name, the usual directory, the value and the patterns of files,
    separated by tabs. *installed* has normalized names. Several packages may read one variable.
    """
    lines = {
        str(row["variable"]): _line(row)
        for row in toml.tables_at(toml.read(table), "directory")
        if row["package"] in installed and _applies(row, app_dir)
    }
    return tuple(lines[name] for name in sorted(lines))


def has_new(lines: Collection[str]) -> bool:
    """Return whether a variable of *lines*, from `rows`, gets a new directory at each start."""
    return any(line.split("\t")[1] == "" for line in lines)


def _applies(row: TomlTable, app_dir: Path) -> bool:
    pattern, unless = (str(row.get(name, "")) for name in ("mentioned", "unless"))
    if not pattern:
        return True
    files = read_source_files(app_dir)
    if next(files.mentioning(re.compile(pattern.encode())), None) is None:
        return False
    chosen = re.compile(unless.encode())
    is_chosen = next(files.mentioning(chosen), None) is not None
    return not is_chosen and not any(chosen.search(_content(app_dir / name)) for name in _SET_IN)


def _content(path: Path) -> bytes:
    try:
        return regular_file.read(path, _MAX_BYTES)
    except OSError:
        return b""


def _line(row: TomlTable) -> str:
    value, files = row.get("value", DIRECTORY), row.get("files", "")
    return f"{row['variable']}\t{row['usual']}\t{value}\t{files}"
