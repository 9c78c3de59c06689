"""Finds mounts and processes that a test session has left on the machine."""

import os
import re
from pathlib import Path


def mounts_below(directory: Path) -> list[str]:
    """Return the mount points at or below *directory*."""
    points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if Path(point).is_relative_to(directory)]


def processes_of(directory: Path) -> list[str]:
    """Return other processes with *directory* in their command line or mounts."""
    processes = [path for path in Path("/proc").glob("[0-9]*") if int(path.name) != os.getpid()]
    return [f"{path.name}: {_command(path)}" for path in processes if _concerns(path, directory)]


def _concerns(process: Path, directory: Path) -> bool:
    # Mounts, not open files: sandboxes have the directory mounted, editors only have open files.
    files = (process / "cmdline", process / "mountinfo")
    # Not `pytest-22` of another session for `pytest-2`.
    named = re.compile(rf"{re.escape(str(directory))}(?![\w-])")
    return any(named.search(_text(path)) for path in files)


def _command(process: Path) -> str:
    return _text(process / "cmdline").replace("\0", " ")[:200]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
