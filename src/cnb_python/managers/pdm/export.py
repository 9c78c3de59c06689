"""Exports `pdm.lock` with PDM, and finds the index of each package and its login.

uv installs the packages and the app itself.
https://pdm-project.org/latest/usage/config/#configure-the-package-indexes
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import quote, urlunsplit

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.settings import Settings
from cnb_python.errors.locks import (
    BadLock,
    LockForOtherPython,
    StaleLock,
    UnknownGroup,
    UnsetVariable,
)
from cnb_python.managers import from_source, index_config
from cnb_python.managers.base import PackageIndexes, Pin, Resolution
from cnb_python.managers.lock_export import (
    INDEX_OPTIONS,
    LocalSource,
    LockExport,
    LockSources,
    LockTool,
)
from cnb_python.managers.pdm import synchronized
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.requirement_lines import index_url, option_of
from cnb_python.managers.tool import Program
from cnb_python.managers.uv.commands import IndexesOf
from cnb_python.system.interface import Command
from cnb_python.system.redaction import parts_of

# The exported requirements: a file in the scratch directory, and a note.
_EXPORTED = "pdm.export.txt"
_PDM = LockTool(
    title="PDM",
    command="pdm",
    lock="pdm.lock",
    source="pyproject.toml",
    stale=re.compile(
        r"Lockfile doesn't satisfy the project requirements|Lockfile hash doesn't match"
    ),
    newer=re.compile(r"Lockfile is not compatible with PDM|generated on a newer version of PDM"),
    reserved=re.compile(
        r"PDM_(CACHE_DIR|CONFIG_FILE|LOCKFILE|LOG_DIR|PROJECT|PYTHON|USE_VENV|VENV_\w+|IN_VENV)"
    ),
)
_RELEASE = re.compile(r"([A-Za-z0-9][\w.-]*)==([^\s;]+)")
_DIRECT = re.compile(r"([A-Za-z0-9][\w.-]*)\s*@\s")
# The name of the usual index.
_USUAL = "pypi"
# PDM's settings for the project.
_LOCAL = "pdm.toml"
# A variable that PDM sets itself.
_ROOT = "PROJECT_ROOT"
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_TRUE = frozenset({"1", "true", "yes", "on"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9?*\[\]-]+")


@dataclass(frozen=True, slots=True)
class PdmExport(LockExport):
    """One build's export of `pdm.lock`."""

    tool: ClassVar = _PDM

    @property
    def program(self) -> Program:
        """The PDM that reads the lock file."""
        return Program.chosen("pdm", self.settings.pdm)

    def resolve(self) -> Resolution:
        """Return what the lock file holds for the app's Python.

        Raises PDM's failure, BadLock, LockForOtherPython, StaleLock, UnknownGroup and
        UnreadableToml.
        """
        pyproject, lock = toml.read(self.context.app_dir / _PDM.source), toml.read(self.lock)
        groups = _group_options(self.settings, pyproject, lock)
        self._run(self.command(("lock", "--check")))
        _check_target(lock, self.choice)
        self.context.notes[_EXPORTED] = self._exported(groups, lock)
        text = _with_hashes(self.context.notes[_EXPORTED], lock)
        name = _app_name(pyproject)
        resolution = self.resolution(text, self.app_pin(name) if name else None)
        return from_source.apply(from_source.of_pdm(self.context.environ, pyproject), resolution)

    def _exported(self, groups: Sequence[str], lock: TomlTable) -> str:
        """Return PDM's export of *lock*, or the same lines if PDM does not export it.

        Raises PDM's failure and BadLock.
        """
        if not synchronized.lacks_markers(lock):
            outcome = self.run(command := self._export(groups))
            if not outcome.code:
                return self._export_file.read_text("utf-8")
            if not synchronized.REFUSED.search(outcome.output):
                raise self.explain_export(command, outcome)
        output = self._run(self.command(("sync", "--dry-run", "--no-self", *groups)))
        # A dry run does not print the indexes.
        self._run(self._export(("--pyproject", *groups)))
        lines = self._export_file.read_text("utf-8").splitlines()
        indexes = (line for line in lines if option_of(line)[0] in INDEX_OPTIONS)
        return "\n".join((*indexes, *synchronized.lines_of(output, lock, _PDM.lock)))

    def _export(self, words: Sequence[str]) -> Command:
        # PDM exports hashes only if everything has one, and a repository or directory has none.
        output = ("--no-hashes", "--no-extras", "--expandvars", "--output", str(self._export_file))
        return self.command(("export", *words), output)

    @property
    def _export_file(self) -> Path:
        return self.context.scratch / _EXPORTED

    def install(self, pins: Sequence[Pin]) -> frozenset[str]:
        """See `Manager`. Raises uv's failure."""
        sources, variables = self._sources()
        return self.install_with_uv(pins, sources.indexes_of, variables)

    def package_indexes(self) -> PackageIndexes:
        """See `Manager`."""
        sources, variables = self._sources()
        return index_config.package_indexes(variables, sources.indexes_of)

    def _sources(self) -> tuple[LockSources, dict[str, str]]:
        """Return the indexes of the lock file, and uv's variables for the others."""
        environ = self.context.environ
        lines = self.context.notes[_EXPORTED].splitlines()
        sources = read_sources(self.context.app_dir, lines, environ)
        usual = usual_index(self.context.app_dir, environ)
        variables = index_config.exported_index_variables(sources.lines, {**environ, **usual})
        return sources, variables

    def local_sources(self) -> Iterator[LocalSource]:
        """See `LockExport`. Raises UnreadableToml."""
        for package in toml.tables_at(toml.read(self.lock), "package"):
            if path := package.get("path"):
                yield LocalSource(str(package.get("name")), str(path))

    def variables(self) -> dict[str, str]:
        """Return the user's variables with directories and an interpreter of the build's own."""
        own = self.context.scratch / "pdm"
        return {
            **self.user_variables(),
            "PDM_CHECK_UPDATE": "0",
            "PDM_CACHE_DIR": str(own / "cache"),
            "PDM_LOG_DIR": str(own / "log"),
            "PDM_CONFIG_FILE": str(own / "config.toml"),
            # Without it PDM makes an environment.
            "PDM_PYTHON": str(self.context.environment / "bin/python"),
            "PDM_IGNORE_SAVED_PYTHON": "1",
        }

    def _run(self, command: Command) -> str:
        outcome = self.run(command)
        if outcome.code:
            raise self.explain_export(command, outcome)
        return outcome.output


