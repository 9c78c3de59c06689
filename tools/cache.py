"""The folder where downloaded and built things are kept between runs, outside the checkout.

Outside, because `pack build --buildpack .` ships everything in a checkout.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path


def folder() -> Path:
    """Return the cache folder, made when absent."""
    root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "cnb-python"
    root.mkdir(parents=True, exist_ok=True)
    return root


def made(name: str, make: Callable[[Path], None]) -> Path:
    """Return the cached directory or file *name*; *make* writes it when it is not there yet.

    *make* gets a path that does not exist, and is free to make a directory or a file of it. It is
    moved into place when complete, so a run that is killed leaves nothing that another trusts;
    of two that run at the same time, the first one counts.
    """
    final = folder() / name
    if final.exists():
        return final
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix=".new-") as scratch:
        fresh = Path(scratch) / final.name
        make(fresh)
        if not final.exists():
            _move(fresh, final)
    return final


def _move(fresh: Path, final: Path) -> None:
    try:
        fresh.rename(final)
    except OSError:
        # A directory that another run has put there in this very moment is as good as ours.
        if not final.exists():
            raise
        shutil.rmtree(fresh, ignore_errors=True)
