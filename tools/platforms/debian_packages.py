"""Installs programs from Debian's packages if they are missing."""

import shutil
from pathlib import Path

from tools import cache
from tools.processes import Unavailable, fail, need_root, run, say

# Another apt-get may be running, such as in the first minutes of a new machine.
PATIENCE = "-oDPkg::Lock::Timeout=300"
# Directories of daemons, which are not in the PATH of ordinary users.
DAEMONS = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str, *packages: str) -> Path:
    """Return the path of program *name*; install *packages* if it is missing.

    Raises `Unavailable` if apt-get is missing or fails.
    """
    path = find(name)
    if path:
        return path
    with cache.locked("apt"):
        return find(name) or _install(name, packages)


def find(name: str) -> Path | None:
    """Return the path of an installed program; None if it is missing."""
    path = shutil.which(name) or shutil.which(name, path=DAEMONS)
    return Path(path) if path else None


def _install(name: str, packages: tuple[str, ...]) -> Path:
    listed = " ".join(packages)
    if shutil.which("apt-get") is None:
        fail(f"`{name}` is missing, and there is no apt-get: install it.")
    need_root(f"`apt-get install {listed}`, for `{name}`,")
    say(f"Installing {listed} with apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        # `update` fails if one source cannot be reached, even if the others can.
        run("apt-get", "update", "--quiet", PATIENCE, env=quiet)
    except Unavailable as error:
        say(f"  {error}")
    run("apt-get", "install", "--yes", "--no-install-recommends", PATIENCE, *packages, env=quiet)
    path = find(name)
    if path is None:
        fail(f"`{name}` is still missing after `apt-get install {listed}`.")
    return path
