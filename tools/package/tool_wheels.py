"""Wheels of Poetry, Pipenv, PDM and their dependencies, for the offline package."""

import shutil
from functools import partial
from pathlib import Path

from tools import cache, stage0
from tools.package import bundled

LOCKS = tuple(sorted((stage0.ROOT / "src/cnb_python/data/tools").glob("*.txt")))


def wheels(arch: str) -> Path:
    """Return a directory with the wheels of all lock files in `data/tools`, for *arch*."""
    makers = (Path(__file__), Path(bundled.__file__), *LOCKS)
    pins = cache.digest(*(path.read_bytes() for path in makers))
    title = f"Downloading Poetry, Pipenv and PDM for {arch}"
    return cache.entry(f"programs-{arch}", pins, title, partial(_fetch, arch))


def bundle(arch: str, into: Path) -> None:
    """Copy `wheels` to the new directory *into*."""
    shutil.copytree(wheels(arch), into)


def _fetch(arch: str, into: Path) -> None:
    for lock in LOCKS:
        bundled.download(arch, lock, into)
