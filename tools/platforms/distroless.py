"""A run image without a shell, a package manager or any other program, as distroless images are.

It has the C and C++ libraries, zlib, time zones, certificates and accounts of the usual run image.
"""

import os
import shutil
from functools import partial
from pathlib import Path

from tools import cache
from tools.platforms import rootfs
from tools.processes import run

# The packages whose files it has, without their programs.
# zlib: PEP 600 lets wheels expect it, and the wheel of psycopg-binary does.
PACKAGES = ("libc6", "libgcc-s1", "libstdc++6", "tzdata", "zlib1g")
# `dpkg` lists what a package installed; what its scripts wrote is not there.
LISTS = "var/lib/dpkg/info"
WRITTEN = (
    *("etc/group", "etc/nsswitch.conf", "etc/os-release", "etc/passwd", "usr/lib/os-release"),
    str(rootfs.BUNDLE),
)
# Directories of programs, and of what only programs and administrators read.
LEFT_OUT = (
    *("usr/bin/", "usr/sbin/", "usr/share/doc/", "usr/share/gcc/", "usr/share/gdb/"),
    *("usr/share/lintian/", "usr/lib/x86_64-linux-gnu/gconv/"),
)
# Links of a merged /usr, and directories that processes expect.
LINKS = ("bin", "lib", "lib64", "sbin")
DIRECTORIES = (
    *("dev", "etc", "home/cnb", "proc", "root", "run", "sys"),
    *("tmp", "usr/bin", "usr/sbin", "var/tmp"),
)


def tree(name: str = rootfs.DEFAULT) -> Path:
    """Return the directory of the root file system, made the first time from that of *name*."""
    source = rootfs.rootfs("run", name)
    pins = cache.digest(source.name, Path(__file__).read_bytes())
    title = "Making a run image without a shell"
    return cache.entry(f"rootfs-distroless-{name}", pins, title, partial(_make, source))


def _make(source: Path, into: Path) -> None:
    for link in (link for link in LINKS if (source / link).is_symlink()):
        (into / link).symlink_to((source / link).readlink())
    for path in DIRECTORIES:
        (into / path).mkdir(parents=True, exist_ok=True)
    for path in ("tmp", "var/tmp"):
        (into / path).chmod(0o1777)
    for path in (*_files(source), *WRITTEN):
        _copy(source, into, path)
    # The C library finds libraries of multiarch directories by its cache.
    run("ldconfig", "-r", into)
    facts = rootfs.base("run")
    os.chown(into / "home/cnb", facts.user, facts.group)
    into.chmod(0o755)


def _files(source: Path) -> list[str]:
    """Return the paths in `PACKAGES` that the image has, as `/usr` has them after its merge."""
    lists = [path for name in PACKAGES for path in _lists(source, name)]
    lines = [line.removeprefix("/") for path in lists for line in path.read_text().splitlines()]
    merged = [f"usr/{line}" if line.split("/")[0] in LINKS else line for line in lines]
    return [path for path in merged if path != "." and not path.startswith(LEFT_OUT)]


def _lists(source: Path, package: str) -> list[Path]:
    # With the architecture where several may be installed: `libc6:amd64.list`.
    directory = source / LISTS
    return [*directory.glob(f"{package}:*.list"), *directory.glob(f"{package}.list")]


def _copy(source: Path, into: Path, path: str) -> None:
    original, target = source / path, into / path
    if original.is_dir() and not original.is_symlink():
        target.mkdir(parents=True, exist_ok=True)
    elif original.exists(follow_symlinks=False):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        shutil.copy2(original, target, follow_symlinks=False)
