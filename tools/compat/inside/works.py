"""Says what works in an environment: `works.py FILE [COMMAND...]`.

Imports the modules of each distribution, loads its entry points, and starts `python -m COMMAND`.
The JSON in *FILE* is `{"imports": {distribution: {...}}, "commands": {...}}`. A distribution has a
process of its own, forked before anything was imported: none sees what another left, and one may
crash.
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
# What differs between two runs of one environment: where an object lies in memory, and where the
# files of a share really are.
ELSEWHERE = re.compile(r"0x[0-9a-f]{6,}|\bdeps-[a-z0-9-]+/tree\b")

type Found = dict[str, object]


def main(report: str, commands: list[str]) -> None:
    """Write what works to the file *report*."""
    found = sorted(metadata.distributions(), key=lambda one: one.name)
    facts = {
        "imports": {one.name: _apart(partial(tried, one)) for one in found},
        "commands": {command: started(command) for command in commands},
    }
    Path(report).write_text(json.dumps(facts))


def tried(found: metadata.Distribution) -> Found:
    """Import the modules of a distribution, then load its entry points; which did, and how not."""
    modules = {name: outcome(partial(imported, name)) for name in owned(found)}
    points = {f"{e.group}: {e.name}": outcome(partial(loaded, e)) for e in found.entry_points}
    return {"modules": modules, "entry points": points}


def owned(found: metadata.Distribution) -> list[str]:
    """Its outermost modules: of a namespace package those below, `google.cloud.storage`."""
    paths = {PurePosixPath(str(path)) for path in found.files or ()}
    sources = (path for path in paths if path.name.endswith(SUFFIXES))
    return sorted({name for path in sources if (name := _module(path, paths))})


def _module(path: PurePosixPath, paths: set[PurePosixPath]) -> str:
    """The outermost module that *path* belongs to; empty: it is not there to be imported."""
    parts = [*path.parts[:-1], path.name.partition(".")[0]]
    if not all(part.isidentifier() for part in parts) or "__pycache__" in parts:
        return ""
    packages = (parts[:count] for count in range(1, len(parts)))
    regular = (one for one in packages if PurePosixPath(*one, "__init__.py") in paths)
    return ".".join(next(regular, parts))


def imported(name: str) -> Found:
    """Import a module; where it is seen, and what of a package is found without importing more."""
    module = importlib.import_module(name)
    paths = sorted(_seen(path) for path in getattr(module, "__path__", ()))
    facts: Found = {"file": _seen(module.__file__), "path": paths}
    # A module that replaces itself (kombu) may have no specification, and then no resources.
    if module.__file__ and module.__spec__ and paths:
        resources = importlib.resources.files(module).iterdir()
        facts["resources"] = sorted(entry.name for entry in resources)
    return facts


def loaded(point: metadata.EntryPoint) -> Found:
    """Load an entry point; what kind of thing it is."""
    return {"kind": type(point.load()).__qualname__}


def started(command: str) -> Found:
    """Start `python -m` *command*; its exit code and the beginning of what it says."""
    argv = [sys.executable, "-m", *command.split()]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL}
    try:
        ended = subprocess.run(argv, check=False, text=True, timeout=SECONDS, **streams)  # type: ignore[call-overload]  # as a dict, for the length of a line
    except subprocess.TimeoutExpired:
        return {"failed": f"ran longer than {SECONDS} s"}
    said = _plain(ended.stdout[:SHOWN])
    return {"said": said} if ended.returncode == 0 else {"failed": f"{ended.returncode}: {said}"}


def _seen(path: str | None) -> str:
    """*path* below the environment, or as it is."""
    below = path and Path(path).is_relative_to(PREFIX)
    return str(Path(path or "").relative_to(PREFIX)) if below else str(path)


def outcome(do: Callable[[], Found]) -> Found:
    """What *do* returns, or how it failed."""
    try:
        return do()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - strangers' modules raise anything, SystemExit too
        return {"failed": _plain(f"{type(error).__name__}: {error}")[:SHOWN]}


def _plain(text: str) -> str:
    return ELSEWHERE.sub("...", text.replace(str(PREFIX), "..."))


def _apart(do: Callable[[], Found]) -> Found:
    """What *do* returns, in a process of its own."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _child(do, reading, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found: Found = json.loads(said) if said else {"failed": f"the process ended with {code}"}
    return found


def _child(do: Callable[[], Found], reading: int, writing: int) -> None:
    """Answer through the pipe and end, whatever threads there are by then."""
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
