"""A finished directory tree: its digest, its sizes, and what pack would stumble over."""

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

# e_machine, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
MACHINES = {62: "amd64", 183: "arm64"}


def files(root: Path) -> Iterator[Path]:
    """Yield every path below *root* but directories, sorted."""
    found = (
        Path(folder, name)
        for folder, folders, names in os.walk(root)
        for name in [*names, *folders]
        if name in names or Path(folder, name).is_symlink()
    )
    return iter(sorted(found))


def digest(root: Path) -> str:
    """Return the sha256 of names, modes and contents: what goes into an image, times left out."""
    total = hashlib.sha256()
    for path in files(root):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        mode = path.lstat().st_mode & 0o777
        facts = f"{path.relative_to(root)}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n"
        total.update(facts.encode())
    return total.hexdigest()


def size(path: Path) -> int:
    """Return the bytes that the files at or below *path* hold."""
    found = [path] if path.is_file() else files(path)
    return sum(file.lstat().st_size for file in found)


def normalise(root: Path) -> None:
    """Set the two modes that pack knows, 0755 and 0644, on everything below *root* and on it."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def problems(root: Path, arch: str) -> list[str]:
    """Say what would make the tree at *root* a bad buildpack for *arch*."""
    found = [f"{p}: pack breaks on '..' in a name" for p in root.rglob("*") if ".." in p.name]
    for path in files(root):
        if path.is_symlink():
            found.append(f"{path}: a link")
        elif (built_for := machine(path)) not in {None, arch}:
            found.append(f"{path}: built for {built_for}")
    return found


def machine(path: Path) -> str | None:
    """Return the architecture that the ELF file *path* is for; None when it is no ELF file."""
    with path.open("rb") as stream:
        header = stream.read(20)
    if header[:4] != b"\x7fELF":
        return None
    (number,) = struct.unpack("<H", header[18:20])
    return MACHINES.get(number, f"machine {number}")
