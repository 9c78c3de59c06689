"""What all managers with lock files share: what a lock says for this Python, installed by uv.

A lock of the standard form names files, which uv fetches without asking an index; the lines that
other tools export name releases with hashes, which an index has to find.
https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.pylock import Package, PackageVcs, Pylock, PylockValidationError
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.errors.locks import BadLock, LockForOtherPython, UnknownGroup
from cnb_python.errors.network import IndexRefused, SourceRefused
from cnb_python.managers import markers
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.pip.pinned import UV, digest
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Run
from cnb_python.system.redaction import shown

_OF_A_PROXY = 407

type Home = Callable[[Pin], tuple[str, ...]]
"""Returns the addresses, logins and all, of the indexes that a package may come from.

None: those that the user has set up.
"""


class IndexedLock(NamedTuple):
    """Who says where packages come from."""

    manager: str
    """As users write it: `Poetry`."""
    home: Home


def install_from_indexes(
    pins: Sequence[Pin], lock: IndexedLock, place: InstallContext, run: Run, sources: uv.UvSources
) -> None:
    """Install exactly *pins*, each from where *lock* has it; what builds them as *sources* says.

    An index without a package of that name is passed over. Raises what uv says went wrong,
    and SourceRefused.
    """
    by_home: defaultdict[tuple[str, ...], list[Pin]] = defaultdict(list)
    for pin in pins:
        by_home[lock.home(pin)].append(pin)
    for addresses, group in sorted(by_home.items()):
        try:
            install(group, place, run, _preferring(addresses, sources))
        except IndexRefused as refused:
            if addresses and refused.status != _OF_A_PROXY:
                raise SourceRefused(lock.manager, refused.url, refused.status) from refused
            raise


def _preferring(addresses: tuple[str, ...], sources: uv.UvSources) -> uv.UvSources:
    if not addresses:
        return sources
    others = sources.variables.get("UV_INDEX", "")
    indexes = " ".join(filter(None, (*addresses, others)))
    variables = {**sources.variables, "UV_INDEX": indexes}
    return sources._replace(variables=variables, strategy=uv.FIRST_INDEX)


# How the line of a pin begins that is a lock of its own.
LOCK = "# pylock.toml\n"
_DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
# What says where the bytes are; the rest is about when the table counts.
_SOURCE = ("name", "version", "index", "vcs", "directory", "archive", "sdist", "wheels")


class Choice(NamedTuple):
    """For what a lock is read."""

    python: str
    """The release of the app's interpreter: `3.14.6`."""
    processor: str
    """As environment markers have it: `x86_64`."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Besides those that the lock calls its default."""


def read_lock(
    lock: Path, choice: Choice, name: str = "", by: str = UV, places: tuple[Path, ...] = ()
) -> Resolution:
    """Return everything that *lock*, a `pylock.toml`, holds for *choice*.

    *name*: what the user knows the file by, where it is not its own name; *places*: from where its
    paths may be told too, as some tools do. Raises UnreadableToml,
    BadLock, LockForOtherPython and UnknownGroup.
    """
    called, document = name or lock.name, toml.read(lock)
    try:
        parsed = Pylock.from_dict(document)
    except PylockValidationError as error:
        raise BadLock(called, str(error)) from error
    _check(parsed, choice, called)
    tables = toml.tables_at(document, "packages")
    chosen = _chosen(parsed, choice, called)
    pins = (
        _pin(_hashed(package, called), tables[at], (lock.parent, *places))
        for at, package in chosen
    )
    return Resolution(tuple(sorted(pins)), from_files_alone=True, by=by)


def install(pins: Sequence[Pin], place: InstallContext, run: Run, sources: uv.UvSources) -> None:
    """Install exactly *pins*, found as *sources* says. Raises what uv says went wrong."""
    locks = [pin.line for pin in pins if pin.line.startswith(LOCK)]
    lines = [pin.line for pin in pins if not pin.line.startswith(LOCK)]
    commands = []
    if locks:
        lock = place.scratch / "pylock.decided.toml"
        tables = [one for text in locks for one in _tables(text, lock)]
        toml.write(lock, {"lock-version": "1.0", "created-by": "cnb-python", "packages": tables})
        commands.append(uv.install_locked(lock, len(tables), place, sources))
    if lines:
        file = place.scratch / "locked.txt"
        file.write_text("\n".join((*sources.lines, *lines)) + "\n", encoding="utf-8")
        commands.append(uv.install_locked(file, len(lines), place, sources))
    for command in commands:
        outcome = run(command)
        if outcome.code:
            raise uv.explain(command, outcome, place)


