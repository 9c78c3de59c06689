"""Exports `poetry.lock` with Poetry, finds the index of each package, and installs them.

uv installs the packages from the sources that the lock file names
(https://python-poetry.org/docs/repositories/), Poetry the app itself.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple
from urllib.parse import quote

from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.locks import UnknownGroup
from cnb_python.errors.packages.install import InstallFailed
from cnb_python.errors.programs import AppNotInstallable, UnknownPoetryKey, app_left_out
from cnb_python.managers import app_as_package, from_source, index_config
from cnb_python.managers.base import (
    AppLeftOut,
    InstallContext,
    PackageIndexes,
    Pin,
    Resolution,
)
from cnb_python.managers.index_config import asks_no_index
from cnb_python.managers.lock_export import (
    LocalSource,
    LockExport,
    LockSources,
    LockTool,
    last_lines,
)
from cnb_python.managers.poetry import pyproject
from cnb_python.managers.poetry.pyproject import PYPROJECT
from cnb_python.managers.requirement_lines import index_url
from cnb_python.managers.tool import Program
from cnb_python.python.versions import normalized_version
from cnb_python.system.certificates import bundle_with
from cnb_python.system.interface import Command, Outcome
from cnb_python.system.redaction import parts_of, shown

# The exported requirements: a file in the scratch directory, and a note.
_EXPORTED = "poetry.export.txt"
_POETRY = LockTool(
    title="Poetry",
    command="poetry",
    lock="poetry.lock",
    source=PYPROJECT,
    stale=re.compile(
        r"pyproject\.toml changed significantly since poetry\.lock was last generated"
    ),
    newer=re.compile(r"lock file is not compatible with the current version of Poetry"),
    reserved=re.compile(
        r"POETRY_(VIRTUALENVS_\w+|CACHE_DIR|CONFIG_DIR|DATA_DIR|HOME|SYSTEM_GIT_CLIENT)"
    ),
    options=("--no-interaction", "--no-ansi"),
)
_UNKNOWN_KEY = re.compile(r"Additional properties are not allowed \('([^']+)'")
_NOT_INSTALLABLE = re.compile(r"The current project could not be installed: (.+)")
_UNKNOWN_NAME = (
    ("group", re.compile(r"Group\(s\) not found: ([^\s,]+)")),
    ("extra", re.compile(r"Extra \[([^],\n]+)[^]\n]*\] is not specified")),
)
_CERTIFICATE = re.compile(r"POETRY_CERTIFICATES_(\w+?)_(CLIENT_CERT|CERT)")


@dataclass(frozen=True, slots=True)
class PoetryExport(LockExport):
    """One build's export of `poetry.lock`."""

    tool: ClassVar = _POETRY

    @property
    def program(self) -> Program:
        """The Poetry that reads the lock file."""
        return pyproject.read(self.context.app_dir).program(self.settings)

    def resolve(self) -> Resolution:
        """Return what the lock file holds for the app's Python. Raises Poetry's failure."""
        for source in _source_tables(self.context):
            index_config.check_replaced(PYPROJECT, str(source.get("url", "")))
        chosen = [word for name in self.settings.groups for word in ("--with", name)]
        chosen += [word for name in self.settings.extras for word in ("--extras", name)]
        # The URLs have their logins, in a file that is removed when the build ends.
        output = ("--with-credentials", "--output", str(self._exported))
        outcome = self.run(command := self.command(("export", *chosen), output))
        if outcome.code:
            raise self._unknown_name(outcome.output) or self.explain_export(command, outcome)
        self.context.notes[_EXPORTED] = self._exported.read_text("utf-8")
        resolution = self.resolution(self.context.notes[_EXPORTED], self._app())
        names = from_source.of_poetry(self.context.environ, self.context.app_dir)
        return from_source.apply(names, resolution)

    def install(self, pins: Sequence[Pin]) -> frozenset[str]:
        """See `Manager`. Raises uv's or Poetry's failure, and AppLeftOut."""
        app = self._app()
        if app and [pin.name for pin in pins] == [app.name]:
            return self._install_app(app)
        sources, variables = self._sources()
        return self.install_with_uv(pins, sources.indexes_of, variables)

    def package_indexes(self) -> PackageIndexes:
        """See `Manager`."""
        sources, variables = self._sources()
        return index_config.package_indexes(variables, sources.indexes_of)

    def _sources(self) -> tuple[LockSources, dict[str, str]]:
        """Return the indexes of the lock file, and uv's variables for the others."""
        lines = self.context.notes[_EXPORTED].splitlines()
        sources = read_sources(self.lock, lines)
        index_lines = (*primary_index(self.context), *sources.lines)
        variables = index_config.exported_index_variables(index_lines, self.context.environ)
        return sources, variables | certificate_variables(self.context)

    def _install_app(self, app: Pin) -> frozenset[str]:
        """Install the app itself. Raises uv's or Poetry's failure, and AppLeftOut.

        Poetry takes what a build script requires from the public index if the app has no primary
        source, whatever the user's settings are, and pip does if there is a setup.py.
        """
        primary = primary_index(self.context)
        if pyproject.read(self.context.app_dir).has_build:
            variables = index_config.exported_index_variables(primary, self.context.environ)
            if index_config.names_index(variables) or asks_no_index(self.context.environ):
                variables |= certificate_variables(self.context)
                indexes = (variables.get("UV_DEFAULT_INDEX", ""), *_further(self.context))
                own = tuple(filter(None, indexes))
                return self.install_with_uv((app,), lambda _: own, variables)
        outcome = self.run(command := self.command(("install", "--only-root")))
        if outcome.code:
            raise self._not_installable(outcome.output) or self.explain(command, outcome)
        return frozenset()

    def local_sources(self) -> Iterator[LocalSource]:
        """See `LockExport`. Raises UnreadableToml."""
        for package in toml.tables_at(toml.read(self.lock), "package"):
            source = toml.table_at(package, "source")
            if source.get("type") in {"directory", "file"}:
                yield LocalSource(str(package.get("name")), str(source.get("url")))

    def variables(self) -> dict[str, str]:
        """Return the user's variables with directories and an environment of the build's own."""
        own, user = self.context.scratch / "poetry", self.user_variables()
        return {
            **user,
            "POETRY_CONFIG_DIR": str(own / "config"),
            "POETRY_CACHE_DIR": str(own / "cache"),
            "POETRY_DATA_DIR": str(own / "data"),
            # VIRTUAL_ENV names the environment.
            "POETRY_VIRTUALENVS_CREATE": "false",
            "POETRY_KEYRING_ENABLED": user.get("POETRY_KEYRING_ENABLED", "false"),
        }

    def explain(self, command: Command, outcome: Outcome) -> BuildpackError:
        """Return the failure of *command*, also of those that Poetry alone has."""
        failure = super().explain(command, outcome)
        if not isinstance(failure, InstallFailed):
            return failure
        if match := _UNKNOWN_KEY.search(outcome.output):
            return UnknownPoetryKey(PYPROJECT, _POETRY.title, match[1], last_lines(outcome.output))
        return failure

    def _not_installable(self, output: str) -> Exception | None:
        """Return AppLeftOut if Poetry finds no package in the app, else None.

        AppNotInstallable if something needs it to be one.
        """
        match = _NOT_INSTALLABLE.search(output)
        if not match:
            return None
        project = pyproject.read(self.context.app_dir)
        user = app_as_package.needed_by(self.context.app_dir, project.name, project.scripts)
        if user:
            return AppNotInstallable(PYPROJECT, _POETRY.title, match[1], user)
        return AppLeftOut(app_left_out(PYPROJECT, _POETRY.title, match[1]))

    def _unknown_name(self, output: str) -> BuildpackError | None:
        """Return the failure if a chosen group or extra does not exist, else None."""
        for kind, pattern in _UNKNOWN_NAME:
            if match := pattern.search(output):
                project = pyproject.read(self.context.app_dir)
                names = project.groups if kind == "group" else project.extras
                return UnknownGroup(PYPROJECT, kind, match[1], names)
        return None

    def _app(self) -> Pin | None:
        """Return the pin of the app itself, None if it is not a package."""
        project = pyproject.read(self.context.app_dir)
        return self.app_pin(project.name) if project.is_package else None

    @property
    def _exported(self) -> Path:
        return self.context.scratch / _EXPORTED


