"""Lists and hashes the files of a distribution, and reads its native libraries.

Listing also cleans up: it sets the modes of an image and removes bytecode, the version control
directories of checkouts (they contain tokens), and everything that is neither file nor link.
"""

import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions import elf
from cnb_python.distributions.elf import NOT_ELF, Dynamic
from cnb_python.distributions.model import File

_ORIGIN = re.compile(r"\$(?:ORIGIN\b|\{ORIGIN\})")
CHECKOUTS = "src"
"""The directory, below the environment, of pip's checkouts for `-e git+https://...`."""
_CACHE = "__pycache__"
_VERSION_CONTROL = frozenset({".git", ".hg", ".svn", ".bzr"})
_LOCK = ".lock"
# Smaller files are read at once; larger ones in pieces, to limit memory.
_LARGE_BYTES = 1024 * 1024


DEEPEST = 200
"""Directories inside each other in an environment; code that follows them is recursive."""
_TOO_DEEP = f"it has more than {DEEPEST} directories inside each other"


class DirectoriesTooDeep(Exception):
    """A distribution has more than `DEEPEST` directories inside each other."""


class FileEntry(NamedTuple):
    """A file or symbolic link."""

    size: int
    is_program: bool = False
    target: str = ""
    """The target of a link; empty for a file."""


class Content(NamedTuple):
    """A file with its digest, and the dynamic section of a native library or program."""

    file: File
    dynamic: Dynamic


def walk(root: Path, line: str) -> dict[str, FileEntry]:
    """Return the files and links below *root* by path, after cleaning up; links are not followed.

    The virtual environment's own files are left out. *line*: the release line of its interpreter,
    `3.14`. Raises DirectoriesTooDeep, and OSError.
    """
    own = {"pyvenv.cfg", "lib64", "bin/python", "bin/python3", f"bin/python{line}"}
    return {path: entry for path, entry in _below(root) if path not in own}


def entry(path: Path) -> FileEntry:
    """Return the file or link at *path*, after setting its mode."""
    return _entry(path, path.lstat())


def _below(root: Path) -> Iterator[tuple[str, FileEntry]]:
    waiting = [""]
    while waiting:
        directory = waiting.pop()
        if directory.count("/") > DEEPEST:
            raise DirectoriesTooDeep(_TOO_DEEP)
        top = root / directory
        if stat.S_IMODE(top.stat().st_mode) != disk.DIRECTORY_MODE:
            top.chmod(disk.DIRECTORY_MODE)
        with os.scandir(top) as entries:
            # A list: the loop removes files.
            listed = list(entries)
        for each in listed:
            path = f"{directory}/{each.name}" if directory else each.name
            is_special = not (each.is_symlink() or each.is_dir() or each.is_file())
            if is_special or _is_removed(path, each.name):
                disk.remove(root / path)
            elif each.is_dir(follow_symlinks=False):
                waiting.append(path)
            else:
                yield path, _entry(root / path, each.stat(follow_symlinks=False))


def _is_removed(path: str, name: str) -> bool:
    in_checkout = path.startswith(f"{CHECKOUTS}/")
    return name == _CACHE or path == _LOCK or (in_checkout and name in _VERSION_CONTROL)


def _entry(path: Path, status: os.stat_result) -> FileEntry:
    if stat.S_ISLNK(status.st_mode):
        target = os.readlink(path)  # noqa: PTH115 - a Path would normalize the target
        return FileEntry(len(os.fsencode(target)), target=target)
    is_program = bool(status.st_mode & 0o111)
    mode = disk.PROGRAM_MODE if is_program else disk.FILE_MODE
    if stat.S_IMODE(status.st_mode) != mode:
        path.chmod(mode)
    return FileEntry(status.st_size, is_program)


def bytecode_of(root: Path, sources: Iterable[str]) -> dict[str, FileEntry]:
    """Return the bytecode files, by path below *root*, of those *sources* that have bytecode.

    All bytecode below *root* must be from the buildpack.
    """
    modules = {path.removesuffix(".py") for path in sources if path.endswith(".py")}
    files = {}
    for directory in {path.rpartition("/")[0] for path in modules}:
        cache = f"{directory}/{_CACHE}"
        if (root / cache).is_dir():
            with os.scandir(root / cache) as entries:
                for entry in entries:
                    stem = entry.name.removesuffix(".pyc").rpartition(".")[0]
                    if f"{directory}/{stem}" in modules:
                        files[f"{cache}/{entry.name}"] = FileEntry(entry.stat().st_size)
    return files


def has_files(root: Path, files: Iterable[File]) -> bool:
    """Whether all *files* are below *root*, with the modes and contents that they describe."""
    try:
        return all(_is_same(root, file) for file in files)
    except OSError:
        return False


def _is_same(root: Path, file: File) -> bool:
    path = root / file.path
    status = path.lstat()
    usual = {stat.S_IFREG | disk.FILE_MODE, stat.S_IFREG | disk.PROGRAM_MODE}
    # Reading anything else, such as a named pipe, might never end.
    if not stat.S_ISLNK(status.st_mode) and status.st_mode not in usual:
        return False
    return read(root, file.path, _entry(path, status))[0].file == file


def file_of(path: str, content: bytes) -> File:
    """Return the file at *path* with *content*."""
    return File(path, hashlib.sha256(content).hexdigest(), len(content))


def read(root: Path, path: str, entry: FileEntry) -> tuple[Content, bytes | None]:
    """Read the file or link *entry*, at *path* below *root*; return it with its content.

    The content is None if it is large or a link's. Raises OSError.
    """
    if entry.target:
        link = file_of(path, entry.target.encode(errors="surrogateescape"))
        return Content(link._replace(target=entry.target), NOT_ELF), None
    content = None
    if entry.size > _LARGE_BYTES:
        with (root / path).open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    else:
        content = _bytes(f"{root}/{path}", entry.size)
        sha256 = hashlib.sha256(content).hexdigest()
    is_read = elf.may_be_elf(path, is_program=entry.is_program)
    dynamic = elf.read(root / path) if is_read else NOT_ELF
    return Content(File(path, sha256, entry.size, entry.is_program), dynamic), content


def _bytes(path: str, size: int) -> bytes:
    """Return the content of a file, and one byte more than its *size* if it has grown."""
    # Not read_bytes(): thousands of calls, with three system calls more each.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        return os.read(descriptor, size + 1)
    finally:
        os.close(descriptor)


def reaches(libraries: Iterable[tuple[str, Sequence[str]]]) -> tuple[str, ...]:
    """Return the directories, below the environment and sorted, that *libraries* search.

    *libraries*: their paths below the environment, and their run paths. A directory may belong to
    the library's own distribution: others may have files there too, as the `nvidia-*` do.
    """
    directories = {
        _resolved(path, run_path)
        for path, paths in libraries
        for run_path in paths
        if _ORIGIN.match(run_path)
    }
    return tuple(sorted(directories - {""}))


def _resolved(path: str, run_path: str) -> str:
    """Return the directory that *run_path* of *path* names; empty outside the environment."""
    origin = f"./{posixpath.dirname(path)}"
    below = posixpath.normpath(_ORIGIN.sub(lambda _: origin, run_path, count=1))
    return "" if below in {".", ".."} or below.startswith("../") else below
