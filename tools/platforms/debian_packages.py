"""Installs Debian's programs that the maintainer scripts run, when they are missing."""

import shutil
from pathlib import Path

from tools import cache
from tools.processes import Unavailable, fail, need_root, run, say

# Another apt-get may be at work, on a fresh machine's first minutes above all.
PATIENCE = "-oDPkg::Lock::Timeout=300"
# Daemons live where an ordinary user's PATH does not look.
DAEMONS = "/usr/local/sbin:/usr/sbin:/sbin"


def program(name: str, *packages: str) -> Path:
    """The path of program *name*; installs *packages* when there is none.

    Raises `Unavailable` where apt-get is missing, refused, or does not have them.
    """
    found = find(name)
    if found:
        return found
    with cache.locked("apt"):
        return find(name) or _install(name, packages)


def find(name: str) -> Path | None:
    """The path of a program that is installed already."""
    found = shutil.which(name) or shutil.which(name, path=DAEMONS)
    return Path(found) if found else None


def _install(name: str, packages: tuple[str, ...]) -> Path:
    wanted = " ".join(packages)
    if shutil.which("apt-get") is None:
        fail(f"`{name}` is needed and there is no apt-get to install it: install it.")
    need_root(f"`apt-get install {wanted}`, for `{name}`,")
    say(f"Installing {wanted} with apt-get")
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        # One unreachable source makes `update` fail although Debian's own may have answered.
        run("apt-get", "update", "--quiet", PATIENCE, env=quiet)
    except Unavailable as error:
        say(f"  {error}")
    run("apt-get", "install", "--yes", "--no-install-recommends", PATIENCE, *packages, env=quiet)
    found = find(name)
    if found is None:
        fail(f"`{name}` is still missing after `apt-get install {wanted}`.")
    return found