def read_sources(lock: Path, exported: Iterable[str]) -> LockSources:
    """Return the indexes of the packages in *lock*; the *exported* lines have their logins.

    Packages without a source in the lock file come from the usual index, which the returned lines
    name. Raises UnreadableToml.
    """
    lines = tuple(exported)
    urls = {_bare(url): url for url in map(index_url, lines) if url}
    sources: defaultdict[tuple[str, str], list[_PoetrySource]] = defaultdict(list)
    for package in toml.tables_at(toml.read(lock), "package"):
        url = _source_url(package)
        source = _PoetrySource(urls.get(_bare(url), url), frozenset(_hashes(package)))
        sources[_key(str(package.get("name")), str(package.get("version")))].append(source)

    def indexes_of(pin: Pin) -> tuple[str, ...]:
        return _indexes(pin, sources[_key(pin.name, pin.version)])

    usual = (line for line in lines if not line.startswith("--extra-index-url "))
    return LockSources(indexes_of, tuple(usual))


class _PoetrySource(NamedTuple):
    url: str
    hashes: frozenset[str]


def _indexes(pin: Pin, sources: list[_PoetrySource]) -> tuple[str, ...]:
    """Return the index of *pin*: its hashes choose among the *sources* of that release."""
    fitting = [
        source for source in sources if any(f"={value}" in pin.line for value in source.hashes)
    ]
    urls = (source.url for source in fitting or sources)
    return tuple(dict.fromkeys(filter(None, urls)))


