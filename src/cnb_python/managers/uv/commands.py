"""uv's part: installs what is decided, and decides where the user wants it to."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.install import UvRefused
from cnb_python.managers import build_errors, index_config
from cnb_python.managers.base import InstallContext, Pin
from cnb_python.managers.index_config import NO_NETWORK, Network, clean_variables
from cnb_python.managers.uv import errors as uv_errors
from cnb_python.system.interface import Command, Outcome

NAME = "uv"
_SAYS = re.compile(r"^\s*(?:error:|\u00d7)")
_DRAWING = re.compile(r"^\s*(?:error:|\u00d7|╰─▶|├─▶|│)?\s*")
_LAST_WORDS = 12
_IN_A_SENTENCE = 3


def install_exactly(pins: Sequence[Pin], network: Network, place: InstallContext) -> Command:
    """Return the command that installs *pins* and nothing else, as pip would have.

    Writes the lines to a file in the scratch directory.
    """
    requirements = place.scratch / "exact.txt"
    lines = [pin.line for pin in pins]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    # Where one has a hash all have: the whole file was read so.
    hashes = ("--require-hashes",) if any("--hash=" in line for line in lines) else ()
    return Command(
        (
            *_uv(place, "install", "--no-config"),
            *("--no-deps", "--link-mode", "hardlink", "--system-certs", *hashes),
            # An sdist's own table of uv's is not for those who use pip.
            *("--no-sources", "--requirements", str(requirements)),
        ),
        clean_variables(place.environ, network),
        # Not the app's directory: uv looks for settings there and above.
        place.scratch,
        shown=f"uv pip install ({len(pins)} exact)",
    )


def compile_all(requirements: Sequence[str], lock: Path, place: InstallContext) -> Command:
    """Return the command that decides what files of *requirements* mean together, into *lock*.

    For those who chose uv: its own settings count, the app's, the user's and the variables'.
    """
    return Command(
        (
            *_uv(place, "compile", "--quiet", "--format", "pylock.toml", "--no-header"),
            *("--generate-hashes", "--system-certs", "--output-file", str(lock)),
            *requirements,
        ),
        place.environ,
        place.app_dir,
        shown=f"uv pip compile {' '.join(requirements)}",
    )


def install_compiled(
    pins: Sequence[Pin], finding: Sequence[str], place: InstallContext
) -> Command:
    """Return the command that installs what `compile_all` decided, found as *finding* says."""
    requirements = place.scratch / "decided.txt"
    lines = [*finding, *(pin.line for pin in pins)]
    requirements.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Command(
        (
            *_uv(place, "install", "--no-deps", "--link-mode", "hardlink", "--system-certs"),
            *("--requirements", str(requirements)),
        ),
        place.environ,
        place.app_dir,
        shown=f"uv pip install ({len(pins)} decided)",
    )


class UvSources(NamedTuple):
    """Where uv looks for what a lock names."""

    is_own: bool = True
    """uv's own settings count: the app's, the user's and the variables'. Else only what follows.
    """
    variables: Mapping[str, str] = MappingProxyType({})
    """Indexes and the way to them. Not arguments, which every process of the machine can see."""
    lines: tuple[str, ...] = ()
    """What the lines of a requirements file say of them."""
    strategy: str = "unsafe-best-match"
    """Which of the indexes: with hashes it does not matter which of them has a file."""


OWN = UvSources()
# The first that knows the name, whatever it has.
FIRST_INDEX = "first-index"
# What they choose is ours to choose, or would have no effect but an error.
_OURS = frozenset(
    {
        *("UV_ACTIVE", "UV_CACHE_DIR", "UV_COMPILE_BYTECODE", "UV_FROZEN", "UV_ISOLATED"),
        *("UV_LINK_MODE", "UV_LOCKED", "UV_NO_DEV", "UV_NO_SYNC", "UV_PROJECT", "UV_PYTHON"),
        *("UV_PROJECT_ENVIRONMENT", "UV_REQUIRE_HASHES", "UV_SYSTEM_PYTHON", "UV_WORKING_DIR"),
        *("UV_DEV", "UV_NO_VERIFY_HASHES", "UV_VENV_CLEAR", "UV_WORKING_DIRECTORY"),
    }
)


def own_place(place: InstallContext, *, as_pip: bool = False) -> InstallContext:
    """Return *place* for commands with which uv's own settings count.

    *as_pip*: those of pip too, where uv has none.
    """
    environ = index_config.with_pip_indexes(place.environ) if as_pip else place.environ
    kept = {name: value for name, value in environ.items() if name not in _OURS}
    # By variables, which an older uv that the app asks for passes over.
    fixed = {"UV_SYSTEM_CERTS": "1", "UV_NATIVE_TLS": "1", "UV_PREVIEW_FEATURES": "pylock"}
    return replace(place, environ={**kept, **fixed})


def install_locked(file: Path, count: int, place: InstallContext, sources: UvSources) -> Command:
    """Return the command that installs the *count* packages of *file*, and nothing else.

    *file*: a `pylock.*.toml` or a requirements file, all of whose markers apply.
    """
    clean = ("--no-config", "--no-sources", "--index-strategy", sources.strategy)
    own = () if sources.is_own else clean
    cleaned = replace(place, environ=clean_variables(place.environ, NO_NETWORK))
    environ = own_place(place if sources.is_own else cleaned).environ
    return Command(
        (
            *_uv(place, "install", "--no-deps", "--link-mode", "hardlink", *own),
            *("--requirements", str(file)),
        ),
        {**environ, **sources.variables},
        place.app_dir if sources.is_own else place.scratch,
        shown=f"uv pip install ({count} locked)",
    )


def pips_own_choice(place: InstallContext, network: Network, processor: str) -> str:
    """Return in a sentence what pip may prefer to the wheels that uv has just taken, or nothing.

    Of a release with wheels for `manylinux` and for `linux` itself pip takes the latter, since the
    order of packaging.tags has changed, uv the former. The usual index has none for `linux`. What
    others have is in uv's cache of their pages.
    """
    if not network.index_url:
        return ""
    suffix = f"-linux_{processor}.whl".encode()
    pages = _cache(place).glob("simple-*/**/*.rkyv")
    if any(suffix in page.read_bytes() for page in pages):
        return f"the index has wheels for linux_{processor}, which pip prefers"
    return ""


def _uv(place: InstallContext, action: str, *more: str) -> tuple[str, ...]:
    return (str(place.uv), "pip", action, *more, *options(place))


def options(place: InstallContext) -> tuple[str, ...]:
    """Return what every command of uv's is told about the environment and its own work."""
    return (
        *("--no-progress", "--color", "never", "--no-python-downloads"),
        *("--python", str(place.environment / "bin/python")),
        *("--cache-dir", str(_cache(place))),
    )


