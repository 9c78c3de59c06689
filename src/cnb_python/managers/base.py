"""The interface of the package managers, and the values that they take and return."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.managers.tool import StartProgram, not_available
from cnb_python.system.interface import Fetch, Run


class Pin(NamedTuple):
    """One distribution at one exact version."""

    name: str
    """Normalized (PEP 503): `ruamel-yaml`."""
    version: str
    """Normalized (PEP 440): `5.2.19`."""
    origin: str
    """What the bytes depend on besides name and version, as a digest in hex.

    Over the allowed hashes, the archive, the commit. Never readable, since an address may hold a
    token. Equal pins are equal bytes, so a stored archive of one is an archive of the other.
    """
    line: str
    """What installs it and nothing else: a line of a requirements file, with hashes, or a
    `pylock.toml` of that one package, which begins with a comment."""
    is_cacheable: bool = True
    """False for a directory, whose contents can change while its path stays."""
    extras: tuple[str, ...] = ()
    by_itself: bool = False
    """It is certainly no wheel of an index, so it is installed in an environment of its own.

    Such are directories, checkouts, addresses, and releases for which the manager chose an sdist.
    """
    needs: tuple[str, ...] = ()
    """The names of the other pins that have to be in the environment if it is built."""
    files: tuple[str, ...] = ()
    """The names of the wheels that it may be; empty: unknown."""
    address: str = ""
    """Where its file is, as the manager resolved it; may hold a login. Empty: unknown."""


def digest(parts: Iterable[str]) -> str:
    """Return a SHA-256 in hex over *parts*."""
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()


def counted(count: int, how: str) -> str:
    """Return the number of packages in words: `9 pinned packages`."""
    return f"{count} {how} package{'' if count == 1 else 's'}"


class Resolution(NamedTuple):
    """Everything that belongs in the environment."""

    pins: tuple[Pin, ...]
    """In the order of their names."""
    from_files_alone: bool
    """Equal files of the app always give an equal resolution, without a manager."""
    by: str
    """The tool that resolved, and installs: `pip`, `uv`."""
    development: frozenset[str] = frozenset()
    """The names of the pins that only tests and development need; production has the others."""


class NeedsResolving(NamedTuple):
    """The app's files alone give no resolution: a manager has to resolve."""

    reason: str
    """For the log: `line 3 of requirements.txt asks for a range`."""
    fingerprint: str = ""
    """A SHA-256 in hex over everything that the resolution depends on; empty: unknown.

    With the fingerprint of the previous build, its resolution still holds. It covers no secrets,
    since the image records it.
    """
    log_line: str = ""
    """What the log shows, `Exporting poetry.lock with Poetry`; empty: `Resolving with` it and the
    reason."""


class Excepted(NamedTuple):
    """The packages of which a manager accepts releases of any age."""

    names: frozenset[str] = frozenset()
    """Normalized."""
    environ: Mapping[str, str] = MappingProxyType({})
    """The variables of a process that has no limit on upload times, and builds nothing."""


NONE_EXCEPTED = Excepted()


@dataclass(frozen=True, slots=True)
class InstallContext:
    """The directories, variables and interpreter that a manager works with."""

    app_dir: Path
    environment: Path
    """The virtual environment, at its final path; without any package manager inside."""
    tool: Path
    """The manager's own files, outside the environment; for pip the directory that holds `pip`."""
    cache: Path | None
    """What the manager may keep between builds."""
    scratch: Path
    """A temporary directory."""
    environ: Mapping[str, str]
    """The environment variables of its processes."""
    python: str
    """The release of the app's interpreter: `3.14.6`."""
    uv: Path
    """The program."""
    fetch: Fetch | None = None
    """Downloads a file; None: the manager must not download by itself."""
    processor: str = field(default_factory=lambda: os.uname().machine)
    """As environment markers have it: `x86_64`."""
    start_program: StartProgram = not_available
    """Returns another package manager's program, downloaded if necessary."""
    builds: bool = False
    """`install` may build from source, and puts its only pin into the environment."""
    top: Path | None = None
    """The top of the repository that the app is in; None: the app's directory."""
    no_index: bool = False
    """uv must ask no index."""
    excepted: Excepted = NONE_EXCEPTED
    """The packages to which a limit on upload times in `environ` does not apply."""
    notes: dict[str, str] = field(default_factory=dict)
    """What resolving leaves for installing, by any name. In memory: code of packages that runs in
    between cannot change it."""

    @property
    def uv_cache(self) -> Path:
        """The cache of uv, empty at first: the wheels that it fetches lie there, unpacked."""
        return self.scratch / "uv"

    @property
    def wheels(self) -> Path:
        """The directory of the wheels that pip fetches."""
        return self.scratch / "wheels"


class PinsRefused(Exception):
    """Fully pinned files cannot be installed as they are: the manager has to resolve."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AppLeftOut(Exception):
    """The app itself cannot be installed, and nothing needs it to be."""

    def __init__(self, warning: Message) -> None:
        super().__init__(warning.title)
        self.warning = warning


class PackageIndexes(NamedTuple):
    """Which indexes releases come from, for requests of the buildpack's own."""

    of: Callable[[Pin], tuple[tuple[str, ...], ...]]
    """Returns the addresses, with logins, of the indexes that a pin may come from, in groups.

    A group counts only if the ones before have no such package: they must not see its name.
    """
    network: Mapping[str, str]
    """Variables for certificates and proxies."""


class Manager(Protocol):
    """One way to install an app's dependencies."""

    @property
    def name(self) -> str:
        """What users call it: `pip`."""
        ...

    @property
    def deciding_file(self) -> str:
        """The file that users know it by: `requirements.txt`."""
        ...

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the files of *app* that make this its manager, the main one first.

        Empty: this is not its manager.
        """
        ...

    def with_development(self, app: App) -> tuple[Manager, tuple[str, ...]]:
        """Return this manager, set to install what tests and development of *app* need.

        And names of what that adds, such as `group dev`: none if the app names nothing for them.
        Raises what reading its files raises.
        """
        ...

    def check(self, app: App) -> tuple[Message, ...]:
        """Return warnings about *app*. Raises AppError for what cannot work."""
        ...

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return the resolution that the files of *app* alone give, without running a manager.

        *python* is the release of the app's interpreter, *environ* that of the processes.
        """
        ...

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Resolve as if nothing were installed; what this installs is not used.

        Raises the failure that the manager reports.
        """
        ...

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        """Fetch the wheels of *pins* into `context.uv_cache` or `context.wheels`; build nothing.

        Returns the names of the pins that have no wheel; if there are any, not all others need to
        be fetched. With `context.builds`: install the only pin into the environment, from source
        if necessary. Raises the failure that the manager reports, PinsRefused, and AppLeftOut.
        """
        ...

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        """Return the indexes that `install` takes the pins of *resolution* from.

        Raises what reading its files raises.
        """
        ...
