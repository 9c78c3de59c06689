"""Reads the lists of what is compared: `popular.txt`, `commands.txt` and `suites.toml`."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tools.processes import fail

HERE = Path(__file__).parent
POPULAR = HERE / "popular.txt"
COMMANDS = HERE / "commands.txt"
SUITES = HERE / "suites.toml"
REASONS = HERE / "reasons.toml"
# The set that the suites run in.
SUITES_SET = "suites"
NEEDED = ": needed"


@dataclass(frozen=True, slots=True)
class Suite:
    """The test suite of a distribution."""

    name: str
    """The distribution's normalised name."""
    arguments: tuple[str, ...]
    """Arguments of pytest."""
    part: str = ""
    """The part that runs, in words; empty: all of it."""
    sha256: str = ""
    """SHA-256 of its source distribution; empty: the wheel contains the tests."""
    files: tuple[str, ...] = ()
    """Paths of the tests below the top directory of the source distribution."""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A set of distributions, each pinned: `name[extras]==version`."""

    requested: Sequence[str]
    """The distributions of the set."""
    dependencies: Sequence[str]
    """All their dependencies, so that nothing is left to resolve."""

    def first(self, count: int | None) -> dict[str, str]:
        """Return the requirements files of an app with the set, or with its first *count*."""
        if count is None:
            return {"requirements.txt": _lines([*self.requested, *self.dependencies])}
        # pip finds out which other distributions these need; the constraints keep the versions.
        constraints = [
            pin.replace(extras(pin), "") for pin in (*self.requested[count:], *self.dependencies)
        ]
        listed = _lines(["-c constraints.txt", *self.requested[:count]])
        return {"requirements.txt": listed, "constraints.txt": _lines(constraints)}


def _lines(pins: Sequence[str]) -> str:
    return "".join(f"{pin}\n" for pin in pins)


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines below each `[heading]`; comments and empty lines are ignored.

    Raises `Unavailable` for a line above the first heading, and for a heading that comes twice.
    """
    sections: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in (raw.partition(" #")[0].strip() for raw in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            current = _new(sections, line[1:-1])
        elif line and not line.startswith("#"):
            if current is None:
                fail(f"`{line}` stands above the first [heading].")
            current.append(line)
    return sections


def _new(sections: dict[str, list[str]], name: str) -> list[str]:
    if name in sections:
        fail(f"There are two sections [{name}].")
    return sections.setdefault(name, [])


def popular(text: str) -> dict[str, Pinned]:
    """Return the sets that the text of `popular.txt` pins."""
    pins_of = sections(text)
    return {
        name: Pinned(requested, pins_of.get(name + NEEDED, []))
        for name, requested in pins_of.items()
        if not name.endswith(NEEDED)
    }


def commands() -> dict[str, list[str]]:
    """Return the arguments of `python -m` for each set."""
    return sections(COMMANDS.read_text())


def reasons() -> dict[str, str]:
    """Return the reasons of harmless differences, by a pattern of their paths."""
    tables = tomllib.loads(REASONS.read_text()).get("reason", [])
    return {table["where"]: table["text"] for table in tables}


def plain(requirement: str) -> str:
    """Return the normalized name in a requirement."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=~<>!;@ ]", requirement, maxsplit=1)[0]).lower()


def extras(requirement: str) -> str:
    """Return the extras in a requirement, with brackets; empty if it has none."""
    match = re.search(r"\[.*?\]", requirement)
    return match[0] if match else ""


def names(pins: Sequence[str]) -> list[str]:
    """Return the normalized names of *pins*."""
    return [plain(pin) for pin in pins]


def version(pins: Sequence[str], name: str) -> str:
    """Return the version of *name* in *pins*; raises `Unavailable` if it is not pinned."""
    versions = dict(zip(names(pins), (pin.partition("==")[2] for pin in pins), strict=True))
    return versions.get(name) or fail(f"{POPULAR.name} pins no {name}.")


def suites() -> list[Suite]:
    """Return the test suites that run."""
    return [_suite(table) for table in tomllib.loads(SUITES.read_text())["suite"]]


def _suite(table: Mapping[str, object]) -> Suite:
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    return Suite(**values)  # type: ignore[arg-type]  # a wrong name or type ends it here, or pytest
