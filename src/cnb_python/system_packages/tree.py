"""The files of packages, below the directory of a layer.

Links are written at the end, and never before the files below them: no file is written through a
link. Owners, times and modes other than "program or not" are not kept.
"""

import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from tarfile import TarInfo
from typing import Never

from cnb_python.cnb import disk
from cnb_python.errors.downloads import UnsafeArchive
from cnb_python.system_packages.deb import Deb

# As dpkg in the slim images of Debian; licenses stay.
_LEFT_OUT = (
    *("usr/share/doc/", "usr/share/info/", "usr/share/lintian/", "usr/share/locale/"),
    *("usr/share/man/", "usr/share/groff/", "usr/share/gtk-doc/", "usr/share/linda/"),
    *("usr/share/bash-completion/", "usr/share/bug/", "usr/share/doc-base/"),
)
_LICENCE = "copyright"
_TOPS = ("usr/", "etc/", "opt/", "var/lib/")
# In all releases with apt that are supported, these are links to directories in /usr.
_MERGED = {name: f"usr/{name}" for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32")}
_LARGEST = 8 << 30
_DEEPEST = 100
_MOST_LINKS = 40
_SET_ID = 0o6000
_OUTSIDE = "leads outside the layer"
_SPECIAL = "is a device or a pipe"
_TOO_LARGE = "the files of the packages are larger than 8 GB"


class SetIdProgram(Exception):
    """A program of a package runs as another user."""


@dataclass(slots=True)
class PackageTree:
    """The files of some packages in the directory of a layer."""

    root: Path
    beside: PackageTree | None = None
    """Another tree, to whose files links of this one may lead."""
    system: Path | None = None
    """The root of a file system, to whose files links of this tree may lead as well."""
    files: set[str] = field(default_factory=set)
    """Paths relative to the root."""
    directories: set[str] = field(default_factory=lambda: {""})
    links: dict[str, str] = field(default_factory=dict)
    """Target, relative to the root as well, by path of each link."""
    _size: int = 0

    def add(self, deb: Deb) -> None:
        """Write the files of the package *deb*.

        Raises SetIdProgram without a trace of it, UnsafeArchive, DamagedArchive and OSError.
        """
        written: list[str] = []
        links: dict[str, str] = {}
        for member, read in deb.members():
            path = self._path_in(member, deb)
            if not _is_taken(path) or member.isdir():
                continue
            if member.issym():
                target = self._target(member, deb)
                # /bin/x may be a link to /usr/bin/x, which is the same file here.
                links |= {path: target} if target != path else {}
            elif member.isreg() and member.mode & _SET_ID:
                self._undo(written, path)
            elif member.isreg():
                self._count(member, deb)
                self._write(path, read(), is_program=bool(member.mode & 0o111))
                written.append(path)
            elif member.islnk():
                # As a link, since the exporter would write a hard link's content again.
                links[path] = self._path(member.linkname, member, deb)
            else:
                self._refuse(deb, member, _SPECIAL)
        self.links |= links

    def _undo(self, written: Sequence[str], path: str) -> Never:
        for each in written:
            self._remove(each)
        raise SetIdProgram(f"/{path}")

    def finish(self) -> None:
        """Write the links whose targets exist: relative ones, so the layer stays in itself."""
        for path in sorted(self.links):
            if path in self.files or path in self.directories:
                continue
            if self.exists(path):
                target = self._relative(path)
            elif self.system and (self.system / self.links[path]).exists():
                target = str(self.system / self.links[path])
            else:
                continue
            self._make_directory(posixpath.dirname(path))
            link = self.root / path
            link.unlink(missing_ok=True)
            link.symlink_to(target)

    def exists(self, path: str, depth: int = 0) -> bool:
        """Whether there is a file or directory at *path*, through links if need be."""
        return self._real(path, depth) is not None

    def all_files(self) -> Iterator[str]:
        """Yield the path of each file, sorted."""
        yield from sorted(self.files)

    def write(self, path: str, content: str, *, is_program: bool = False) -> None:
        """Write a text that no package contains."""
        self._write(path, content.encode(), is_program=is_program)

    def _relative(self, path: str) -> str:
        """Return what the link at *path* leads to, relative to its directory."""
        target = self.links[path]
        if self.beside and not self._is_here(target):
            start = self.root / posixpath.dirname(path)
            return posixpath.relpath(str(self.beside.root / target), str(start))
        return posixpath.relpath(target or ".", posixpath.dirname(path) or ".")

    def _is_here(self, path: str) -> bool:
        """Whether this tree itself has something at *path*."""
        return replace(self, beside=None).exists(path)

    def _real(self, path: str, depth: int = 0) -> str | None:
        """Return *path* without links; None if nothing is there."""
        if depth > _MOST_LINKS:
            return None
        if path in self.files or path in self.directories:
            return path
        parts = path.split("/")
        for count in range(1, len(parts) + 1):
            start = "/".join(parts[:count])
            if start in self.links and start not in self.directories:
                below = parts[count:]
                return self._real(posixpath.join(self.links[start], *below), depth + 1)
        if self.beside and self.beside.exists(path, depth + 1):
            return path
        return None

    def _path_in(self, member: TarInfo, deb: Deb) -> str:
        return self._path(member.name, member, deb)

    def _path(self, name: str, member: TarInfo, deb: Deb) -> str:
        parts = [part for part in name.split("/") if part not in {"", "."}]
        if name.startswith("/") or ".." in parts or len(parts) > _DEEPEST or "\0" in name:
            self._refuse(deb, member, _OUTSIDE)
        return _merged("/".join(parts))

    def _target(self, member: TarInfo, deb: Deb) -> str:
        """Return where the link *member* leads to; `/` is the root of the tree."""
        # A link that was /lib/x, which is a link to /usr/lib/x, counts from its own place.
        start = posixpath.dirname("/" + member.name.removeprefix("./"))
        parts: list[str] = []
        for part in posixpath.join(start, member.linkname).split("/"):
            if part == "..":
                if not parts:
                    self._refuse(deb, member, _OUTSIDE)
                parts.pop()
            elif part not in {"", "."}:
                parts.append(part)
        return _merged("/".join(parts))

    def _write(self, path: str, content: bytes, *, is_program: bool) -> None:
        self._make_directory(posixpath.dirname(path))
        self._remove(path)
        mode = disk.PROGRAM_MODE if is_program else disk.FILE_MODE
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(self.root / path, flags, mode), "wb") as file:
            file.write(content)
        self.files.add(path)
        self.links.pop(path, None)

    def _remove(self, path: str) -> None:
        if path in self.files:
            self.files.discard(path)
            (self.root / path).unlink()

    def _make_directory(self, path: str) -> None:
        if path in self.directories:
            return
        self._make_directory(posixpath.dirname(path))
        self._remove(path)
        disk.make_directory(self.root / path)
        self.directories.add(path)

    def _count(self, member: TarInfo, deb: Deb) -> None:
        self._size += member.size
        if self._size > _LARGEST:
            self._refuse(deb, member, _TOO_LARGE)

    def _refuse(self, deb: Deb, member: TarInfo, reason: str) -> Never:
        raise UnsafeArchive(deb.path.name, member.name, reason)


def _merged(path: str) -> str:
    """Return *path* where a system with a merged /usr has it."""
    top, slash, below = path.partition("/")
    return f"{_MERGED[top]}{slash}{below}" if top in _MERGED else path


def has_files(deb: Deb) -> bool:
    """Whether the package has a file that an image can use: not only texts about it.

    Raises DamagedArchive and OSError.
    """
    paths = (member.name.removeprefix("./") for member, _ in deb.members() if member.isreg())
    return any(_is_taken(path) and not path.startswith(_LEFT_OUT) for path in paths)


def _is_taken(path: str) -> bool:
    if not f"{path}/".startswith(_TOPS):
        return False
    if path.startswith(_LEFT_OUT):
        return posixpath.basename(path) == _LICENCE and path.startswith("usr/share/doc/")
    return True
