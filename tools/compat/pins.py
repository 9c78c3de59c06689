"""Reads what is compared: `popular.txt`, `commands.txt` and `suites.toml`."""

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
    """A distribution's own tests, as a value."""

    name: str
    """The distribution's normalised name."""
    arguments: tuple[str, ...]
    """What pytest is told besides how to report."""
    part: str = ""
    """Which part it is, in words; empty: all of it."""
    sha256: str = ""
    """Of its source distribution, in hexadecimal; empty: the wheel brings the tests."""
    files: tuple[str, ...] = ()
    """What is taken of the source distribution: paths below its one directory."""
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pinned:
    """A set of distributions, each pinned: `name[extras]==version`."""

    asked: Sequence[str]
    """What the set is about."""
    needed: Sequence[str]
    """Everything else that those need: nothing is left to decide."""

    def first(self, count: int | None) -> dict[str, str]:
        """The requirement files of an app of the set: of all, or of the first *count* alone."""
        if count is None:
            return {"requirements.txt": _lines([*self.asked, *self.needed])}
        # Which of the others those need is for pip to find out; versions stay.
        others = [pin.replace(extras(pin), "") for pin in (*self.asked[count:], *self.needed)]
        listed = _lines(["-c constraints.txt", *self.asked[:count]])
        return {"requirements.txt": listed, "constraints.txt": _lines(others)}


def _lines(pins: Sequence[str]) -> str:
    return "".join(f"{pin}\n" for pin in pins)


def sections(text: str) -> dict[str, list[str]]:
    """Return the lines below each `[heading]`; comments and empty lines count for nothing.

    Raises `Unavailable` for a line above the first heading, and for a heading that comes twice.
    """
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in (raw.partition(" #")[0].strip() for raw in text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            current = _new(found, line[1:-1])
        elif line and not line.startswith("#"):
            if current is None:
                fail(f"`{line}` stands above the first [heading].")
            current.append(line)
    return found


def _new(found: dict[str, list[str]], name: str) -> list[str]:
    if name in found:
        fail(f"There are two sections [{name}].")
    return found.setdefault(name, [])


def popular(text: str) -> dict[str, Pinned]:
    """Return the sets that the text of `popular.txt` pins."""
    found = sections(text)
    return {
        name: Pinned(asked, found.get(name + NEEDED, []))
        for name, asked in found.items()
        if not name.endswith(NEEDED)
    }


def commands() -> dict[str, list[str]]:
    """For each set, what follows `python -m`."""
    return sections(COMMANDS.read_text())


def reasons() -> dict[str, str]:
    """Why something differs and may, by the pattern of where it does."""
    tables = tomllib.loads(REASONS.read_text()).get("reason", [])
    return {table["where"]: table["text"] for table in tables}


def plain(requirement: str) -> str:
    """The name in a requirement, normalised as package indexes do."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\[=~<>!;@ ]", requirement, maxsplit=1)[0]).lower()


def extras(requirement: str) -> str:
    """The extras in a requirement, in their brackets; empty: none."""
    found = re.search(r"\[.*?\]", requirement)
    return found[0] if found else ""


def names(pins: Sequence[str]) -> list[str]:
    """The distributions' names, without extras and versions."""
    return [plain(pin) for pin in pins]


def version(pins: Sequence[str], name: str) -> str:
    """The version that *pins* give to the distribution *name*; raises `Unavailable` if none."""
    found = dict(zip(names(pins), (pin.partition("==")[2] for pin in pins), strict=True))
    return found.get(name) or fail(f"{POPULAR.name} pins no {name}.")


def suites() -> list[Suite]:
    """The suites that run."""
    return [_suite(table) for table in tomllib.loads(SUITES.read_text())["suite"]]


def _suite(table: Mapping[str, object]) -> Suite:
    values = {
        name: tuple(value) if isinstance(value, list) else value for name, value in table.items()
    }
    return Suite(**values)  # type: ignore[arg-type]  # a wrong name or type ends it here, or pytest
