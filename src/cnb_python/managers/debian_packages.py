"""Which packages of Debian and Ubuntu hold what a build from source misses."""

from pathlib import Path
from typing import Literal, NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable

TABLE = Path(__file__).parents[1] / "data/libraries.toml"

type Kind = Literal["header", "library", "program"]

# Where the table lists what: a library is asked for by the linker, by pkg-config or by CMake.
_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "header": ("headers",),
    "library": ("libraries", "pkg_config", "cmake"),
    "program": ("programs",),
}


class Holders(NamedTuple):
    """The packages that hold something; empty where unknown."""

    debian: str
    ubuntu: str


UNKNOWN = Holders("", "")


def holders(kind: Kind, name: str, table: Path = TABLE) -> Holders:
    """Return which packages hold the *kind* of thing called *name*, as a build's output has it.

    Spelling counts for headers and programs; libraries are written in many ways.
    """
    rows = toml.tables_at(toml.read(table), "package")
    found = next((row for row in rows if _holds(row, kind, name)), None)
    return Holders(str(found["debian"]), str(found["ubuntu"])) if found else UNKNOWN


def _holds(row: TomlTable, kind: Kind, name: str) -> bool:
    listed = [one for column in _COLUMNS[kind] for one in _strings(row, column)]
    if kind == "library":
        return name.casefold() in {one.casefold() for one in listed}
    # A name that ends in a slash stands for all headers below it.
    return name in listed or any(name.startswith(one) for one in listed if one.endswith("/"))


def _strings(row: TomlTable, column: str) -> list[str]:
    value = row.get(column)
    return [str(one) for one in value] if isinstance(value, list) else []