def _key(name: str, version: str) -> tuple[str, str]:
    return canonicalize_name(name), normalized_version(version)


def _source_url(package: TomlTable) -> str:
    source = toml.table_at(package, "source")
    return str(source.get("url", "")) if source.get("type") == "legacy" else ""


def _hashes(package: TomlTable) -> Iterator[str]:
    yield from (str(file.get("hash", "")).lower() for file in toml.tables_at(package, "files"))


def _bare(url: str) -> str:
    return shown(url).rstrip("/") if url else ""


def primary_index(context: InstallContext) -> tuple[str, ...]:
    """Return an option with the app's first primary source, which replaces PyPI for Poetry.

    An export names it only if a package comes from there. Empty: it has none. Raises
    UnreadableToml.
    """
    for source in _source_tables(context):
        if source.get("url") and source.get("priority", "primary") in {"primary", "default"}:
            return (f"--index-url {_with_login(source, context)}",)
    return ()


def _further(context: InstallContext) -> Iterator[str]:
    """Yield the addresses of the sources that Poetry asks for what the primary one lacks."""
    for source in _source_tables(context):
        if source.get("url") and source.get("priority") in {"secondary", "supplemental"}:
            yield _with_login(source, context)


def _with_login(source: TomlTable, context: InstallContext) -> str:
    name, url = str(source.get("name", "")), str(source.get("url", ""))
    prefix = f"POETRY_HTTP_BASIC_{_in_variable(name)}"
    user, password = (
        context.environ.get(f"{prefix}_{key}", "") for key in ("USERNAME", "PASSWORD")
    )
    login = f"{quote(user, safe='')}:{quote(password, safe='')}@" if user else ""
    return url.replace("://", f"://{login}", 1)


def certificate_variables(context: InstallContext) -> dict[str, str]:
    """Return uv's variables for the certificates of all sources. Raises UnreadableToml."""
    certificates = tuple(_certificates(context))
    authorities = [cert for cert in certificates if cert.kind == "cert"]
    files = [context.app_dir / cert.path for cert in authorities if cert.path]
    clients = [context.app_dir / cert.path for cert in certificates if cert.kind == "client-cert"]
    unchecked = {cert.source for cert in authorities if not cert.path}
    variables = {}
    if files:
        bundle = context.scratch / "poetry.certificates.pem"
        bundle.write_text(bundle_with((), files, context.environ), encoding="utf-8")
        variables["SSL_CERT_FILE"] = str(bundle)
    if clients and not context.environ.get("SSL_CLIENT_CERT"):
        variables["SSL_CLIENT_CERT"] = str(clients[0])
    if hosts := [host for name, host in _hosts(context) if _in_variable(name) in unchecked]:
        variables["UV_INSECURE_HOST"] = " ".join(hosts)
    return variables


class _Certificate(NamedTuple):
    source: str
    """The name of the source, as variables have it."""
    kind: str
    """`cert` or `client-cert`."""
    path: str
    """Empty: the source is not checked."""


def _certificates(context: InstallContext) -> Iterator[_Certificate]:
    """Yield the certificates in variables, then those that only `poetry.toml` names."""
    in_variables = set()
    for name, value in sorted(context.environ.items()):
        if value and (match := _CERTIFICATE.fullmatch(name)):
            kind = match[2].lower().replace("_", "-")
            in_variables.add((match[1], kind))
            yield _Certificate(match[1], kind, "" if value.lower() == "false" else value)
    for name, entry in _certificate_settings(context.app_dir).items():
        table = entry if isinstance(entry, dict) else {}
        for kind in ("cert", "client-cert"):
            if kind in table and (_in_variable(name), kind) not in in_variables:
                path = table[kind]
                yield _Certificate(_in_variable(name), kind, path if isinstance(path, str) else "")


def _certificate_settings(directory: Path) -> TomlTable:
    file = directory / "poetry.toml"
    return toml.table_at(toml.read(file), "certificates") if file.is_file() else {}


def _hosts(context: InstallContext) -> Iterator[tuple[str, str]]:
    """Yield name and host of each source of the app."""
    for source in _source_tables(context):
        if host := parts_of(str(source.get("url", ""))).netloc.rpartition("@")[2]:
            yield str(source.get("name", "")), host


def _source_tables(context: InstallContext) -> Sequence[TomlTable]:
    tools = toml.table_at(toml.read(context.app_dir / PYPROJECT), "tool")
    return toml.tables_at(toml.table_at(tools, "poetry"), "source")


def _in_variable(name: str) -> str:
    return name.upper().replace("-", "_")
