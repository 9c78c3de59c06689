"""uv's commands: it installs what managers have resolved, and resolves for users who choose it.

A package that a lock assigns to one index is installed from that index only.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.network import IndexRefused, NamesIndexes, SourceRefused
from cnb_python.errors.packages.install import UvRefused
from cnb_python.managers import alternatives, build_errors
from cnb_python.managers.base import InstallContext, Pin, counted
from cnb_python.managers.index_config import (
    NO_NETWORK,
    Network,
    asks_no_index,
    clean_variables,
    with_pip_indexes,
)
from cnb_python.managers.pylock_file import LOCK, packages_of
from cnb_python.managers.uv import errors as uv_errors
from cnb_python.system.interface import Command, Outcome, Run

NAME = "uv"
FIRST_INDEX = "first-index"
"""The strategy that takes a package from the first index with its name, whatever that has."""
# Variables that the build sets itself, or that would only make uv fail.
_RESERVED = frozenset(
    {
        *("UV_ACTIVE", "UV_CACHE_DIR", "UV_COMPILE_BYTECODE", "UV_FROZEN", "UV_ISOLATED"),
        *("UV_LINK_MODE", "UV_LOCKED", "UV_NO_DEV", "UV_NO_SYNC", "UV_PROJECT", "UV_PYTHON"),
        *("UV_PROJECT_ENVIRONMENT", "UV_REQUIRE_HASHES", "UV_SYSTEM_PYTHON", "UV_WORKING_DIR"),
        *("UV_DEV", "UV_NO_VERIFY_HASHES", "UV_VENV_CLEAR", "UV_WORKING_DIRECTORY"),
    }
)
_FIRST_REASON = re.compile(r"^\s*(?:error:|\u00d7)")
# In the words of the resolver, of installing a lock, and of building.
_NOT_BUILT = re.compile(
    r"Wheels are required for `([\w.-]+)` because building from source is disabled"
    r"|Package `([\w.-]+)` can't be installed because it is marked as `--no-build`"
    r"|Building source distributions for `([\w.-]+)` is disabled"
    # The only file with an allowed hash may be an sdist, which is tried then, by itself.
    r"|Hash mismatch for `([\w.-]+)[=`]"
)
# uv's option `--no-build` does not count for packages that its setting `no-binary` names.
_BUILT = re.compile(r"^ +Building ([\w.-]+)", re.MULTILINE)
_DRAWING = re.compile(r"^\s*(?:error:|\u00d7|╰─▶|├─▶|│)?\s*")
_LAST_LINES = 12
_IN_A_SENTENCE = 3
_PROXY_STATUS = 407
_BEST_MATCH = "unsafe-best-match"


class UvSources(NamedTuple):
    """Where uv looks for what a lock names."""

    is_own: bool = True
    """uv's own settings count: the app's, the user's and the variables'. Else only what follows.
    """
    variables: Mapping[str, str] = MappingProxyType({})
    """Indexes and how to reach them. Not arguments, which every process of the machine can see."""
    strategy: str = _BEST_MATCH
    """How uv chooses an index: with hashes it does not matter which of them has a file."""


OWN = UvSources()


def install_exactly(pins: Sequence[Pin], network: Network, context: InstallContext) -> Command:
    """Return the command that installs *pins* and nothing else, as pip would have.

    Writes the lines to a file in the scratch directory.
    """
    requirements = context.scratch / "exact.txt"
    lines = [pin.line for pin in pins]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    # If one has a hash, all have: the whole file was read so.
    hashes = ("--require-hashes",) if any("--hash=" in line for line in lines) else ()
    return Command(
        (
            *_uv(context, "install", "--no-config"),
            *("--no-deps", "--link-mode", "hardlink", "--system-certs", *hashes),
            *_building(context),
            # The table [tool.uv] of an sdist is not for users of pip.
            *("--no-sources", "--requirements", str(requirements)),
        ),
        clean_variables(context.environ, network),
        # Not the app's directory: uv looks for settings there and above.
        context.scratch,
        shown="uv pip install",
        note=counted(len(pins), "pinned"),
    )


def compile_all(requirements: Sequence[str], lock: Path, context: InstallContext) -> Command:
    """Return the command that resolves *requirements* files together, into *lock*.

    For users who choose uv: its own settings count, the app's, the user's and the variables'.
    """
    return Command(
        (
            *_uv(context, "compile", "--quiet", "--format", "pylock.toml", "--no-header"),
            *("--generate-hashes", "--system-certs", "--output-file", str(lock)),
            *requirements,
        ),
        context.environ,
        context.app_dir,
        shown=f"uv pip compile {' '.join(requirements)}",
    )


def install_compiled(
    pins: Sequence[Pin], finding: Sequence[str], context: InstallContext
) -> Command:
    """Return the command that installs what `compile_all` resolved; *finding* says where to look.

    Writes the lines to a file in the scratch directory.
    """
    requirements = context.scratch / "resolved.txt"
    lines = [*finding, *(pin.line for pin in pins)]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Command(
        (
            *_uv(context, "install", "--no-deps", "--link-mode", "hardlink", "--system-certs"),
            *(*_building(context), "--requirements", str(requirements)),
        ),
        context.environ,
        context.app_dir,
        shown="uv pip install",
        note=counted(len(pins), "resolved"),
    )


def install_locked(file: Path, count: int, context: InstallContext, sources: UvSources) -> Command:
    """Return the command that installs the *count* packages of *file*, and nothing else.

    *file*: a `pylock.*.toml` or a requirements file, all of whose markers apply.
    """
    clean = ("--no-config", "--no-sources", "--index-strategy", sources.strategy)
    own = () if sources.is_own else clean
    cleaned = replace(context, environ=clean_variables(context.environ, NO_NETWORK))
    environ = own_context(context if sources.is_own else cleaned).environ
    return Command(
        (
            *_uv(context, "install", "--no-deps", "--link-mode", "hardlink", *own),
            *(*_building(context), "--requirements", str(file)),
        ),
        {**environ, **sources.variables},
        context.app_dir if sources.is_own else context.scratch,
        shown="uv pip install",
        note=counted(count, "locked"),
    )


def own_context(context: InstallContext, *, as_pip: bool = False) -> InstallContext:
    """Return *context* for commands with which uv's own settings count.

    *as_pip*: pip's settings of indexes count too, where uv has none. Raises UnreadablePipConfig.
    """
    context = with_indexes(context, context.app_dir) if as_pip else context
    kept = {name: value for name, value in context.environ.items() if name not in _RESERVED}
    # As variables, which an older uv that the app asks for ignores if it does not know them.
    fixed = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", "UV_PREVIEW_FEATURES": "pylock"}
    return replace(context, environ={**kept, **fixed})


def with_indexes(
    context: InstallContext, app_dir: Path | None, finding: Iterable[str] = ()
) -> InstallContext:
    """Return *context* for a uv that asks the indexes of pip's settings, where it has none itself.

    *app_dir*: where uv reads its configuration files; None: it reads none. *finding*: the options
    of the app's files. Raises UnreadablePipConfig.
    """
    environ = with_pip_indexes(context.environ, app_dir, finding)
    return replace(context, environ=environ, no_index=asks_no_index(context.environ, app_dir))


def options(context: InstallContext) -> tuple[str, ...]:
    """Return the options of every uv command: the environment, the cache, plain output."""
    return (
        *("--no-progress", "--color", "never", "--no-python-downloads"),
        *("--python", str(context.environment / "bin/python")),
        *("--cache-dir", str(context.uv_cache)),
        *(("--no-index",) if context.no_index else ()),
        *without_limit(context),
    )


def without_limit(context: InstallContext) -> tuple[str, ...]:
    """Return the options for packages that may have any age; uv has no variable for this.

    They need uv 0.9.17. An older release, which the app may require, rejects them.
    """
    names = sorted(context.excepted.names)
    return tuple(word for name in names for word in ("--exclude-newer-package", f"{name}=false"))


def _uv(context: InstallContext, action: str, *more: str) -> tuple[str, ...]:
    return (str(context.uv), "pip", action, *more, *options(context))


def _building(context: InstallContext) -> tuple[str, ...]:
    return () if context.builds else ("--no-build",)


def preferred_by_pip(context: InstallContext, network: Network, processor: str) -> str:
    """Return in a sentence what pip may prefer to the wheels that uv has installed, else empty.

    Of a release with wheels for `manylinux` and for `linux` itself pip takes the latter, since the
    order of packaging.tags changed, and uv the former. PyPI has none for `linux`. What other
    indexes have is in uv's cache of their pages.
    """
    if not network.index_url:
        return ""
    suffix = f"-linux_{processor}.whl".encode()
    pages = context.uv_cache.glob("simple-*/**/*.rkyv")
    if any(suffix in page.read_bytes() for page in pages):
        return f"the index has wheels for linux_{processor}, which pip prefers"
    return ""


def last_words(output: str) -> tuple[str, ...]:
    """Return the lines in which uv gives its reasons, without its drawings."""
    lines = [line for line in output.splitlines() if line.strip()]
    numbers = (number for number, line in enumerate(lines) if _FIRST_REASON.match(line))
    reasons = (_DRAWING.sub("", line).rstrip() for line in lines[next(numbers, -_LAST_LINES) :])
    return tuple(filter(None, reasons))[:_LAST_LINES]


def refusal(outcome: Outcome) -> str:
    """Return in one sentence why uv failed. Raises DiskFull or Killed."""
    if failure := build_errors.machine_failure(outcome.code, outcome.output, NAME):
        raise failure
    reasons = " ".join(last_words(outcome.output)[:_IN_A_SENTENCE])
    return f"uv says: {reasons or f'exit code {outcome.code}'}"


def explain(
    command: Command,
    outcome: Outcome,
    context: InstallContext,
    run: Run,
    finding: Callable[[], Sequence[str]] = tuple,
) -> BuildpackError:
    """Return the failure of uv's *command*; UvRefused with uv's words if it is not recognized.

    uv runs again for versions that fit; *finding* returns the files' options on where to look.
    """
    # Paths as the app's author knows them.
    output = outcome.output.replace(f"{context.app_dir}/", "")
    failure = (
        build_errors.machine_failure(outcome.code, output, NAME)
        or uv_errors.not_an_archive(outcome.output)
        or uv_errors.recognize(output, context.python)
        or UvRefused(command.shown, outcome.code, last_words(output))
    )

    def source() -> alternatives.Source:
        settings = tuple(option for option in ("--no-config",) if option in command.argv)
        environ = {"UV_INDEX_STRATEGY": _BEST_MATCH, **command.env}
        return alternatives.Source(
            environ, command.cwd, (*settings, *options(context)), tuple(finding())
        )

    return alternatives.improve(failure, output, context, source, run)


def alternative_for_pip(
    failure: BuildpackError,
    output: str,
    finding: Callable[[], Sequence[str]],
    context: InstallContext,
    run: Run,
) -> BuildpackError:
    """Return pip's *failure* with the versions that fit, which uv finds with pip's indexes."""

    def source() -> alternatives.Source:
        # pip ignores uv's variables, and other indexes must not see the names of packages.
        of_pip = {k: v for k, v in context.environ.items() if not k.startswith("UV_")}
        lines = tuple(finding())
        of_uv = with_indexes(replace(context, environ=of_pip), None, lines)
        own = own_context(of_uv)
        environ = {"UV_INDEX_STRATEGY": _BEST_MATCH, **own.environ}
        return alternatives.Source(environ, context.scratch, ("--no-config", *options(own)), lines)

    return alternatives.improve(failure, output, context, source, run)


type IndexesOf = Callable[[Pin], tuple[str, ...]]
"""Returns the addresses, with logins, of the indexes that a package may come from.

