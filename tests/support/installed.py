"""Distributions as values, and their files on disk as a manager would have left them."""

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from cnb_python.distributions.model import Distribution, File

SITE = "lib/python3.14/site-packages"
MEGABYTE = 1024 * 1024


def file(path: str, content: str = "", *, program: bool = False, size: int | None = None) -> File:
    data = content.encode(errors="surrogateescape")
    length = len(data) if size is None else size
    return File(path, hashlib.sha256(data).hexdigest(), length, program)


def symlink(path: str, target: str) -> File:
    digest = hashlib.sha256(target.encode()).hexdigest()
    return File(path, digest, len(target), is_program=False, target=target)


def distribution(
    name: str, files: Iterable[File | str], reaches: tuple[str, ...] = ()
) -> Distribution:
    """Return a distribution with *files*; a path is a file that contains owner and path."""
    complete = [file(each, f"{name}:{each}") if isinstance(each, str) else each for each in files]
    return Distribution(name, "1.0", "", tuple(sorted(complete)), reaches)


def module(name: str, *below: str, size: int = 10) -> Distribution:
    """Return a distribution with the package *name*, whose first file has *size* bytes."""
    paths = [f"{SITE}/{name}/{each}" for each in below]
    return distribution(name, [file(f"{SITE}/{name}/__init__.py", name, size=size), *paths])


def heavy(name: str, megabytes: int) -> Distribution:
    return module(name, size=megabytes * MEGABYTE)


def install(
    installed: Distribution, root: Path, contents: Mapping[str, str] | None = None
) -> Path:
    """Write the files of *installed* below *root*; return *root*.

    A file that *contents* lacks contains its owner and path. Files get their size without using
    that much disk.
    """
    for each in installed.files:
        path = root / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.target:
            path.symlink_to(each.target)
            continue
        content = (contents or {}).get(each.path, f"{installed.name}:{each.path}")
        path.write_bytes(content.encode(errors="surrogateescape"))
        with path.open("r+b") as opened:
            opened.truncate(each.size)
        path.chmod(0o755 if each.is_program else 0o644)
    return root
