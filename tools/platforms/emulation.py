"""Lets the kernel run programs of another architecture, with QEMU.

The kernel starts the emulator by itself (binfmt_misc), also in another root file system: with the
flag F it opens the emulator when that is registered.
https://docs.kernel.org/admin-guide/binfmt-misc.html
"""

import subprocess
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from tools import cache
from tools.platforms import debian_packages
from tools.processes import fail, need_root, say

BINFMT = "/proc/sys/fs/binfmt_misc"
ENTRY = "cnb-python-{}"
# The first 20 bytes of an ELF file, and their mask: 64 bits, little-endian, a program or a shared
# object (e_type), for the processor 183 (e_machine). `qemu-binfmt-conf.sh` of QEMU has the same.
MAGIC = {
    "arm64": (
        r"\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00",
        r"\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff",
    ),
}
EMULATORS = {"arm64": "qemu-aarch64-static"}
REGISTERED = "registered"
# Mounts binfmt_misc for itself alone, and stays until its input is closed. Newer kernels forget a
# registration with the last mount.
HOLD = f"""\
mount -t binfmt_misc binfmt_misc "$1" && printf %s "$2" >"$1/register" || exit
echo {REGISTERED}
cat >/dev/null
printf %s -1 >"$1/$3"
"""


def of(arch: str) -> AbstractContextManager[None]:
    """Run the block with the kernel able to start programs for *arch*; empty: this machine's.

    Raises `Unavailable` where the kernel does not allow it.
    """
    return _registered(arch) if arch else nullcontext()


@contextmanager
def _registered(arch: str) -> Iterator[None]:
    need_root(f"Running programs for {arch}")
    # mmdebstrap needs it too.
    arch_test = debian_packages.program("arch-test", "arch-test")
    with cache.locked(f"emulation-{arch}"):
        if _runs(arch_test, arch):  # by this processor, or as the administrator configured
            yield
            return
        emulator = debian_packages.program(EMULATORS[arch], "qemu-user-static")
        with _held(rule(arch, emulator), ENTRY.format(arch)):
            if not _runs(arch_test, arch):
                fail(f"The kernel has taken {emulator} for {arch}, but runs no program with it.")
            say(f"Running programs for {arch} with {emulator}")
            yield


@contextmanager
def _held(line: str, entry: str) -> Iterator[None]:
    """Register *line* while the block runs, and while this process lives."""
    command = ("unshare", "--mount", "sh", "-c", HOLD, "sh", BINFMT, line, entry)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as holder:
        assert holder.stdin and holder.stdout  # noqa: S101, PT018 - PIPE was asked for; for mypy
        if (answer := holder.stdout.readline()) != f"{REGISTERED}\n":
            fail(f"The kernel cannot start an emulator (binfmt_misc): {answer.strip()}")
        try:
            yield
        finally:
            holder.stdin.close()


def rule(arch: str, emulator: Path) -> str:
    """Return the line that registers *emulator* for *arch*."""
    magic, mask = MAGIC[arch]
    return f":{ENTRY.format(arch)}:M::{magic}:{mask}:{emulator}:F"


def _runs(arch_test: Path, arch: str) -> bool:
    ended = subprocess.run((arch_test, arch), check=False, capture_output=True)
    return ended.returncode == 0
