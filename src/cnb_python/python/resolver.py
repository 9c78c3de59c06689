"""Requests, inventory, target and today in; the release, or why there is none, out. Pure."""

from dataclasses import dataclass
from datetime import date

from cnb_python.app import App
from cnb_python.cnb.context import Target
from cnb_python.cnb.toml import Metadata
from cnb_python.config.settings import STICKY
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.python import (
    EndedPythonLine,
    NoPythonInRange,
    PythonNotAvailable,
    PythonOutsideRange,
    UnknownPythonLine,
    UnknownPythonPatch,
)
from cnb_python.python.origin import Origin
from cnb_python.python.releases import FREETHREADED, PLAIN, Inventory, Release, ReleaseLine
from cnb_python.python.request import PythonRequest
from cnb_python.python.sources import Request, Requests
from cnb_python.python.specifiers import PythonRange
from cnb_python.python.version_files import (
    PDM_LOCK,
    PIPFILE,
    PIPFILE_LOCK,
    PYLOCK,
    PYPROJECT,
    by_pipenv,
    ranges,
)

_STICKY_ORIGIN = Origin(f"the previous build, which {STICKY} keeps to")
# As `layers.key.EnvironmentKey` names them.
_LINE, _FLAVOUR = "python", "flavour"


def kept_line(store: Metadata, inventory: Inventory) -> PythonRequest | None:
    """Return the line of the build that left *store*, None where *inventory* does not know it.

    That is one of a newer release of the buildpack, or there was no such build.
    """
    minor = store.get(_LINE)
    if not isinstance(minor, str) or inventory.line(minor) is None:
        return None
    return line_request(minor, _STICKY_ORIGIN, freethreaded=store.get(_FLAVOUR) == FREETHREADED)


# What they install is built by Poetry, if the app is Poetry's.
_POETRYS = ("poetry.lock", PYPROJECT)
# Who installs by these files does so whatever `pyproject.toml` says of Python.
_CARELESS = ("requirements.txt", "setup.py")
_POETRYS_FIELD = "python"


def bounds(app: App, deciding_file: str) -> Requests:
    """Return what the manager that goes by *deciding_file* insists on.

    uv, Poetry and PDM refuse another Python than `pyproject.toml` names, Pipenv (`--deploy`)
    another than its lock file. What cannot be read is left for the manager to complain of.
    """
    if deciding_file in _CARELESS:
        return ()
    try:
        if deciding_file in {PIPFILE, PIPFILE_LOCK}:
            said = by_pipenv(app)
            return (said,) if said else ()
        return tuple(one for one in ranges(app) if _counts(one.origin, deciding_file))
    except BuildpackError:
        return ()


def _counts(origin: Origin, deciding_file: str) -> bool:
    if origin.field == _POETRYS_FIELD:
        return deciding_file in _POETRYS
    if origin.name.endswith(PDM_LOCK):
        return deciding_file == PDM_LOCK
    return deciding_file == PYLOCK or "pylock." not in origin.name


def check_bounds(
    resolution: ResolvedPython,
    insisted: Requests,
    inventory: Inventory,
    target: Target,
    today: date,
) -> None:
    """Refuse a Python with which nothing can be installed. Raises PythonOutsideRange."""
    version, asked = resolution.release.version, resolution.request
    offender = next((one for one in insisted if not one.admits(version)), None)
    if offender is None:
        return
    raise PythonOutsideRange(
        version,
        str(asked),
        str(asked.origin),
        str(offender),
        str(offender.origin),
        _fit(insisted, inventory, target, today),
    )


def _fit(insisted: Requests, inventory: Inventory, target: Target, today: date) -> str:
    """Return the line that all of *insisted* would have, empty where there is none."""
    try:
        return resolve(insisted, inventory, target, today).line.minor
    except BuildpackError:
        return ""


DEFAULT = Origin("the default of this buildpack")

# How many releases a message names.
_SHOWN = 5
_LAST_PYTHON_2 = "2.7"


@dataclass(frozen=True, slots=True)
class ResolvedPython:
    """The Python of this build, and what is worth knowing about it."""

    request: Request
    release: Release
    line: ReleaseLine
    newest: str
    """The newest release of the line for this target: `3.14.9`."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What can be had in this build."""

    inventory: Inventory
    arch: str
    today: date

    def builds(self, minor: str, flavour: str) -> list[Release]:
        """Return those of a line, for whatever kind of machine, newest first."""
        found = [r for r in self.inventory.releases if (r.minor, r.flavour) == (minor, flavour)]
        return sorted(found, key=_order, reverse=True)

    @property
    def supported(self) -> tuple[str, ...]:
        return supported_lines(self.inventory, self.today)