def _cache(place: InstallContext) -> Path:
    return (place.cache or place.scratch) / "uv"


def last_words(output: str) -> tuple[str, ...]:
    """Return what uv gives as its reasons, from the first line of them, without its drawings."""
    lines = [line for line in output.splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if _SAYS.match(line)), -_LAST_WORDS)
    words = (_DRAWING.sub("", line).rstrip() for line in lines[first:])
    return tuple(filter(None, words))[:_LAST_WORDS]


def refusal(outcome: Outcome) -> str:
    """Return in one sentence why uv did not do it. Raises what the machine refused."""
    if trouble := build_errors.machine_failure(outcome.code, outcome.output, NAME):
        raise trouble
    said = " ".join(last_words(outcome.output)[:_IN_A_SENTENCE])
    return f"uv says: {said or f'exit code {outcome.code}'}"


def explain(command: Command, outcome: Outcome, place: InstallContext) -> BuildpackError:
    """Say why uv failed, in its own words where no reason is recognised."""
    # Paths as the app's author knows them.
    output = outcome.output.replace(f"{place.app_dir}/", "")
    return (
        build_errors.machine_failure(outcome.code, output, NAME)
        or uv_errors.recognise(output, place.python)
        or UvRefused(command.shown, outcome.code, last_words(output))
    )
