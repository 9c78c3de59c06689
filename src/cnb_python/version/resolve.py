"""Request, inventory, target and today in; the release, or why there is none, out. Pure."""

from dataclasses import dataclass
from datetime import date

from cnb_python.cnb.context import Target
from cnb_python.errors import (
    EndedPythonLine,
    PythonNotAvailable,
    UnknownPythonLine,
    UnknownPythonPatch,
)
from cnb_python.version.inventory import FREETHREADED, PLAIN, Inventory, Line, Release
from cnb_python.version.request import Origin, PythonRequest

DEFAULT = Origin("the default of this buildpack")

# How many releases a message names.
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Resolution:
    """The Python of this build, and what is worth knowing about it."""

    request: PythonRequest
    release: Release
    line: Line
    newest: str
    """The newest release of the line for this target: `3.14.9`."""


def resolve(
    asked: PythonRequest | None, inventory: Inventory, target: Target, today: date
) -> Resolution:
    """Return the release to install; for None that of the inventory's default line.

    Raises UnknownPythonLine, EndedPythonLine, UnknownPythonPatch and PythonNotAvailable.
    """
    request = asked or _default(inventory)
    line = _line(request, inventory, today)
    flavour = FREETHREADED if request.freethreaded else PLAIN
    built = [r for r in inventory.releases if (r.minor, r.flavour) == (line.minor, flavour)]
    here = sorted((r for r in built if r.arch == target.arch), key=_newest_first)
    wanted = [r for r in here if request.patch in {None, r.patch}]
    if not wanted:
        raise _absent(request, built, target.arch, inventory.origin)
    return Resolution(request, wanted[0], line, here[0].version)


def supported_lines(inventory: Inventory, today: date) -> tuple[str, ...]:
    """Return the lines an app may ask for, newest first."""
    offered = {release.minor for release in inventory.releases}
    lines = [line for line in inventory.lines if line.minor in offered and today < line.removed]
    return tuple(sorted((line.minor for line in lines), key=_numbers, reverse=True))


def _default(inventory: Inventory) -> PythonRequest:
    major, minor = _numbers(inventory.default)
    return PythonRequest(major, minor, patch=None, freethreaded=False, origin=DEFAULT)


def _line(request: PythonRequest, inventory: Inventory, today: date) -> Line:
    line = inventory.line(request.line)
    origin, supported = str(request.origin), supported_lines(inventory, today)
    if line is None:
        newest = max(_numbers(known.minor) for known in inventory.lines)
        is_newer = (request.major, request.minor) > newest
        raise UnknownPythonLine(request.line, origin, supported, is_newer)
    if today >= line.removed:
        raise EndedPythonLine(line.minor, origin, line.end_of_life, supported)
    return line


def _absent(
    request: PythonRequest, built: list[Release], arch: str, table: str
) -> UnknownPythonPatch | PythonNotAvailable:
    here = sorted((r for r in built if r.arch == arch), key=_newest_first)
    newest = tuple(release.version for release in here[:_SHOWN])
    elsewhere = {r.arch for r in built if request.patch in {None, r.patch}}
    if here and not elsewhere:
        return UnknownPythonPatch(str(request), str(request.origin), request.line, newest)
    return PythonNotAvailable(
        str(request), str(request.origin), arch, tuple(sorted(elsewhere)), newest, table
    )


def _newest_first(release: Release) -> int:
    return -release.patch


def _numbers(minor: str) -> tuple[int, int]:
    major, _, number = minor.partition(".")
    return int(major), int(number)
