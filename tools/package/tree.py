"""An assembled tree: its files, digest, size, and what pack cannot handle."""

import hashlib
import os
import struct
from collections.abc import Iterator
from pathlib import Path

# e_machine, https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
MACHINES = {62: "amd64", 183: "arm64"}


def files(root: Path) -> Iterator[Path]:
    """Yield every path below *root* except directories, sorted."""
    paths = (
        Path(folder, name)
        for folder, folders, names in os.walk(root)
        for name in [*names, *folders]
        if name in names or Path(folder, name).is_symlink()
    )
    return iter(sorted(paths))


def digest(root: Path) -> str:
    """Return the SHA-256 of names, modes and contents below *root*."""
    total = hashlib.sha256()
    for path in files(root):
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        mode = path.lstat().st_mode & 0o777
        facts = f"{path.relative_to(root)}\0{mode:o}\0{hashlib.sha256(content).hexdigest()}\n"
        total.update(facts.encode())
    return total.hexdigest()


def size(path: Path) -> int:
    """Return the bytes of all files at or below *path*."""
    paths = [path] if path.is_file() else files(path)
    return sum(file.lstat().st_size for file in paths)


def normalise(root: Path) -> None:
    """Set the modes that pack writes, 0755 and 0644, on *root* and everything below it."""
    for path in [root, *root.rglob("*")]:
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def problems(root: Path, arch: str) -> list[str]:
    """Return what makes the tree *root* a bad buildpack for *arch*, a line for each problem."""
    problems = [f"{p}: pack breaks on '..' in a name" for p in root.rglob("*") if ".." in p.name]
    for path in files(root):
        if path.is_symlink():
            problems.append(f"{path}: a link")
        elif (built_for := machine(path)) not in {None, arch}:
            problems.append(f"{path}: built for {built_for}")
    return problems


def machine(path: Path) -> str | None:
    """Return the architecture of the ELF file *path*; None for other files."""
    with path.open("rb") as stream:
        header = stream.read(20)
    if header[:4] != b"\x7fELF":
        return None
    (number,) = struct.unpack("<H", header[18:20])
    return MACHINES.get(number, f"machine {number}")