def _group_options(settings: Settings, pyproject: TomlTable, lock: TomlTable) -> tuple[str, ...]:
    """Return the options that choose groups. Raises UnknownGroup and StaleLock."""
    project = toml.table_at(pyproject, "project")
    pdm = toml.table_at(toml.table_at(pyproject, "tool"), "pdm")
    extras = frozenset(map(canonicalize_name, toml.table_at(project, "optional-dependencies")))
    groups = frozenset(
        canonicalize_name(name)
        for table in (
            toml.table_at(pyproject, "dependency-groups"),
            toml.table_at(pdm, "dev-dependencies"),
        )
        for name in table
    )
    for kind, names, declared in (
        ("group", settings.groups, groups),
        ("extra", settings.extras, extras),
    ):
        for name in names:
            if canonicalize_name(name) not in declared:
                raise UnknownGroup(_PDM.source, kind, name, tuple(sorted(declared)))
    names = (*settings.groups, *settings.extras)
    _check_locked(names, lock)
    # PDM refuses --prod together with a development group; a --group leaves out the others.
    return (
        *(() if settings.groups else ("--prod",)),
        *(word for name in names for word in ("--group", name)),
    )


def _check_locked(groups: Sequence[str], lock: TomlTable) -> None:
    """Refuse a *lock* without one of *groups*. Raises StaleLock."""
    listed = toml.table_at(lock, "metadata").get("groups")
    names = listed if isinstance(listed, list) else []
    locked = {canonicalize_name(name) for name in names if isinstance(name, str)}
    for group in groups:
        if canonicalize_name(group) not in locked:
            problem = (f"The group {group} is not in {_PDM.lock}.",)
            raise StaleLock(_PDM.lock, _PDM.source, "pdm lock --group :all", problem)


def _check_target(lock: TomlTable, choice: Choice) -> None:
    """Refuse a *lock* for other machines or Pythons. Raises BadLock and LockForOtherPython."""
    targets = toml.tables_at(toml.table_at(lock, "metadata"), "targets")
    fitting = [target for target in targets if _is_for(target, choice.processor)]
    if targets and not fitting:
        platforms = (str(target.get("platform", "another interpreter")) for target in targets)
        raise BadLock(_PDM.lock, f"it was made for other environments: {' or '.join(platforms)}")
    ranges = [str(target.get("requires_python", "")) for target in fitting]
    if ranges and not any(_contains(specifier, choice.python) for specifier in ranges):
        raise LockForOtherPython(_PDM.lock, "", " or ".join(ranges), choice.python)


