"""The table of Python releases, `data/python.toml` or one of the same form, as typed rows.

Plain dataclasses: importing pydantic takes longer (150 ms) than a whole unchanged build should.
These rows are read and checked in 6 ms.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.downloads import UnusablePythonTable
from cnb_python.errors.inputs import UnreadableToml

FORM = r"([0-9]+)\.([0-9]+)\.([0-9]+)((?:a|b|rc)[0-9]+)?"
_FORM = re.compile(FORM)
_PRERELEASE = re.compile(r"([a-z]+)([0-9]+)")
PLAIN = "plain"
FREETHREADED = "freethreaded"
_MINOR = re.compile(r"[0-9]+\.[0-9]+")
# The form of each column. A version is what `.python-version` can name, so a company's own build
# has the version of the release that it was made from, and another sha256.
_RELEASE = {
    "version": re.compile(FORM),
    "arch": re.compile(r"[a-z0-9]+"),
    "flavour": re.compile(rf"{PLAIN}|{FREETHREADED}"),
    "url": re.compile(r"\S+"),
    "sha256": re.compile(r"[0-9a-f]{64}"),
}
_DATES = ("released", "end_of_life", "removed")


class Number(NamedTuple):
    """The parts of a version, such as `3.14.6` or `3.15.0rc1`."""

    major: int
    minor: int
    patch: int
    prerelease: str
    """`rc1`; empty for final releases."""

    @classmethod
    def of(cls, version: str) -> Number:
        """Return the parts of *version*. Raises ValueError for another form."""
        match = _FORM.fullmatch(version)
        if not match:
            raise ValueError(version)
        major, minor, patch, prerelease = match.groups()
        return cls(int(major), int(minor), int(patch), prerelease or "")

    @property
    def order(self) -> tuple[int, int, int, int, str, int]:
        """The key to sort by: pre-releases come before their release."""
        match = _PRERELEASE.fullmatch(self.prerelease)
        # a < b < rc, also as text.
        phase, number = (match[1], int(match[2])) if match else ("", 0)
        return self.major, self.minor, self.patch, int(not match), phase, number


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """A release line of Python and its dates."""

    minor: str
    """`3.14`."""
    released: date
    end_of_life: date
    """After this day it gets no security fixes."""
    removed: date
    """From this day on builds refuse it: some months later, so that users get a warning first."""


@dataclass(frozen=True, slots=True)
class Release:
    """One standalone build of one release."""

    version: str
    """`3.14.6`; also `3.15.0rc1`, which the buildpack's own table does not have."""
    arch: str
    """As Go and CNB_TARGET_ARCH name it: amd64, arm64."""
    flavour: str
    """`plain` or `freethreaded`."""
    url: str
    sha256: str

    @property
    def minor(self) -> str:
        """Its release line: `3.14`."""
        return self.version.rpartition(".")[0]

    @property
    def number(self) -> Number:
        """The parts of its version."""
        return Number.of(self.version)


@dataclass(frozen=True, slots=True)
class Inventory:
    """The releases that can be installed."""

    origin: str
    """The table's URL or path, without credentials."""
    default: str
    """The release line for apps that name no Python."""
    lines: tuple[ReleaseLine, ...]
    releases: tuple[Release, ...]

    def line(self, minor: str) -> ReleaseLine | None:
        """Return the release line *minor*, None if the table does not have it."""
        return next((line for line in self.lines if line.minor == minor), None)


def parse_inventory(table: TomlTable, origin: str, fallback: Inventory | None = None) -> Inventory:
    """Return the inventory in *table*, which was read from *origin*.

    A table that only lists releases takes the lines and the default of *fallback*. Raises
    UnusablePythonTable with everything that is wrong.
    """
    problems: list[str] = []
    lines = tuple(_lines(table, problems)) or (fallback.lines if fallback else ())
    releases = tuple(_releases(table, problems))
    default = table.get("default", fallback.default if fallback else None)
    if not isinstance(default, str) or default not in {line.minor for line in lines}:
        problems.append("`default` is not the `minor` of a [[line]]")
    if not releases:
        problems.append("there is no [[release]]")
    if problems:
        raise UnusablePythonTable(origin, tuple(problems))
    return Inventory(origin, str(default), lines, releases)


def load_inventory(path: Path, fallback: Inventory | None = None) -> Inventory:
    """Return the inventory at *path*. Raises UnusablePythonTable."""
    return parse_inventory(read_table(path, str(path)), str(path), fallback)


def read_table(path: Path, origin: str) -> TomlTable:
    """Return the table at *path*, which came from *origin*. Raises UnusablePythonTable."""
    try:
        return toml.read(path)
    except UnreadableToml as error:
        raise UnusablePythonTable(origin, (error.reason,)) from error


def _lines(table: TomlTable, problems: list[str]) -> list[ReleaseLine]:
    lines = []
    for number, row in enumerate(toml.tables_at(table, "line"), start=1):
        minor = row.get("minor")
        dates = [day for key in _DATES if (day := _date(row.get(key)))]
        if isinstance(minor, str) and _MINOR.fullmatch(minor) and len(dates) == len(_DATES):
            lines.append(ReleaseLine(minor, *dates))
        else:
            problems.append(f"[[line]] {number} needs `minor` (text) and the dates {_DATES}")
    return lines


def _date(value: TomlValue | None) -> date | None:
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def _releases(table: TomlTable, problems: list[str]) -> list[Release]:
    releases = []
    for number, row in enumerate(toml.tables_at(table, "release"), start=1):
        cells = {"flavour": PLAIN, **row}
        flawed = [key for key, form in _RELEASE.items() if not _matches(cells.get(key), form)]
        if flawed:
            problems.append(f"[[release]] {number}: {', '.join(flawed)} missing or malformed")
        else:
            releases.append(_release(cells))
    return releases


def _release(cells: Mapping[str, TomlValue]) -> Release:
    return Release(**{key: str(cells[key]) for key in _RELEASE})


def _matches(value: TomlValue | None, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None