Empty: those that the user has set up.
"""


class IndexedLock(NamedTuple):
    """A lock that names an index for each package."""

    manager: NamesIndexes
    indexes_of: IndexesOf


def install_from_indexes(
    pins: Sequence[Pin],
    lock: IndexedLock,
    context: InstallContext,
    run: Run,
    sources: UvSources,
) -> frozenset[str]:
    """Install *pins*, each from its index in *lock*, and what builds them from *sources*.

    Returns the names of those to be built, see `Manager`. uv passes over an index without a
    package of that name. Raises the failure that uv reports, and SourceRefused.
    """
    unbuilt: frozenset[str] = frozenset()
    by_indexes: defaultdict[tuple[str, ...], list[Pin]] = defaultdict(list)
    for pin in pins:
        by_indexes[lock.indexes_of(pin)].append(pin)
    for addresses, group in sorted(by_indexes.items()):
        try:
            unbuilt |= install(group, context, run, _preferring(addresses, sources))
        except IndexRefused as refused:
            if addresses and refused.status != _PROXY_STATUS:
                raise SourceRefused(lock.manager, refused.url, refused.status) from refused
            raise
    return unbuilt


def _preferring(addresses: tuple[str, ...], sources: UvSources) -> UvSources:
    if not addresses:
        return sources
    further = sources.variables.get("UV_INDEX", "")
    indexes = " ".join(filter(None, (*addresses, further)))
    variables = {**sources.variables, "UV_INDEX": indexes}
    return sources._replace(variables=variables, strategy=FIRST_INDEX)


def install(
    pins: Sequence[Pin], context: InstallContext, run: Run, sources: UvSources
) -> frozenset[str]:
    """Install *pins* from *sources*; return the names of those to be built, see `Manager`.

    Raises the failure that uv reports.
    """
    locks = [pin for pin in pins if pin.line.startswith(LOCK)]
    lines = [pin for pin in pins if not pin.line.startswith(LOCK)]

    def lock_command(chosen: Sequence[Pin]) -> Command:
        lock = context.scratch / "pylock.resolved.toml"
        packages = [package for pin in chosen for package in packages_of(pin.line, lock)]
        toml.write(lock, {"lock-version": "1.0", "created-by": "cnb-python", "packages": packages})
        return install_locked(lock, len(packages), context, sources)

    def lines_command(chosen: Sequence[Pin]) -> Command:
        file = context.scratch / "locked.txt"
        file.write_text("\n".join(pin.line for pin in chosen) + "\n", encoding="utf-8")
        return install_locked(file, len(chosen), context, sources)

    unbuilt = install_with(locks, lock_command, context, run)
    return unbuilt | install_with(lines, lines_command, context, run)


def install_with(
    pins: Sequence[Pin],
    command_for: Callable[[Sequence[Pin]], Command],
    context: InstallContext,
    run: Run,
    finding: Callable[[], Sequence[str]] = tuple,
) -> frozenset[str]:
    """Run the command that installs *pins*; return the names of those to be built, see `Manager`.

    *finding*: as for `explain`. Raises the failure that uv reports.
    """
    waiting, unbuilt = list(pins), set[str]()
    while waiting:
        command = command_for(waiting)
        if unbuilt:
            # Only to find the others without a wheel.
            command = replace(command, argv=(*command.argv, "--dry-run"), shown="")
        outcome = run(command)
        refused = frozenset() if context.builds else without_wheel(waiting, outcome)
        if outcome.code and not refused:
            raise explain(command, outcome, context, run, finding)
        unbuilt |= refused
        waiting = [pin for pin in waiting if pin.name not in unbuilt]
        if not refused:
            break
    return frozenset(unbuilt)


def without_wheel(pins: Sequence[Pin], outcome: Outcome) -> frozenset[str]:
    """Return the names of *pins* that uv refused to build, or built since its settings say so."""
    pattern = _NOT_BUILT if outcome.code else _BUILT
    matches = pattern.finditer(outcome.output)
    names = {canonicalize_name(name) for match in matches for name in match.groups() if name}
    return frozenset(pin.name for pin in pins if pin.name in names)