def _is_for(target: TomlTable, processor: str) -> bool:
    platform = str(target.get("platform", ""))
    fits = platform.startswith(("linux", "manylinux")) and (
        platform == "linux" or platform.endswith(processor)
    )
    return (not platform or fits) and target.get("implementation", "cpython") == "cpython"


def _contains(specifier: str, python: str) -> bool:
    try:
        return SpecifierSet(specifier).contains(python, prereleases=True)
    except ValueError:
        return True  # PDM has accepted it


def _with_hashes(exported: str, lock: TomlTable) -> str:
    """Return the *exported* text with the hashes that *lock* has. Raises BadLock."""
    locked = dict(_hashes(lock))
    lines = []
    for line in exported.splitlines():
        release, direct = _RELEASE.match(line), _DIRECT.match(line)
        name, version = release.groups() if release else (direct[1], "") if direct else ("", "")
        hashes = locked.get((canonicalize_name(name), version), ())
        if release and not hashes:
            raise BadLock(_PDM.lock, f"it has no hashes for {release[0]}")
        lines.append(line + "".join(f" --hash={value}" for value in hashes))
    return "\n".join(lines)


def _hashes(lock: TomlTable) -> Iterator[tuple[tuple[str, str], tuple[str, ...]]]:
    """Yield the hashes of each package of *lock* by name and version; of files, by name alone."""
    for package in toml.tables_at(lock, "package"):
        name, version = package.get("name"), package.get("version")
        values = (file.get("hash") for file in toml.tables_at(package, "files"))
        hashes = tuple(sorted({value for value in values if isinstance(value, str)}))
        if isinstance(name, str) and hashes:
            is_release = not {"path", "url"} & package.keys()
            yield (canonicalize_name(name), str(version) if is_release else ""), hashes


def _app_name(pyproject: TomlTable) -> str:
    """Return the name of the app itself if PDM would install it, else nothing."""
    name = toml.table_at(pyproject, "project").get("name")
    pdm = toml.table_at(toml.table_at(pyproject, "tool"), "pdm")
    is_distribution = pdm.get("distribution", pdm.get("package-type", "library") == "library")
    return name if isinstance(name, str) and is_distribution is not False else ""


def read_sources(
    directory: Path, exported: Iterable[str], environ: Mapping[str, str]
) -> LockSources:
    """Return the indexes of the packages of the app in *directory*.

    *exported*: PDM's lines, which have the URLs in the order of the sources. Raises UnsetVariable,
    UnreplacedVariable and UnreadableToml.
    """
    lines, stored = tuple(exported), tuple(_stored_indexes(directory, environ))
    index_lines = [line for line in lines if index_url(line)]
    other_lines = [*(line for line in lines if not index_url(line)), *stored]
    tables = tuple(_tables(directory))
    for table in tables:
        _expanded(table, environ, _PDM.source)
    if len(tables) != len(index_lines):  # no URL can be assigned to its source
        return LockSources(lambda _: (), (*lines, *stored))
    sources = [
        _source(table, index_url(line), environ)
        for table, line in zip(tables, index_lines, strict=True)
    ]
    if any(source.included or source.excluded for source in sources):
        usual = [f"--index-url {source.url}" for source in sources if source.name == _USUAL]
        return LockSources(_indexes_of(sources), (*usual, *other_lines))
    indexes = (
        f"{line.partition(' ')[0]} {source.url}"
        for source, line in zip(sources, index_lines, strict=True)
    )
    return LockSources(lambda _: (), (*indexes, *other_lines))


