"""Reads `pylock.toml`: one that an app has, that a tool exports, or that `uv pip compile` writes.

https://packaging.python.org/en/latest/specifications/pylock-toml/
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from packaging.pylock import Package, PackageVcs, Pylock, PylockValidationError
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.settings import UV
from cnb_python.errors.locks import BadLock, LockForOtherPython, UnknownGroup
from cnb_python.managers import markers
from cnb_python.managers.base import Pin, Resolution, digest
from cnb_python.managers.markers import UnusableMarker
from cnb_python.managers.source_lines import OwnLines, build_options
from cnb_python.system.redaction import parts_of, shown

# The first line of a pin's `line` that is a lock of its own.
LOCK = "# pylock.toml\n"
_DIGITS = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
# The keys that say where the bytes are; the others say when the package applies.
_SOURCE = ("name", "version", "index", "vcs", "directory", "archive", "sdist", "wheels")


class Choice(NamedTuple):
    """What a lock is read for."""

    python: str
    """The release of the app's interpreter: `3.14.6`."""
    processor: str
    """As environment markers have it: `x86_64`."""
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Besides the default groups of the lock."""


def read_lock(
    lock: Path, choice: Choice, name: str = "", by: str = UV, directories: tuple[Path, ...] = ()
) -> Resolution:
    """Return everything that *lock*, a `pylock.toml`, holds for *choice*.

    *name*: what the user calls the file, if not by its own name; *directories*: what its paths may
    be relative to besides its own directory, as some tools write them. Raises UnreadableToml,
    BadLock, LockForOtherPython and UnknownGroup.
    """
    shown_name, document = name or lock.name, toml.read(lock)
    try:
        with markers.refusing_odd_markers():
            parsed = Pylock.from_dict(document)
            _check(parsed, choice, shown_name)
            packages = tuple(_applying(parsed, choice, shown_name))
    except (PylockValidationError, UnusableMarker) as error:
        raise BadLock(shown_name, str(error)) from error
    tables = toml.tables_at(document, "packages")
    pins = (
        _pin(_checked(package, shown_name), tables[index], (lock.parent, *directories))
        for index, package in packages
    )
    return Resolution(tuple(sorted(pins)), from_files_alone=True, by=by)


def packages_of(line: str, lock: Path) -> tuple[TomlTable, ...]:
    """Return the packages of a pin's *line* that begins with `LOCK`, to be written to *lock*."""
    return toml.tables_at(toml.parse(line, lock), "packages")


def _check(lock: Pylock, choice: Choice, name: str) -> None:
    """Raise what makes all of *lock* unusable."""
    _check_python(lock.requires_python, choice, name, "")
    defined = {"extra": lock.extras, "group": lock.dependency_groups}
    for kind, asked in (("extra", choice.extras), ("group", choice.groups)):
        names = tuple(defined[kind] or ())
        for each in asked:
            if canonicalize_name(each) not in set(map(canonicalize_name, names)):
                raise UnknownGroup(name, kind, each, names)
    environment = markers.environment(choice.python, choice.processor)
    if lock.environments and not any(each.evaluate(environment) for each in lock.environments):
        listed = " or ".join(map(str, lock.environments))
        raise BadLock(name, f"it was made for other environments: {listed}")


def _check_python(requires: SpecifierSet | None, choice: Choice, name: str, package: str) -> None:
    if requires is not None and not requires.contains(choice.python, prereleases=True):
        raise LockForOtherPython(name, package, str(requires), choice.python)


def _applying(lock: Pylock, choice: Choice, name: str) -> Iterator[tuple[int, Package]]:
    """Yield the packages to install, with their index in *lock*."""
    groups = (*(lock.default_groups or ()), *choice.groups)
    environment: dict[str, str | frozenset[str]] = {
        **markers.environment(choice.python, choice.processor),
        "extras": frozenset(map(canonicalize_name, choice.extras)),
        "dependency_groups": frozenset(groups),
    }
    seen: set[str] = set()
    for index, package in enumerate(lock.packages):
        if package.marker and not package.marker.evaluate(environment, "lock_file"):
            continue
        _check_python(package.requires_python, choice, name, package.name)
        if package.name in seen:
            raise BadLock(name, f"two of its entries for {package.name} apply at once")
        seen.add(package.name)
        yield index, package


def _checked(package: Package, name: str) -> Package:
    """Return *package*. Raises BadLock if a hash of it has the wrong length."""
    files = (*(package.wheels or ()), package.sdist, package.archive)
    for algorithm, value in (pair for file in files if file for pair in file.hashes.items()):
        length = _DIGITS.get(algorithm)
        if length and not re.fullmatch(rf"[0-9a-fA-F]{{{length}}}", value):
            problem = (
                f"the {algorithm} of {package.name} is {value!r}, not {length} hexadecimal digits"
            )
            raise BadLock(name, problem)
    return package


def _pin(package: Package, table: TomlTable, directories: tuple[Path, ...]) -> Pin:
    line = _line(table, directories)
    version = str(package.version or "")
    if package.directory:
        origin = digest((line,))
        return Pin(package.name, version, origin, line, is_cacheable=False, by_itself=True)
    if package.vcs:
        return Pin(package.name, version, _vcs_origin(package.vcs), line, by_itself=True)
    if package.archive:
        address = package.archive.url or package.archive.path or ""
        below = package.archive.subdirectory or ""
        origin = digest((*_hashes(package.archive.hashes), shown(address), below))
        return Pin(package.name, version, origin, line, by_itself=True)
    files = (*(package.wheels or ()), *((package.sdist,) if package.sdist else ()))
    hashes = sorted({each for file in files for each in _hashes(file.hashes)})
    # An older uv exports no hashes of an index that has none, whose files may be replaced.
    is_cacheable = bool(hashes)
    return Pin(
        package.name, version, digest(hashes), line, is_cacheable, by_itself=not package.wheels
    )


