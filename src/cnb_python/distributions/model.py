"""An installed distribution as a value: name, version, origin, and files with their digests."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple


class File(NamedTuple):
    """One file of an environment, bytecode included."""

    path: str
    """Below the environment, normalised, with slashes: `lib/python3.14/site-packages/six.py`."""
    digest: str
    """SHA-256 in hex of its content; for a symbolic link, of its target."""
    size: int
    is_program: bool = False
    """Its mode is 755, not 644."""
    target: str = ""
    """The target of a symbolic link; empty for a file."""


class LibraryNeed(NamedTuple):
    """A shared library that a distribution is linked with and does not contain."""

    library: str
    """Its file name: `libGL.so.1`."""
    versions: tuple[str, ...] = ()
    """What it has to define: `GLIBC_2.28`; the highest ones, sorted."""


class Material(NamedTuple):
    """A file or a commit that was downloaded for a distribution."""

    name: str
    """The file's name: `flask-3.1.1-py3-none-any.whl`; for a commit, that of its repository."""
    address: str
    """Where it was downloaded from, without login and query; empty: unknown."""
    digest: str
    """`sha256:...` or `gitCommit:...`, in hex; empty if no tool reported one."""
    builds: bool = False
    """Only the build of the distribution needed it; it is not in the image."""


@dataclass(frozen=True)
class Distribution:
    """An installed distribution: normalized, compiled, with a correct RECORD."""

    name: str
    """Normalized (PEP 503): `ruamel-yaml`."""
    version: str
    """Normalized (PEP 440)."""
    origin: str
    """The `origin` of the `Pin` it was installed for."""
    files: tuple[File, ...]
    """In the order of their paths."""
    reaches: tuple[str, ...] = ()
    """The directories of the environment where its native libraries look for others."""
    libpython: tuple[str, ...] = ()
    """The file names of Python's shared library that its native files are linked with, sorted.

    `libpython3.14.so.1.0`, or of another release line. Usually empty: an extension module finds
    Python's functions in the program that imports it.
    """
    library_needs: tuple[LibraryNeed, ...] | None = ()
    """The libraries that its native files need from outside, sorted; None: not recorded."""
    from_source: bool = False
    """It was built from source, which takes longer than a download."""
    is_cacheable: bool = True
    """False if it was installed from a directory, whose contents may change unnoticed.

    Such a distribution is reused only if no input has changed.
    """
    materials: tuple[Material, ...] = ()
    """What was downloaded for it, sorted; empty if that is not known."""

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex over every file's path, mode and content."""
        return digest_of(self.files)

    @cached_property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)


# A wheel's scripts and configuration files are smaller than this, its data files larger.
SMALL_BYTES = 64 * 1024
_OUTSIDE_PACKAGES = ("bin/", "share/", "etc/")


def is_small_part(file: File) -> bool:
    """Whether *file* is in the archive of small parts, which is enough to make layer `venv`.

    These are the `*.dist-info` and the small files that `venv` may contain copies of.
    """
    if file.path.startswith(_OUTSIDE_PACKAGES):
        return file.size <= SMALL_BYTES
    return ".dist-info/" in file.path


def digest_of(files: Iterable[File]) -> str:
    """Return a SHA-256 in hex over the path, mode and content of *files*, in their order."""
    digest = hashlib.sha256()
    for file in files:
        kind = "l" if file.target else "x" if file.is_program else "f"
        digest.update(f"{kind}\0{file.path}\0{file.digest}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def directories_of(paths: Iterable[str]) -> set[str]:
    """Return every directory above one of *paths*."""
    directories: set[str] = set()
    for path in paths:
        above = path.rpartition("/")[0]
        while above and above not in directories:
            directories.add(above)
            above = above.rpartition("/")[0]
    return directories
