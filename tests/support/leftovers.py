"""Finds what a test session has left on the machine: mounts and processes."""

import os
from pathlib import Path


def mounts_below(directory: Path) -> list[str]:
    """Mount points at or below *directory* that this process sees."""
    points = [line.split(" ")[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    return [point for point in points if Path(point).is_relative_to(directory)]


def processes_of(directory: Path) -> list[str]:
    """Other processes that were started with *directory* or see it mounted, sandboxes included."""
    others = [path for path in Path("/proc").glob("[0-9]*") if int(path.name) != os.getpid()]
    return [f"{path.name}: {_command(path)}" for path in others if _concerns(path, directory)]


def _concerns(process: Path, directory: Path) -> bool:
    # A mount namespace of its own is how a sandbox is told from an editor that has a file open.
    known = (process / "cmdline", process / "mountinfo")
    return any(str(directory) in _text(path) for path in known)


def _command(process: Path) -> str:
    return _text(process / "cmdline").replace("\0", " ")[:200]


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="replace")
    except OSError:  # it has ended meanwhile
        return ""
