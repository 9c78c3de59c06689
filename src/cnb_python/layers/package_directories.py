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

TABLE = Path(__file__).parents[1] / "data/package_directories.toml"
DIRECTORY = "{}"
"""Stands for the directory in the value of a variable."""


def rows(app_dir: Path, installed: Collection[str], table: Path = TABLE) -> tuple[str, ...]:
    """Return a line for each variable of an *installed* package, as the exec.d program reads it.

    A line has the variable's name, the usual directory and the value, separated by tabs.
    *installed* has normalized names. Several packages may read the same variable.
    """
    lines = {
        str(row["variable"]): _line(row)
        for row in toml.tables_at(toml.read(table), "directory")
        if row["package"] in installed and _applies(row, app_dir)
    }
    return tuple(lines[name] for name in sorted(lines))


def _applies(row: TomlTable, app_dir: Path) -> bool:
    pattern = str(row.get("mentioned", ""))
    if not pattern:
        return True
    files = read_source_files(app_dir)
    return next(files.mentioning(re.compile(pattern.encode())), None) is not None


def _line(row: TomlTable) -> str:
    return f"{row['variable']}\t{row['usual']}\t{row.get('value', DIRECTORY)}"
