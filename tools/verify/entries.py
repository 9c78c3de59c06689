"""The entries of a layer's archive: everything that makes two of them equal or different."""

import hashlib
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_XATTR = "SCHILY.xattr."
_CHUNK = 1 << 20
_SHOWN = 12
# Of a file's content; enough for what a cause is recognized by.
_MOST_READ = 16 << 20


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or link of a layer."""

    type: str
    """`0` a file, `1` a hard link, `2` a symbolic link, `5` a directory (tar's numbers)."""
    mode: str
    owner: str
    """User and group, as numbers: `1001:1000`."""
    time: str
    """Of its modification, in seconds since 1970."""
    target: str
    xattrs: tuple[tuple[str, str], ...]
    content: str
    """SHA-256 in hex; of nothing for everything but files."""
    size: int

    def __str__(self) -> str:
        values = (f"{name} {getattr(self, name)}" for name in ("mode", "owner", "time", "size"))
        return f"{', '.join(values)}, sha256 {self.content[:_SHOWN]}"

    def differences(self, other: Entry) -> tuple[str, ...]:
        """Return the names of the fields in which *other* differs."""
        names = ("type", "mode", "owner", "time", "target", "xattrs", "content")
        return tuple(name for name in names if getattr(self, name) != getattr(other, name))


def entries_of(archive: Path) -> Mapping[str, Entry]:
    """Return the entries of the layer's *archive* by path, without a slash at its start.

    Raises OSError, tarfile.TarError.
    """
    with tarfile.open(archive) as members:
        return {_path(member): _entry(members, member) for member in members}


def _path(member: tarfile.TarInfo) -> str:
    # The lifecycle's layers have absolute paths, those of other tools start with `./` or nothing.
    return member.name.removeprefix("./").lstrip("/")


def _entry(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    file = archive.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256()
    while file and (chunk := file.read(_CHUNK)):
        digest.update(chunk)
    xattrs = {key: text for key, text in member.pax_headers.items() if key.startswith(_XATTR)}
    return Entry(
        type=member.type.decode("ascii"),
        mode=f"{member.mode:o}",
        owner=f"{member.uid}:{member.gid}",
        time=f"{member.mtime:g}" if member.mtime < 1 else str(int(member.mtime)),
        target=member.linkname,
        xattrs=tuple(sorted(xattrs.items())),
        content=digest.hexdigest(),
        size=member.size,
    )


def content_of(archive: Path, path: str) -> bytes:
    """Return the content of the file *path* in *archive*, at most its first 16 MB."""
    with tarfile.open(archive) as members:
        for member in members:
            if _path(member) == path:
                file = members.extractfile(member) if member.isreg() else None
                return file.read(_MOST_READ) if file else b""
    return b""