def _check(lock: Pylock, choice: Choice, called: str) -> None:
    """Raise what makes the whole of *lock* unfit."""
    _check_python(lock.requires_python, choice, called, "")
    known = {"extra": lock.extras, "group": lock.dependency_groups}
    for kind, names in (("extra", choice.extras), ("group", choice.groups)):
        there = tuple(known[kind] or ())
        for name in names:
            if canonicalize_name(name) not in {canonicalize_name(one) for one in there}:
                raise UnknownGroup(called, kind, name, there)
    environment = markers.environment(choice.python, choice.processor)
    if lock.environments and not any(one.evaluate(environment) for one in lock.environments):
        listed = " or ".join(str(one) for one in lock.environments)
        raise BadLock(called, f"it was made for other surroundings: {listed}")


def _check_python(
    requires: SpecifierSet | None, choice: Choice, called: str, package: str
) -> None:
    if requires is not None and not requires.contains(choice.python, prereleases=True):
        raise LockForOtherPython(called, package, str(requires), choice.python)


def _chosen(lock: Pylock, choice: Choice, called: str) -> Iterator[tuple[int, Package]]:
    """Yield what is to be installed, with its place in *lock*."""
    groups = (*(lock.default_groups or ()), *choice.groups)
    environment: dict[str, str | frozenset[str]] = {
        **markers.environment(choice.python, choice.processor),
        "extras": frozenset(map(canonicalize_name, choice.extras)),
        "dependency_groups": frozenset(groups),
    }
    seen: set[str] = set()
    for at, package in enumerate(lock.packages):
        if package.marker and not package.marker.evaluate(environment, "lock_file"):
            continue
        _check_python(package.requires_python, choice, called, package.name)
        if package.name in seen:
            raise BadLock(called, f"two of its entries for {package.name} apply at once")
        seen.add(package.name)
        yield at, package


def _hashed(package: Package, called: str) -> Package:
    """Return *package*, whose hashes are some. Raises BadLock."""
    files = (*(package.wheels or ()), package.sdist, package.archive)
    for algorithm, value in (pair for file in files if file for pair in file.hashes.items()):
        length = _DIGITS.get(algorithm)
        if length and not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", value):
            said = (
                f"the {algorithm} of {package.name} is {value!r}, not {length} hexadecimal digits"
            )
            raise BadLock(called, said)
    return package


def _pin(package: Package, table: TomlTable, places: tuple[Path, ...]) -> Pin:
    line = _line(table, places)
    version = str(package.version or "")
    if package.directory:
        return Pin(package.name, version, digest((line,)), line, is_cacheable=False)
    if package.vcs:
        return Pin(package.name, version, _origin_of_vcs(package.vcs), line)
    if package.archive:
        address = package.archive.url or package.archive.path or ""
        below = package.archive.subdirectory or ""
        origin = digest((*_hashes(package.archive.hashes), shown(address), below))
        return Pin(package.name, version, origin, line)
    files = (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
    hashes = sorted({one for file in files for one in _hashes(file.hashes)})
    return Pin(package.name, version, digest(hashes), line)


def _origin_of_vcs(source: PackageVcs) -> str:
    address = shown(source.url) if source.url else source.path or ""
    return digest(
        (source.commit_id, source.requested_revision or "", address, source.subdirectory or "")
    )


def _hashes(found: Mapping[str, str]) -> list[str]:
    return [f"{algorithm}:{value.lower()}" for algorithm, value in sorted(found.items())]


def _line(table: TomlTable, places: tuple[Path, ...]) -> str:
    """Return *table*, whose paths are told from one of *places*, as it may stand anywhere."""
    kept = {key: _anchored(table[key], places) for key in _SOURCE if key in table}
    return LOCK + toml.rendered({"packages": [kept]})


def _tables(text: str, lock: Path) -> tuple[TomlTable, ...]:
    return toml.tables_at(toml.parse(text, lock), "packages")


def _anchored(value: TomlValue, places: tuple[Path, ...]) -> TomlValue:
    """Return a source, or a list of them, whose path does not depend on where it is read."""
    if isinstance(value, list):
        return [_anchored(one, places) for one in value]
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        return value
    found = [(place / str(value["path"])).resolve() for place in places]
    return {**value, "path": str(next(filter(_is_source, found), found[0]))}


def _is_source(path: Path) -> bool:
    """Whether something can be installed from *path*: an archive, or a project's directory."""
    projects = (path / name for name in ("pyproject.toml", "setup.py"))
    return path.is_file() or any(one.is_file() for one in projects)