def usual_index(directory: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Return uv's variables for the usual index of the app in *directory*; empty: PyPI.

    That is the one of PDM_PYPI_URL, else of `pdm.toml`. Without the indexes that PDM itself has
    stored, it is the first one of the app. Raises UnreadableToml, UnsetVariable and
    UnreplacedVariable.
    """
    usual = {**_local_settings(directory)[_USUAL], "name": _USUAL}
    file = _LOCAL
    if _has_only_own_indexes(usual, environ):
        usual, file = dict(next(_tables(directory), {})), _PDM.source
    elif variable := environ.get("PDM_PYPI_URL", ""):
        usual, file = {**usual, "url": variable}, "PDM_PYPI_URL"
    url = _expanded(usual, environ, file)
    return {"UV_DEFAULT_INDEX": _source(usual, url, environ).url} if url else {}


def _has_only_own_indexes(usual: TomlTable, environ: Mapping[str, str]) -> bool:
    """Whether PDM ignores all indexes but those of `pyproject.toml`."""
    variable = environ.get("PDM_IGNORE_STORED_INDEX", "").lower()
    return variable in _TRUE if variable else usual.get("ignore_stored_index") is True


def _stored_indexes(directory: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Yield an option for each index that `pdm.toml` alone has."""
    local = _local_settings(directory)
    own = {str(table.get("name", "")) for table in _tables(directory)}
    for name, table in local.items():
        url = str(table.get("url", ""))
        if (
            url
            and name not in {_USUAL, *own}
            and not _has_only_own_indexes(local[_USUAL], environ)
        ):
            named = {**table, "name": name}
            url = _expanded(named, environ, _LOCAL)
            yield f"--extra-index-url {_source(named, url, environ).url}"


class _PdmSource(NamedTuple):
    name: str
    url: str
    """With its login."""
    included: tuple[str, ...]
    """Patterns of the packages that come from this source and no other."""
    excluded: tuple[str, ...]
    """Patterns of the packages that do not."""


def _tables(directory: Path) -> Iterator[TomlTable]:
    """Yield the settings of each index: those of the app, completed by those of `pdm.toml`."""
    tools = toml.table_at(toml.read(directory / "pyproject.toml"), "tool")
    local = _local_settings(directory)
    for table in toml.tables_at(toml.table_at(tools, "pdm"), "source"):
        both = {**local.get(str(table.get("name", "")), {}), **table}
        if both.get("url") and both.get("type", "index") == "index":
            yield both


def _local_settings(directory: Path) -> dict[str, TomlTable]:
    """Return the settings of indexes in `pdm.toml`, by the name of the index."""
    file = directory / _LOCAL
    usual = toml.table_at(toml.read(file), "pypi") if file.is_file() else {}
    by_name = {name: table for name, table in usual.items() if isinstance(table, dict)}
    return {_USUAL: usual, **by_name}


def _expanded(table: TomlTable, environ: Mapping[str, str], file: str) -> str:
    """Return the URL of an index in *file*, with the variables of its login replaced as by PDM.

    Raises UnsetVariable for one that is not set, which PDM replaces by nothing, and
    UnreplacedVariable for one in another part.
    """
    url, name = str(table.get("url", "")), str(table.get("name", ""))
    _, mark, address = url.partition("://")
    login, at, _ = address.partition("/")[0].rpartition("@")
    bare = url.replace(login, "", 1) if at else url
    index_config.check_replaced(f"{file}, index {name}", bare.replace(f"${{{_ROOT}}}", ""))
    names = _VARIABLE.findall(login)
    if unset := tuple(each for each in names if each != _ROOT and not environ.get(each)):
        raise UnsetVariable(file, name, unset, "index")
    filled = _VARIABLE.sub(lambda each: quote(environ.get(each[1], ""), safe=""), login)
    return url.replace(f"{mark}{login}@", f"{mark}{filled}@", 1) if at else url


def _source(table: TomlTable, url: str, environ: Mapping[str, str]) -> _PdmSource:
    name = str(table.get("name", ""))
    variables = environ if name == _USUAL else {}
    user, password = (
        str(table.get(key) or variables.get(f"PDM_PYPI_{key.upper()}", ""))
        for key in ("username", "password")
    )
    return _PdmSource(
        name,
        _with_login(url, user, password),
        tuple(_patterns(table.get("include_packages"))),
        tuple(_patterns(table.get("exclude_packages"))),
    )


def _with_login(url: str, user: str, password: str) -> str:
    parts = parts_of(url)
    if not (user and password and parts.netloc):
        return url
    login, host = f"{quote(user, safe='')}:{quote(password, safe='')}", parts.netloc
    return urlunsplit(parts._replace(netloc=f"{login}@{host.rpartition('@')[2]}"))


def _patterns(value: TomlValue | None) -> Iterator[str]:
    """Yield *value*, a list of names with wildcards, in the form that PDM compares."""
    for name in value if isinstance(value, list) else ():
        yield _NOT_IN_NAMES.sub("-", str(name)).lower()


def _indexes_of(sources: Iterable[_PdmSource]) -> IndexesOf:
    """Return the indexes of a package by the rules of *sources*; the usual one is tried last."""
    listed = tuple(sources)

    def indexes_of(pin: Pin) -> tuple[str, ...]:
        including = tuple(source.url for source in listed if _has(source.included, pin))
        return including or tuple(
            source.url
            for source in listed
            if source.name != _USUAL and not _has(source.excluded, pin)
        )

    return indexes_of


def _has(patterns: Iterable[str], pin: Pin) -> bool:
    return any(fnmatch(pin.name, pattern) for pattern in patterns)
