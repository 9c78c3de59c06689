"""Trees of files as text: what is at a path, and which names a directory has.

Three trees answer the same questions: files whose digests are known, the files of distributions
that need not be on disk, and the file system of the machine.

Separate from `read_record`, which decides what is asked.
"""

import hashlib
import os
import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from cnb_python.distributions.model import Distribution, File
from cnb_python.system import regular_file

# https://packaging.python.org/en/latest/specifications/recording-installed-packages/
_DIST_INFO = re.compile(r"(?P<name>[^/]+?)-[^/-]+\.dist-info(?=/|\Z)")
MISSING = "-"
DIRECTORY = "d"
_LINK = "l"
_MOST_LINKS = 8


class Tree(Protocol):
    """Files and directories below a root."""

    def entry(self, path: str) -> str:
        """Return what is at *path*, without following a link: its kind, then its contents."""
        ...

    def kind(self, path: str) -> str:
        """Return the kind of what is at *path*; for a link its target, and the kind of that."""
        ...

    def names(self, directory: str) -> Collection[str]:
        """Return the names in *directory*; none if it is something else."""
        ...


class FileTree:
    """Files below the directory *root*, by their entries.

    The first letter of an entry is the kind, as in `file_listing.Listing`. Directories above
    files need no entry.
    """

    def __init__(self, entries: Mapping[str, str], root: Path) -> None:
        self.root = root
        self._entries = entries
        self._names: dict[str, set[str]] = {"": set()}
        for path in entries:
            self._add(path)

    def _add(self, path: str) -> None:
        is_new = True
        while is_new:
            parent, _, name = path.rpartition("/")
            is_new = parent not in self._names
            self._names.setdefault(parent, set()).add(name)
            path = parent

    def entry(self, path: str) -> str:
        """Return what is at *path*."""
        entry = self._entries.get(path)
        if entry is None:
            return DIRECTORY if path in self._names else MISSING
        return entry

    def kind(self, path: str) -> str:
        """Return the kind of what is at *path*."""
        entry = self.entry(path)
        if not entry.startswith(_LINK):
            return entry[0]
        return f"{entry} {self._kind_behind(path, entry[1:])}"

    def names(self, directory: str) -> Collection[str]:
        """Return the names in *directory*."""
        return self._names.get(directory, ())

    def _kind_behind(self, path: str, target: str) -> str:
        for _ in range(_MOST_LINKS):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), target))
            if path.startswith(("/", "..")):
                return MachineTree().kind(str(self.root / path))
            entry = self.entry("" if path == "." else path)
            if not entry.startswith(_LINK):
                return entry[0]
            target = entry[1:]
        return MISSING


class MachineTree:
    """The file system of this machine, by absolute paths."""

    def entry(self, path: str) -> str:
        """Return what is at *path*."""
        try:
            return _entry_on_disk(path)
        except FileNotFoundError, NotADirectoryError:
            return MISSING
        except OSError as error:
            return f"!{error.errno}"

    def kind(self, path: str) -> str:
        """Return the kind of what is at *path*."""
        link, is_link = Path(path), Path(path).is_symlink()
        target = f"{_LINK}{os.readlink(link)} " if is_link else ""  # noqa: PTH115 - the target, unchanged
        if link.is_dir():
            return f"{target}{DIRECTORY}"
        return f"{target}{'f' if link.is_file() else MISSING}"

    def names(self, directory: str) -> Collection[str]:
        """Return the names in *directory*."""
        try:
            return os.listdir(directory)  # noqa: PTH208 - names, not paths
        except OSError:
            return ()


def _entry_on_disk(path: str) -> str:
    file = Path(path)
    if file.is_symlink():
        return f"{_LINK}{os.readlink(path)}"  # noqa: PTH115 - the target, unchanged
    if file.is_dir():
        return DIRECTORY
    if not file.is_file():
        return "?" if file.exists() else MISSING
    with regular_file.opened(file) as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    return f"{'x' if file.stat().st_mode & 0o111 else 'f'}{digest}"


def installed_tree(distributions: Sequence[Distribution]) -> FileTree:
    """Return the files of *distributions* below the virtual environment.

    A path of several distributions has all their entries: which of them is in the environment
    depends on nothing else. The metadata directory of a distribution exists twice: by its name,
    and without the version.
    """
    entries: dict[str, str] = {}
    for distribution in distributions:
        for file in distribution.files:
            entry = f"{_kind(file)}{file.digest}"
            for path in {file.path, without_version(file.path)}:
                other = entries.get(path)
                entries[path] = entry if other is None else f"{other} {distribution.name} {entry}"
    return FileTree(entries, Path("/"))


def without_version(path: str) -> str:
    """Return *path* with the name of a distribution's metadata directory without the version.

    >>> without_version("lib/six-1.17.0.dist-info/RECORD")
    'lib/six.dist-info/RECORD'
    """
    return _DIST_INFO.sub(r"\g<name>.dist-info", path) if ".dist-info" in path else path


def _kind(file: File) -> str:
    if file.target:
        return _LINK
    return "x" if file.is_program else "f"
