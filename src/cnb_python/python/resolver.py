"""Chooses the Python release: from the requests, the inventory, the target and the date.

Pure: it neither reads files nor downloads. The choice is then checked against the versions that
the package manager accepts, and warnings describe what the user should know about it.

Separate from `build`, which has one line for each step.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from cnb_python.app import App
from cnb_python.cnb.context import Target
from cnb_python.cnb.toml import Metadata
from cnb_python.config.settings import STICKY
from cnb_python.errors.base import BuildpackError, Message
from cnb_python.errors.python_releases import (
    NoPythonInRange,
    PythonEndOfLife,
    PythonNotAvailable,
    PythonOutsideRange,
    UnknownPythonPatch,
    UnknownReleaseLine,
)
from cnb_python.python.origin import Origin
from cnb_python.python.project_ranges import (
    PDM_LOCK,
    POETRY_FIELD,
    POETRY_LOCK,
    PYLOCK,
    PYPROJECT,
    project_ranges,
)
from cnb_python.python.releases import FREETHREADED, PLAIN, Inventory, Release, ReleaseLine
from cnb_python.python.request import PythonRequest
from cnb_python.python.sources import Request, Requests
from cnb_python.python.specifiers import PythonRange
from cnb_python.python.version_files import (
    PIPFILE,
    PIPFILE_LOCK,
    RUNTIME,
    VERSION_FILE,
    pipenv_request,
)

DEFAULT = Origin("the default of this buildpack")
_STICKY_ORIGIN = Origin(f"the previous build, {STICKY}")
# Fields of `layers.cache_keys.PackageKey`.
_LINE, _FLAVOUR = "python", "flavour"

# An app with these files may be one of Poetry's, whose own range of Pythons then counts.
_POETRY_FILES = (POETRY_LOCK, PYPROJECT)
# pip installs from this file whatever range of Pythons the app's project has.
_FILE_WITHOUT_RANGE = "requirements.txt"

# How many releases a message names.
_SHOWN = 5
_LAST_PYTHON_2 = "2.7"
# Long enough for any team to plan the move.
NOTICE = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class ResolvedPython:
    """The release that a request resolves to."""

    request: Request
    release: Release
    line: ReleaseLine
    newest: str
    """The newest version of the release line for this target: `3.14.9`."""


@dataclass(frozen=True, slots=True)
class _Available:
    """The releases that can be installed in this build."""

    inventory: Inventory
    arch: str
    today: date

    def builds(self, minor: str, flavour: str) -> list[Release]:
        """Return the releases of a line for all architectures, newest first."""
        releases = (r for r in self.inventory.releases if (r.minor, r.flavour) == (minor, flavour))
        return sorted(releases, key=_order, reverse=True)

    @property
    def supported(self) -> tuple[str, ...]:
        return supported_lines(self.inventory, self.today)


def resolve(
    requests: Requests,
    inventory: Inventory,
    target: Target,
    today: date,
    default: PythonRequest | None = None,
    bounds: Requests = (),
) -> ResolvedPython:
    """Return the release to install: the newest one that meets all *requests* and *bounds*.

    Without requests, and within a range, the *default* line is preferred: the inventory's own if
    none is given. Several requests are always ranges. A version that no release can have together
    with *bounds* is resolved without them: `check_manager_requests` refuses it. Raises
    UnknownReleaseLine, PythonEndOfLife, UnknownPythonPatch, PythonNotAvailable and
    NoPythonInRange.
    """
    available = _Available(inventory, target.arch, today)
    first = default or default_of(inventory)
    match requests:
        case ():
            return _of_line(first, available, bounds)
        case (PythonRequest() as request, *_):
            return _of_line(request, available, bounds)
        case _:
            every = dict.fromkeys((*requests, *bounds))
            ranges = tuple(request for request in every if isinstance(request, PythonRange))
            return _of_ranges(ranges, first, available)


def supported_lines(inventory: Inventory, today: date) -> tuple[str, ...]:
    """Return the release lines that can be installed, newest first."""
    offered = {release.minor for release in inventory.releases}
    lines = [line for line in inventory.lines if line.minor in offered and today < line.removed]
    return tuple(sorted((line.minor for line in lines), key=_numbers, reverse=True))


def default_of(inventory: Inventory) -> PythonRequest:
    """Return the request that counts if the app has none."""
    return line_request(inventory.default, DEFAULT)


def line_request(minor: str, origin: Origin, *, freethreaded: bool = False) -> PythonRequest:
    """Return the request for the newest release of the line *minor* (`3.14`)."""
    major, number = _numbers(minor)
    return PythonRequest(major, number, None, "", freethreaded, origin)


def _of_line(request: PythonRequest, available: _Available, bounds: Requests) -> ResolvedPython:
    line = _line(request, available)
    flavour = FREETHREADED if request.freethreaded else PLAIN
    built = available.builds(line.minor, flavour)
    releases = _finals_first([r for r in built if r.arch == available.arch])
    admitted = [r for r in releases if request.admits(r.version)]
    if not admitted:
        raise _absent(request, built, releases, available)
    fitting = (r for r in admitted if all(bound.admits(r.version) for bound in bounds))
    return ResolvedPython(request, next(fitting, admitted[0]), line, releases[0].version)


def _of_ranges(
    ranges: tuple[PythonRange, ...], default: PythonRequest, available: _Available
) -> ResolvedPython:
    """Return the newest release in all *ranges*, from the *default* line if one is in it."""
    lines = (
        available.inventory.line(minor) for minor in _preferred(available.supported, default.line)
    )
    for line in lines:
        # A range does not ask for a line that is not released yet.
        if line is None or line.released > available.today:
            continue
        releases = [r for r in available.builds(line.minor, PLAIN) if r.arch == available.arch]
        finals = [r for r in releases if not r.number.prerelease]
        admitted = [r for r in finals if all(bound.admits(r.version) for bound in ranges)]
        if admitted:
            return ResolvedPython(ranges[0], admitted[0], line, finals[0].version)
    raise _none_fits(ranges, available)


def _preferred(lines: tuple[str, ...], first: str) -> tuple[str, ...]:
    return (*(line for line in lines if line == first), *(line for line in lines if line != first))


def _none_fits(ranges: tuple[PythonRange, ...], available: _Available) -> NoPythonInRange:
    ended = tuple(
        (line.minor, line.end_of_life)
        for line in sorted(available.inventory.lines, key=lambda line: _numbers(line.minor))
        if available.today >= line.removed and _may_admit(ranges, line.minor)
    )
    return NoPythonInRange(
        tuple((bound.text, str(bound.origin)) for bound in ranges), available.supported, ended[-1:]
    )


def _may_admit(ranges: tuple[PythonRange, ...], minor: str) -> bool:
    versions = (f"{minor}.{patch}" for patch in range(40))  # more than any line has
    return any(all(bound.admits(version) for bound in ranges) for version in versions)


def _line(request: PythonRequest, available: _Available) -> ReleaseLine:
    minor = request.line
    if request.major == 2 and request.minor < _numbers(_LAST_PYTHON_2)[1]:
        minor = _LAST_PYTHON_2  # the last one that reached its end of life
    line = available.inventory.line(minor)
    origin, supported = str(request.origin), available.supported
    if line is None:
        newest = max(_numbers(line.minor) for line in available.inventory.lines)
        is_newer = (request.major, request.minor) > newest
        raise UnknownReleaseLine(request.line, origin, supported, is_newer)
    if available.today >= line.removed:
        raise PythonEndOfLife(request.line, origin, line.end_of_life, supported)
    return line


def _absent(
    request: PythonRequest, built: list[Release], releases: list[Release], available: _Available
) -> UnknownPythonPatch | PythonNotAvailable:
    newest = tuple(release.version for release in releases[:_SHOWN])
    elsewhere = {r.arch for r in built if request.admits(r.version)}
    if releases and not elsewhere:
        return UnknownPythonPatch(str(request), str(request.origin), request.line, newest)
    return PythonNotAvailable(
        str(request),
        str(request.origin),
        available.arch,
        tuple(sorted(elsewhere)),
        newest,
        available.inventory.origin,
    )


def _finals_first(releases: list[Release]) -> list[Release]:
    return sorted(releases, key=lambda release: bool(release.number.prerelease))


def _order(release: Release) -> tuple[int, int, int, int, str, int]:
    return release.number.order


def _numbers(minor: str) -> tuple[int, int]:
    major, _, number = minor.partition(".")
    return int(major), int(number)


def sticky_line(store: Metadata, inventory: Inventory) -> PythonRequest | None:
    """Return the request for the release line of the previous build, from its *store* metadata.

    None if there was no such build, or *inventory* does not have the line.
    """
    minor = store.get(_LINE)
    if not isinstance(minor, str) or inventory.line(minor) is None:
        return None
    return line_request(minor, _STICKY_ORIGIN, freethreaded=store.get(_FLAVOUR) == FREETHREADED)


def manager_requests(app: App, deciding_file: str) -> Requests:
    """Return the versions that the manager which reads *deciding_file* accepts.

    uv, Poetry and PDM refuse a Python outside of the range of the project, and Pipenv
    (`--deploy`) one that is not in its lock file. Raises what reading these files raises, and
    InvalidPythonRange.
    """
    if deciding_file == _FILE_WITHOUT_RANGE:
        return ()
    if deciding_file in {PIPFILE, PIPFILE_LOCK}:
        request = pipenv_request(app)
        return (request,) if request else ()
    return project_ranges(app, lambda origin: _counts(origin, deciding_file))


def _counts(origin: Origin, deciding_file: str) -> bool:
    if origin.field == POETRY_FIELD:
        return deciding_file in _POETRY_FILES
    if origin.name.endswith(PDM_LOCK):
        return deciding_file == PDM_LOCK
    return deciding_file == PYLOCK or "pylock." not in origin.name


def check_manager_requests(
    resolution: ResolvedPython,
    required: Requests,
    inventory: Inventory,
    target: Target,
    today: date,
) -> None:
    """Refuse a release that one of *required* does not admit. Raises PythonOutsideRange."""
    version, request = resolution.release.version, resolution.request
    violated = next((bound for bound in required if not bound.admits(version)), None)
    if violated is None:
        return
    raise PythonOutsideRange(
        version,
        str(request),
        str(request.origin),
        str(violated),
        str(violated.origin),
        _fit(required, inventory, target, today),
    )


def _fit(required: Requests, inventory: Inventory, target: Target, today: date) -> str:
    """Return the release line that meets all of *required*, empty if there is no such line."""
    try:
        return resolve(required, inventory, target, today).line.minor
    except BuildpackError:
        return ""


def release_warnings(resolution: ResolvedPython, today: date) -> tuple[Message, ...]:
    """Return the warnings about the release: its end of life, a newer patch, a deprecated file."""
    line, origin = resolution.line, resolution.request.origin
    messages = []
    if origin.name.endswith(RUNTIME):
        messages.append(_deprecated(str(resolution.request), origin.name))
    if line.released > today or resolution.release.number.prerelease:
        messages.append(_prerelease(resolution))
    if today > line.end_of_life:
        messages.append(_after_end_of_life(resolution))
    elif today + NOTICE > line.end_of_life:
        messages.append(_before_end_of_life(resolution))
    if resolution.release.version != resolution.newest:
        messages.append(_outdated(resolution))
    return tuple(messages)


def contradictions(resolution: ResolvedPython, unused: Requests) -> tuple[Message, ...]:
    """Return a warning for each of the *unused* requests that does not admit this release."""
    version, used = resolution.release.version, resolution.request
    return tuple(
        Message(
            f"{request.origin.name} names a different Python than the image has",
            (
                f"The image has Python {version}, as requested by {used.origin}: {used}.",
                f"{request.origin} names {request} and is not used.",
                "Tools that read that file use another Python. Make the two agree, or delete one.",
            ),
        )
        for request in unused
        if not request.admits(version)
    )


def _deprecated(version: str, name: str) -> Message:
    successor = f"{name.removesuffix(RUNTIME)}{VERSION_FILE}"
    return Message(
        f"{name} is deprecated",
        (
            f"Use {VERSION_FILE}, which other tools and platforms read too.",
            f"To replace it: echo {version} > {successor} && git rm {name} && git add {successor}",
        ),
    )


def _prerelease(resolution: ResolvedPython) -> Message:
    line = resolution.line
    return Message(
        f"Python {resolution.release.version} is a pre-release",
        (
            f"Requested by {resolution.request.origin}.",
            (
                f"Python {line.minor} is released on {line.released}. Until then it may change, "
                "and few packages have wheels for it."
            ),
        ),
    )


def _after_end_of_life(resolution: ResolvedPython) -> Message:
    line = resolution.line
    return Message(
        f"Python {line.minor} reached its end of life on {line.end_of_life}",
        (
            f"Requested by {resolution.request.origin}.",
            "It gets no security fixes any more.",
            f"From {line.removed} on, builds that request it fail. Move to a newer Python now.",
        ),
    )


def _before_end_of_life(resolution: ResolvedPython) -> Message:
    line = resolution.line
    return Message(
        f"Python {line.minor} reaches its end of life on {line.end_of_life}",
        (
            f"Requested by {resolution.request.origin}.",
            "It gets no security fixes after that day. Plan the move to a newer Python.",
        ),
    )


def _outdated(resolution: ResolvedPython) -> Message:
    line, release = resolution.line.minor, resolution.release.version
    request, origin = resolution.request, resolution.request.origin
    if isinstance(request, PythonRange):
        fix = f"The range {request} ({origin}) excludes newer releases: widen it."
    elif request.patch is None:
        fix = "The range of Pythons of the app's project excludes newer releases: widen it."
    else:
        fix = f"To always get the newest release, ask for {line} instead of {release} ({origin})."
    return Message(
        f"Python {release} is not the newest {line}",
        (f"{resolution.newest} fixes more bugs and security holes.", fix),
    )
