"""Has PDM check its lock and say what it holds; uv installs that, and the app itself."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.install import InstallFailed
from cnb_python.errors.locks import BadLock, LockForOtherPython, StaleLock, UnknownGroup
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers import build_errors, exported_requirements, install_locked, schema
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.install_locked import Choice
from cnb_python.managers.pdm import sources as pdm_sources
from cnb_python.managers.pip.pinned import digest
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv import index_env
from cnb_python.system.interface import Command, Outcome, Run


def check(lock: Path, choice: Choice) -> None:
    """Refuse a *lock* for other machines. Raises BadLock, LockForOtherPython, UnreadableToml."""
    targets = toml.tables_at(toml.table_at(toml.read(lock), "metadata"), "targets")
    here = [one for one in targets if _is_for(one, choice.processor)]
    if targets and not here:
        listed = " or ".join(str(one.get("platform", "another interpreter")) for one in targets)
        raise BadLock(lock.name, f"it was made for other surroundings: {listed}")
    ranges = [str(one.get("requires_python", "")) for one in here]
    if ranges and not any(_holds(one, choice.python) for one in ranges):
        raise LockForOtherPython(lock.name, "", " or ".join(ranges), choice.python)


def _is_for(target: TomlTable, processor: str) -> bool:
    platform = str(target.get("platform", ""))
    is_ours = platform.startswith(("linux", "manylinux")) and (
        platform == "linux" or platform.endswith(processor)
    )
    return (not platform or is_ours) and target.get("implementation", "cpython") == "cpython"


def _holds(requires: str, python: str) -> bool:
    try:
        return SpecifierSet(requires).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True  # PDM has read it


_LOCK, _PYPROJECT, _NAME = "pdm.lock", "pyproject.toml", "PDM"
_STALE = re.compile(
    r"Lockfile doesn't satisfy the project requirements|Lockfile hash doesn't match"
)
_NEWER = re.compile(r"Lockfile is not compatible with PDM|generated on a newer version of PDM")
_RELEASE = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;]+)")
_DIRECT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*@\s")
_LAST_WORDS = 8
# What they choose is ours to choose: neither the app nor its environment is to be touched.
_OURS = re.compile(
    r"PDM_(CACHE_DIR|CONFIG_FILE|LOCKFILE|LOG_DIR|PROJECT|PYTHON|USE_VENV|VENV_\w+|IN_VENV)"
)


class PdmExport(NamedTuple):
    """What PDM is asked."""

    program: Program
    settings: Settings
    processor: str
    place: InstallContext
    run: Run


def resolve(asked: PdmExport) -> Resolution:
    """Return what the lock of the app holds for its Python. Raises what PDM says of it."""
    place = asked.place
    document = toml.read(place.app_dir / _PYPROJECT)
    words = _chosen(asked.settings, document, toml.read(place.app_dir / _LOCK))
    _pdm(asked, ("lock", "--check"), ())
    check(place.app_dir / _LOCK, Choice(place.python, asked.processor))
    exported = place.scratch / "pdm.export.txt"
    # With hashes it refuses what has none: a repository, a directory. They are in the lock.
    _pdm(
        asked,
        ("export", *words),
        ("--no-hashes", "--no-extras", "--expandvars", "--output", str(exported)),
    )
    text = _hashed(exported.read_text("utf-8"), toml.read(place.app_dir / _LOCK))
    choice = Choice(place.python, asked.processor)
    found = exported_requirements.read(
        exported_requirements.plain(text), _LOCK, place.app_dir, choice, uv.NAME
    ).decision
    pins = (*found.pins, *_of_the_app(document, place))
    return found._replace(pins=tuple(sorted(pins)))


def install(pins: Sequence[Pin], place: InstallContext, run: Run) -> None:
    """Install exactly *pins*. Raises what uv says went wrong."""
    if pins:
        lines = (place.scratch / "pdm.export.txt").read_text("utf-8").splitlines()
        found = pdm_sources.read(place.app_dir, lines, place.environ)
        environ = {**place.environ, **pdm_sources.usual(place.environ)}
        variables = index_env.found_by(found.lines, environ)
        sources = uv.UvSources(is_own=False, variables=variables)
        install_locked.install_from_indexes(
            pins, install_locked.IndexedLock(_NAME, found.home), place, run, sources
        )


def explain(command: Command, outcome: Outcome) -> BuildpackError:
    """Say why PDM failed."""
    said = tuple(line.strip() for line in outcome.output.splitlines() if line.strip())
    last = said[-_LAST_WORDS:]
    if trouble := build_errors.machine_failure(outcome.code, outcome.output, _NAME):
        return trouble
    if _NEWER.search(outcome.output):
        return LockTooNew(_LOCK, _NAME, last)
    if _STALE.search(outcome.output):
        return StaleLock(_LOCK, _PYPROJECT, "pdm lock", last)
    return InstallFailed(_NAME, command.shown, outcome.code, last)


def _pdm(asked: PdmExport, words: Sequence[str], more: Sequence[str]) -> None:
    place = asked.place
    command = Command(
        (*place.bring(asked.program), *words, *more),
        _variables(place),
        place.app_dir,
        shown=" ".join(("pdm", *words)),
    )
    outcome = asked.run(command)
    if outcome.code:
        found = explain(command, outcome)
        if isinstance(found, InstallFailed | StaleLock | LockTooNew):
            # It has no words for values of a wrong kind.
            schema.check(place.app_dir, _LOCK, _PYPROJECT)
        raise found


def _variables(place: InstallContext) -> dict[str, str]:
    """Return the variables of PDM's processes: its settings, but no place of the user's."""
    own = place.scratch / "pdm"
    kept = {name: value for name, value in place.environ.items() if not _OURS.fullmatch(name)}
    return {
        **kept,
        "PDM_CHECK_UPDATE": "0",
        "PDM_CACHE_DIR": str(own / "cache"),
        "PDM_LOG_DIR": str(own / "log"),
        "PDM_CONFIG_FILE": str(own / "config.toml"),
        # It makes an environment of its own where it is not told of one.
        "PDM_PYTHON": str(place.environment / "bin/python"),
        "PDM_IGNORE_SAVED_PYTHON": "1",
    }


def _chosen(settings: Settings, document: TomlTable, lock: TomlTable) -> tuple[str, ...]:
    """Return the options that choose groups. Raises UnknownGroup and StaleLock."""
    project = toml.table_at(document, "project")
    own = toml.table_at(toml.table_at(document, "tool"), "pdm")
    extras = frozenset(map(canonicalize_name, toml.table_at(project, "optional-dependencies")))
    groups = frozenset(
        canonicalize_name(name)
        for table in (
            toml.table_at(document, "dependency-groups"),
            toml.table_at(own, "dev-dependencies"),
        )
        for name in table
    )
    for kind, names, known in (
        ("group", settings.groups, groups),
        ("extra", settings.extras, extras),
    ):
        for name in names:
            if canonicalize_name(name) not in known:
                raise UnknownGroup(_PYPROJECT, kind, name, tuple(sorted(known)))
    names = (*settings.groups, *settings.extras)
    _check_locked(names, lock)
    # It refuses to leave out what is for development and to take some of it at once; taking some
    # leaves the others out.
    return (
        *(() if settings.groups else ("--prod",)),
        *(word for name in names for word in ("--group", name)),
    )


def _check_locked(names: Sequence[str], lock: TomlTable) -> None:
    listed = toml.table_at(lock, "metadata").get("groups")
    there = (
        {canonicalize_name(one) for one in listed or () if isinstance(one, str)}
        if isinstance(listed, list)
        else set()
    )
    for name in names:
        if canonicalize_name(name) not in there:
            said = (f"The group {name} is not in {_LOCK}.",)
            raise StaleLock(_LOCK, _PYPROJECT, "pdm lock --group :all", said)


def _hashed(text: str, lock: TomlTable) -> str:
    """Return the exported *text* with the hashes that *lock* has for each release or file."""
    known = dict(_hashes(lock))
    lines = []
    for line in text.splitlines():
        release, direct = _RELEASE.match(line), _DIRECT.match(line)
        key = release.groups() if release else (direct[1], "") if direct else ("", "")
        hashes = known.get((canonicalize_name(key[0]), key[1]), ())
        if release and not hashes:
            raise BadLock(_LOCK, f"it has no hashes for {release[0]}")
        lines.append(line + "".join(f" --hash={one}" for one in hashes))
    return "\n".join(lines)


def _hashes(lock: TomlTable) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield the hashes of each package of *lock* by name and version; of files, by name alone."""
    for package in toml.tables_at(lock, "package"):
        name, version = package.get("name"), package.get("version")
        files = tuple(
            sorted(
                {
                    one
                    for file in toml.tables_at(package, "files")
                    if isinstance(one := file.get("hash"), str)
                }
            )
        )
        if isinstance(name, str) and files:
            is_release = not {"path", "url"} & package.keys()
            yield (canonicalize_name(name), str(version) if is_release else ""), files


def _of_the_app(document: TomlTable, place: InstallContext) -> Iterator[Pin]:
    """Yield the app itself, where PDM would install it."""
    name = toml.table_at(document, "project").get("name")
    own = toml.table_at(toml.table_at(document, "tool"), "pdm")
    is_distribution = own.get("distribution", own.get("package-type", "library") == "library")
    if isinstance(name, str) and name and is_distribution is not False:
        line = f"-e {place.app_dir}"
        yield Pin(canonicalize_name(name), "", digest((line,)), line, is_cacheable=False)
