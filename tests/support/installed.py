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
    """Make the distribution of *files*; a path alone is a file that names it and its owner."""
    made = [file(each, f"{name}:{each}") if isinstance(each, str) else each for each in files]
    return Distribution(name, "1.0", "", tuple(sorted(made)), reaches)


def module(name: str, *below: str, size: int = 10) -> Distribution:
    """Make a distribution that is the package *name*, its first file *size* bytes long."""
    paths = [f"{SITE}/{name}/{each}" for each in below]
    return distribution(name, [file(f"{SITE}/{name}/__init__.py", name, size=size), *paths])


def heavy(name: str, megabytes: int) -> Distribution:
    return module(name, size=megabytes * MEGABYTE)


def install(one: Distribution, root: Path, contents: Mapping[str, str] | None = None) -> Path:
    """Write the files of *one* below *root*; what has no content in *contents* names its owner.

    A file whose size is another gets that size, without taking it on disk.
    """
    for each in one.files:
        path = root / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if each.target:
            path.symlink_to(each.target)
            continue
        content = (contents or {}).get(each.path, f"{one.name}:{each.path}")
        path.write_bytes(content.encode(errors="surrogateescape"))
        with path.open("r+b") as opened:
            opened.truncate(each.size)
        path.chmod(0o755 if each.is_program else 0o644)
    return root
