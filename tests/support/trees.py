"""Copies of directory trees by hard links: cheap, and files can be replaced safely."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

type Files = Mapping[str, str | bytes | None]
"""Contents by relative path; None: an empty directory."""


class App(Protocol):
    """Makes an app of *files*, over a copy of the app *based_on* if that is given."""

    def __call__(self, files: Files, based_on: Path | None = None) -> Path: ...


def write_files(directory: Path, files: Files) -> Path:
    """Write *files* into *directory*, which need not exist; return it."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not through a hard link: the file belongs to the copied tree too.
        path.unlink(missing_ok=True)
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


def linked_copy(tree: Path, into: Path, changes: Files | None = None) -> Path:
    """Copy *tree* to the new directory *into* by hard links, then write *changes* over it."""
    shutil.copytree(tree, into, symlinks=True, copy_function=_link)
    return write_files(into, changes or {})


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:  # another file system
        shutil.copy2(source, target, follow_symlinks=False)


def deep(directory: Path, depth: int) -> Path:
    """Make *depth* directories called `a`, each in the one before; return the last."""
    for _ in range(depth + 1):
        directory.mkdir(exist_ok=True)
        directory /= "a"
    return directory.parent
