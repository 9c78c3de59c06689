"""A machine that differs in all that an image must not depend on.

These are umask, hash seed, locale, time zone, temporary directory, clock, number of cores, and the
order of directory entries (in the C library, and in the file system of the layers).
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tools.platforms.build_request import BuildRequest, Platform
from tools.platforms.sandbox import Bind

SHIM = Path(__file__).with_name("other_machine.c")
# File systems in memory list their entries in another order than those on disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - a new directory in it is used
UMASK = 0o077
OTHER_USER = 4321
# The lifecycle makes these layers with its own umask.
BY_UMASK = frozenset({"config", "sbom"})


@dataclass(frozen=True, slots=True)
class Conditions:
    """How a build on the other machine differs."""

    env: Mapping[str, str]
    """Variables of the build."""
    binds: tuple[Bind, ...]
    umask: int = UMASK

    def of(self, request: BuildRequest) -> BuildRequest:
        """Return *request* under these conditions."""
        return replace(
            request,
            env={**request.env, **self.env},
            binds=(*request.binds, *self.binds),
            umask=self.umask,
        )


@contextmanager
def other_machine(platform: Platform, scratch: Path) -> Iterator[Conditions]:
    """Yield the conditions of a build on such a machine; *scratch*: an existing directory."""
    shim = scratch / "shim.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", shim, SHIM], check=True)
    cores = os.sched_getaffinity(0)
    with tempfile.TemporaryDirectory(dir=MEMORY) as memory:
        layers = _directory(Path(memory, "layers"), 0o755)
        # The platform makes it, with an owner that is in each layer's archive.
        os.chown(layers, platform.user, platform.group)
        # Child processes inherit it.
        os.sched_setaffinity(0, {min(cores)})
        try:
            yield Conditions(
                {
                    "LC_ALL": "tr_TR.UTF-8",
                    "LD_PRELOAD": "/odd/shim.so",
                    "PYTHONHASHSEED": "42",
                    "TMPDIR": "/odd/tmp",
                    "TZ": "Asia/Kathmandu",
                },
                (
                    Bind(shim, "/odd/shim.so"),
                    Bind(_directory(scratch / "odd", 0o1777), "/odd/tmp", writable=True),
                    Bind(layers, "/layers", writable=True),
                ),
            )
        finally:
            os.sched_setaffinity(0, cores)


def other_user(platform: Platform, scratch: Path) -> tuple[Platform, Bind]:
    """Return *platform* with another user, and the file that makes it known to the build image."""
    users = scratch / "passwd"
    passwd = (platform.build_rootfs / "etc/passwd").read_text()
    users.write_text(f"{passwd}other:x:{OTHER_USER}:{OTHER_USER}::/home/other:/bin/sh\n")
    return replace(platform, user=OTHER_USER, group=OTHER_USER), Bind(users, "/etc/passwd")


def _directory(path: Path, mode: int) -> Path:
    path.mkdir()
    path.chmod(mode)
    return path
