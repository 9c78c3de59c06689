"""Imports and runs everything in an environment: `works.py FILE [COMMAND...]`.

Imports the modules of each distribution, loads its entry points, and starts `python -m COMMAND`.
The JSON in *FILE* is `{"imports": {distribution: {...}}, "commands": {...}}`. Each
distribution has a process of its own, forked before any import, so that one does not change the
next, and may crash.
"""

import importlib
import importlib.resources
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from functools import partial
from importlib import machinery, metadata
from pathlib import Path, PurePosixPath

PREFIX = Path(sys.prefix)
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
SUFFIXES = tuple(machinery.all_suffixes())
SECONDS = 300
SHOWN = 2000
# Differs between two runs of one environment: addresses in memory, and paths of shards.
ELSEWHERE = re.compile(r"0x[0-9a-f]{6,}|\bdeps-[a-z0-9-]+/tree\b")

type Facts = dict[str, object]


def main(report: str, commands: list[str]) -> None:
    """Write the facts to the file *report*."""
    installed = sorted(metadata.distributions(), key=lambda distribution: distribution.name)
    facts = {
        "imports": {
            distribution.name: _in_process(partial(check, distribution))
            for distribution in installed
        },
        "commands": {command: start(command) for command in commands},
    }
    Path(report).write_text(json.dumps(facts))


def check(distribution: metadata.Distribution) -> Facts:
    """Import the modules of a distribution and load its entry points; return each outcome."""
    modules = {name: outcome(partial(import_module, name)) for name in modules_of(distribution)}
    points = {f"{e.group}: {e.name}": outcome(partial(load, e)) for e in distribution.entry_points}
    return {"modules": modules, "entry points": points}


def modules_of(distribution: metadata.Distribution) -> list[str]:
    """Return its outermost modules; those in a namespace package: `google.cloud.storage`."""
    paths = {PurePosixPath(str(path)) for path in distribution.files or ()}
    sources = (path for path in paths if path.name.endswith(SUFFIXES))
    return sorted({name for path in sources if (name := _module(path, paths))})


def _module(path: PurePosixPath, paths: set[PurePosixPath]) -> str:
    """Return the outermost module of *path*; empty if it cannot be imported."""
    parts = [*path.parts[:-1], path.name.partition(".")[0]]
    if not all(part.isidentifier() for part in parts) or "__pycache__" in parts:
        return ""
    packages = (parts[:count] for count in range(1, len(parts)))
    regular = (package for package in packages if PurePosixPath(*package, "__init__.py") in paths)
    return ".".join(next(regular, parts))


def import_module(name: str) -> Facts:
    """Import a module; return its path, and the resources of a package."""
    module = importlib.import_module(name)
    paths = sorted(_seen(path) for path in getattr(module, "__path__", ()))
    facts: Facts = {"file": _seen(module.__file__), "path": paths}
    # A module that replaces itself (kombu) may have no specification, and then no resources.
    if module.__file__ and module.__spec__ and paths:
        resources = importlib.resources.files(module).iterdir()
        facts["resources"] = sorted(entry.name for entry in resources)
    return facts


def load(point: metadata.EntryPoint) -> Facts:
    """Load an entry point; return its type."""
    return {"kind": type(point.load()).__qualname__}


def start(command: str) -> Facts:
    """Start `python -m` *command*; return the beginning of its output, or its exit code."""
    argv = [sys.executable, "-m", *command.split()]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    try:
        ended = subprocess.run(argv, check=False, text=True, timeout=SECONDS, **streams)  # type: ignore[call-overload]  # as a dict, for the length of a line
    except subprocess.TimeoutExpired:
        return {"failed": f"ran longer than {SECONDS} s"}
    output = _plain(ended.stdout[:SHOWN])
    return (
        {"said": output} if ended.returncode == 0 else {"failed": f"{ended.returncode}: {output}"}
    )


def _seen(path: str | None) -> str:
    """Return *path* relative to the environment, or as it is outside of it."""
    below = path and Path(path).is_relative_to(PREFIX)
    return str(Path(path or "").relative_to(PREFIX)) if below else str(path)


def outcome(do: Callable[[], Facts]) -> Facts:
    """Return what *do* returns, or its exception."""
    try:
        return do()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - modules raise anything, SystemExit too
        return {"failed": _plain(f"{type(error).__name__}: {error}")[:SHOWN]}


def _plain(text: str) -> str:
    return ELSEWHERE.sub("...", text.replace(str(PREFIX), "..."))


def _in_process(do: Callable[[], Facts]) -> Facts:
    """Return what *do* returns in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _child(do, reading, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    facts: Facts = json.loads(answer) if answer else {"failed": f"the process ended with {code}"}
    return facts


def _child(do: Callable[[], Facts], reading: int, writing: int) -> None:
    """Write the result to the pipe and exit, even if threads are running."""
    os.close(reading)
    silent = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(silent, stream)
    signal.alarm(SECONDS)
    try:
        answer = json.dumps(do()).encode()
        with os.fdopen(writing, "wb", closefd=False) as pipe:
            pipe.write(answer)
        os._exit(0)
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
