"""What Poetry, Pipenv and PDM need, as wheels: an offline buildpack carries them."""

import shutil
from functools import partial
from pathlib import Path

from tools import cache, stage0
from tools.package import carried

LOCKS = tuple(sorted((stage0.ROOT / "src/cnb_python/data/tools").glob("*.txt")))


def wheels(arch: str) -> Path:
    """Return a folder of every wheel that the locks of `data/tools` name, for *arch*."""
    makers = (Path(__file__), Path(carried.__file__), *LOCKS)
    pins = cache.digest(*(path.read_bytes() for path in makers))
    title = f"Fetching Poetry, Pipenv and PDM for {arch}"
    return cache.entry(f"programs-{arch}", pins, title, partial(_fetch, arch))


def carry(arch: str, into: Path) -> None:
    """Fill the new folder *into* with `wheels`."""
    shutil.copytree(wheels(arch), into)


def _fetch(arch: str, into: Path) -> None:
    for lock in LOCKS:
        carried.download(arch, lock, into)