def _vcs_origin(source: PackageVcs) -> str:
    address = shown(source.url) if source.url else source.path or ""
    return digest(
        (source.commit_id, source.requested_revision or "", address, source.subdirectory or "")
    )


def _hashes(hashes: Mapping[str, str]) -> list[str]:
    return [f"{algorithm}:{value.lower()}" for algorithm, value in sorted(hashes.items())]


def _line(table: TomlTable, directories: tuple[Path, ...]) -> str:
    """Return the source of *table* as a lock of its own that may lie in any directory."""
    source = {key: _anchored(table[key], directories) for key in _SOURCE if key in table}
    return LOCK + toml.rendered({"packages": [source]})


def _anchored(value: TomlValue, directories: tuple[Path, ...]) -> TomlValue:
    """Return a source, or a list of them, with absolute paths."""
    if isinstance(value, list):
        return [_anchored(each, directories) for each in value]
    if not isinstance(value, dict) or not isinstance(value.get("path"), str):
        return value
    paths = [(directory / str(value["path"])).resolve() for directory in directories]
    return {**value, "path": str(next(filter(_is_source, paths), paths[0]))}


def _is_source(path: Path) -> bool:
    """Whether something can be installed from *path*: an archive, or a project's directory."""
    projects = (path / name for name in ("pyproject.toml", "setup.py"))
    return path.is_file() or any(file.is_file() for file in projects)


def read_compiled(lock: Path, own: OwnLines) -> Resolution:
    """Return everything in *lock*, which `uv pip compile` made of requirements files.

    *own* are the lines of those files. The version of a directory is empty where uv does not know
    it. uv writes no hashes for indexes that have none, which the standard and so
    `packaging.pylock` do not allow. Raises UnreadableToml.
    """
    packages = toml.tables_at(toml.read(lock), "packages")
    pins = (_compiled_pin(table, own, lock.parent) for table in packages)
    return Resolution(tuple(sorted(pins)), from_files_alone=False, by=UV)


def _compiled_pin(table: TomlTable, own: OwnLines, beside: Path) -> Pin:
    name, version = canonicalize_name(_text(table, "name")), _text(table, "version")
    if directory := toml.table_at(table, "directory"):
        path = (beside / _text(directory, "path")).resolve()
        line = f"-e {path}" if directory.get("editable") else f"{name} @ {path.as_uri()}"
        own_line = own.line_of(name, path.as_uri())
        origin = digest((str(path),))
        return Pin(name, version, origin, own_line or line, is_cacheable=False, by_itself=True)
    if source := toml.table_at(table, "vcs"):
        return Pin(name, version, *_compiled_vcs(name, source, own), by_itself=True)
    if archive := toml.table_at(table, "archive"):
        return Pin(name, version, *_compiled_archive(name, archive, own, beside), by_itself=True)
    files = (*toml.tables_at(table, "wheels"), toml.table_at(table, "sdist"))
    compiled = sorted(f"sha256:{each}" for each in {_sha256(file) for file in files} if each)
    # Compiling, uv ignores the hashes of the app's own lines, which still hold.
    hashes = own.hashes.get(name) or tuple(compiled)
    line = f"{name}=={version}" + "".join(f" --hash={each}" for each in hashes)
    origin = digest((shown(_text(table, "index")), *hashes))
    wheels = toml.tables_at(table, "wheels")
    pin = Pin(name, version, origin, line, is_cacheable=bool(hashes), by_itself=not wheels)
    # Without hashes of its own lines: all of the release's files.
    allowed = (each for each in wheels if not hashes or f"sha256:{_sha256(each)}" in hashes)
    return pin._replace(files=tuple(_file_name(each) for each in allowed))


def _compiled_vcs(name: str, source: TomlTable, own: OwnLines) -> tuple[str, str]:
    """Return origin and line."""
    url, commit, below = (_text(source, key) for key in ("url", "commit-id", "subdirectory"))
    fragment = f"#subdirectory={below}" if below else ""
    own_line = own.line_of(name, url)
    line = f"{name} @ {_text(source, 'type')}+{url}@{commit}{fragment}"
    return digest((commit, shown(url), below, own_line)), own_line or line


def _compiled_archive(
    name: str, archive: TomlTable, own: OwnLines, beside: Path
) -> tuple[str, str, bool]:
    """Return origin, line and whether a hash fixes the contents."""
    path, sha256 = _text(archive, "path"), _sha256(archive)
    url = (beside / path).resolve().as_uri() if path else _text(archive, "url")
    hashed = f" --hash=sha256:{sha256}" if sha256 else ""
    own_line = own.line_of(name, url)
    origin = digest((sha256, shown(url), build_options(own_line)))
    return origin, own_line or f"{name} @ {url}{hashed}", bool(sha256)


def _file_name(file: TomlTable) -> str:
    address = _text(file, "url") or _text(file, "path")
    return unquote(parts_of(address).path.rpartition("/")[2])


def _sha256(file: TomlTable) -> str:
    return _text(toml.table_at(file, "hashes"), "sha256")


def _text(table: TomlTable, key: str) -> str:
    value = table.get(key, "")
    return value if isinstance(value, str) else ""