def resolve(
    asked: Requests,
    inventory: Inventory,
    target: Target,
    today: date,
    default: PythonRequest | None = None,
) -> ResolvedPython:
    """Return the release to install; where nothing is *asked* that of the *default* line.

    The *default* is the inventory's own unless another is given; a range takes it first too. Of
    several requests (ranges, for a source makes no more than one other) each has to be met. Raises
    UnknownPythonLine, EndedPythonLine, UnknownPythonPatch, PythonNotAvailable and NoPythonInRange.
    """
    shelf = _Shelf(inventory, target.arch, today)
    first = default or default_of(inventory)
    match asked:
        case ():
            return _of_line(first, shelf)
        case (PythonRequest() as request, *_):
            return _of_line(request, shelf)
        case _:
            ranges = tuple(one for one in asked if isinstance(one, PythonRange))
            return _of_ranges(ranges, first, shelf)


def supported_lines(inventory: Inventory, today: date) -> tuple[str, ...]:
    """Return the lines an app may ask for, newest first."""
    offered = {release.minor for release in inventory.releases}
    lines = [line for line in inventory.lines if line.minor in offered and today < line.removed]
    return tuple(sorted((line.minor for line in lines), key=_numbers, reverse=True))


def default_of(inventory: Inventory) -> PythonRequest:
    """Return the request that stands for none."""
    return line_request(inventory.default, DEFAULT)


def line_request(minor: str, origin: Origin, *, freethreaded: bool = False) -> PythonRequest:
    """Return the request for the newest release of the line *minor* (`3.14`)."""
    major, number = _numbers(minor)
    return PythonRequest(major, number, None, "", freethreaded, origin)


def _of_line(request: PythonRequest, shelf: _Shelf) -> ResolvedPython:
    line = _line(request, shelf)
    flavour = FREETHREADED if request.freethreaded else PLAIN
    built = shelf.builds(line.minor, flavour)
    here = _finals_first([r for r in built if r.arch == shelf.arch])
    wanted = [r for r in here if request.admits(r.version)]
    if not wanted:
        raise _absent(request, built, here, shelf)
    return ResolvedPython(request, wanted[0], line, here[0].version)


def _of_ranges(
    ranges: tuple[PythonRange, ...], default: PythonRequest, shelf: _Shelf
) -> ResolvedPython:
    """Return the newest release in all *ranges*, of the *default* line where it has one."""
    lines = (shelf.inventory.line(minor) for minor in _preferred(shelf.supported, default.line))
    for line in lines:
        # Whoever gives a range does not ask for what is not out yet.
        if line is None or line.released > shelf.today:
            continue
        here = [r for r in shelf.builds(line.minor, PLAIN) if r.arch == shelf.arch]
        finals = [r for r in here if not r.number.prerelease]
        fit = [r for r in finals if all(one.admits(r.version) for one in ranges)]
        if fit:
            return ResolvedPython(ranges[0], fit[0], line, finals[0].version)
    raise _none_fits(ranges, shelf)


def _preferred(lines: tuple[str, ...], first: str) -> tuple[str, ...]:
    return (*(line for line in lines if line == first), *(line for line in lines if line != first))


def _none_fits(ranges: tuple[PythonRange, ...], shelf: _Shelf) -> NoPythonInRange:
    ended = tuple(
        (line.minor, line.end_of_life)
        for line in sorted(shelf.inventory.lines, key=lambda line: _numbers(line.minor))
        if shelf.today >= line.removed and _may_admit(ranges, line.minor)
    )
    return NoPythonInRange(
        tuple((one.text, str(one.origin)) for one in ranges), shelf.supported, ended[-1:]
    )


def _may_admit(ranges: tuple[PythonRange, ...], minor: str) -> bool:
    versions = (f"{minor}.{patch}" for patch in range(40))  # more than any line has had
    return any(all(one.admits(version) for one in ranges) for version in versions)


def _line(request: PythonRequest, shelf: _Shelf) -> ReleaseLine:
    minor = request.line
    if request.major == 2 and request.minor < _numbers(_LAST_PYTHON_2)[1]:
        minor = _LAST_PYTHON_2  # the last of them ended last
    line = shelf.inventory.line(minor)
    origin, supported = str(request.origin), shelf.supported
    if line is None:
        newest = max(_numbers(known.minor) for known in shelf.inventory.lines)
        is_newer = (request.major, request.minor) > newest
        raise UnknownPythonLine(request.line, origin, supported, is_newer)
    if shelf.today >= line.removed:
        raise EndedPythonLine(request.line, origin, line.end_of_life, supported)
    return line


def _absent(
    request: PythonRequest, built: list[Release], here: list[Release], shelf: _Shelf
) -> UnknownPythonPatch | PythonNotAvailable:
    newest = tuple(release.version for release in here[:_SHOWN])
    elsewhere = {r.arch for r in built if request.admits(r.version)}
    if here and not elsewhere:
        return UnknownPythonPatch(str(request), str(request.origin), request.line, newest)
    return PythonNotAvailable(
        str(request),
        str(request.origin),
        shelf.arch,
        tuple(sorted(elsewhere)),
        newest,
        shelf.inventory.origin,
    )


def _finals_first(releases: list[Release]) -> list[Release]:
    return sorted(releases, key=lambda release: bool(release.number.prerelease))


def _order(release: Release) -> tuple[int, int, int, int, str, int]:
    return release.number.order


def _numbers(minor: str) -> tuple[int, int]:
    major, _, number = minor.partition(".")
    return int(major), int(number)
