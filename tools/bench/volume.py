"""Provides a directory for all that a measurement writes, on a file system whose figures count.

Where the usual one is unfit (`disk.problem`), it is a new file system: ext4 in a loop file, or
tmpfs. That is mounted in a mount namespace of this process alone, and the loop file has no name
any more while it is in use. So the kernel removes both with the last process of the measurement,
even if this process is killed. https://man7.org/linux/man-pages/man7/mount_namespaces.7.html
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.bench import disk
from tools.processes import Unavailable, fail, need_root, run, say

PREFIX = "cnb-python-bench-"
GIGABYTE = 10**9
LOOP_BYTES = 30 * GIGABYTE
"""Size of the file system in a loop file: the file takes up only what is written to it."""
NEEDED_BYTES = 15 * GIGABYTE
"""What a whole benchmark may write; a tmpfs has this size."""
SPARE_MEMORY_BYTES = 4 * GIGABYTE
"""For the builds themselves, beside a tmpfs."""
CONTAINERD = Path("/run/containerd")
TERMINATING = (signal.SIGTERM, signal.SIGHUP)

type Mount = Callable[[Path, int], None]
"""Mounts a file system at a directory, for a number of bytes."""


@dataclass(frozen=True, slots=True)
class Volume:
    """The directory for everything that a measurement writes."""

    folder: Path
    """It is empty, and is removed afterwards."""
    file_system: str
    """`ext4`, `ext4 in a loop file`, `tmpfs`, `ext4 without a journal` (see `disk`)."""
    moved: bool
    """Whether it is a new file system, which other processes of this machine cannot see."""
    reason: str
    """Why the usual directory was not used, or should not have been; else empty."""
    warning: str = ""
    """Set if the figures must not be compared with others."""

    @property
    def engine_data(self) -> Path | None:
        """Where a Docker engine of its own keeps its data; None: any engine will do."""
        return self.folder / "engine" if self.moved else None


@contextmanager
def volume(*others: Path) -> Iterator[Volume]:
    """Yield a volume for this process, which also is its directory for temporary files.

    It is a new file system if the usual directory for temporary files, or one of *others*, is
    unfit. Enters a mount namespace then, which cannot be undone: call it once, early.
    """
    reason = _reason((Path(tempfile.gettempdir()), *others))
    with ExitStack() as stack:
        for name, mount in MOUNTS.items() if reason else ():
            try:
                point = stack.enter_context(mounted(mount))
            except (OSError, Unavailable) as error:
                say(f"  no {name}: {error}")
                continue
            say(f"Measuring on {name}, since {reason}")
            place = Volume(point, name, moved=True, reason=reason)
            break
        else:
            place = _unmoved(stack, reason)
        stack.enter_context(_temporary_files(place.folder))
        yield place


@contextmanager
def ending_by_signals() -> Iterator[None]:
    """Exit normally when a signal asks to end, so that whatever was begun is cleaned up."""
    former = {
        number: signal.signal(number, lambda number, _: sys.exit(128 + number))
        for number in TERMINATING
    }
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def _reason(folders: Sequence[Path]) -> str:
    """Return why one of *folders* is unfit; empty if all are fit."""
    for folder in folders:
        if problem := disk.problem(disk.file_system(folder)):
            return f"{folder} is unfit: {problem}"
    return ""


def _unmoved(stack: ExitStack, reason: str) -> Volume:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=PREFIX)))
    # Also read by the engine and its containers.
    folder.chmod(0o755)
    warning = f"do not compare these figures with others: {reason}" if reason else ""
    if warning:
        say(f"Warning: {warning}")
    return Volume(folder, disk.file_system(folder), moved=False, reason=reason, warning=warning)


@contextmanager
def _temporary_files(folder: Path) -> Iterator[None]:
    """Let this process and those that it starts make temporary files below *folder*."""
    temporary = folder / "tmp"
    temporary.mkdir(mode=0o1777)
    former_directory, former_variable = tempfile.tempdir, os.environ.get("TMPDIR")
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
    try:
        yield
    finally:
        tempfile.tempdir = former_directory
        if former_variable is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = former_variable


@contextmanager
def mounted(mount: Mount, needed: int = NEEDED_BYTES) -> Iterator[Path]:
    """Yield a new directory in which *mount* has mounted a file system; unmount it afterwards.

    *needed*: the bytes that it has to hold. Raises `Unavailable` and OSError.
    """
    need_root("Mounting a file system")
    # In a namespace that is left by ending the process. Mounts of the machine still appear in it.
    os.unshare(os.CLONE_NEWNS)
    run("mount", "--make-rslave", "/")
    point = Path(tempfile.mkdtemp(prefix=PREFIX))
    point.chmod(0o755)
    try:
        mount(point, needed)
        try:
            _hide_containerd()
            yield point
        finally:
            # Lazily: a process that was killed may still be ending.
            run("umount", "--lazy", point)
    finally:
        with contextlib.suppress(OSError):
            point.rmdir()


def _hide_containerd() -> None:
    """Let a Docker engine start a containerd of its own, which sees the mounts of this process.

    It would use the machine's if that is running.
    """
    if (CONTAINERD / "containerd.sock").exists():
        run("mount", "-t", "tmpfs", "-o", "mode=711,size=1m", "cnb-python", CONTAINERD)


def _mount_loop_file(point: Path, needed: int) -> None:
    """Mount a new ext4 with a journal, in a file beside *point* that has no name afterwards."""
    free = shutil.disk_usage(point).free
    if free < needed:
        fail(f"{point.parent} has {_shown(free)} free, and {_shown(needed)} are needed")
    file = point.with_name(f"{point.name}.img")
    try:
        with file.open("xb") as image:
            image.truncate(LOOP_BYTES)
        run("mkfs.ext4", "-q", "-F", file)
        # Without a thread of the kernel that writes inode tables beside the measurement.
        run("mount", "-o", "loop,noinit_itable,nodiratime,noatime", file, point)
    finally:
        file.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (point / "lost+found").rmdir()


def _mount_memory(point: Path, needed: int) -> None:
    available, whole = _available_memory(), needed + SPARE_MEMORY_BYTES
    if available < whole:
        fail(f"{_shown(available)} of memory are available, and {_shown(whole)} are needed")
    run("mount", "-t", "tmpfs", "-o", f"mode=755,size={needed}", "cnb-python", point)


MOUNTS = {"ext4 in a loop file": _mount_loop_file, "tmpfs": _mount_memory}
"""How a new file system is mounted, by its name; the first that succeeds is used."""


def _available_memory(meminfo: Path = Path("/proc/meminfo")) -> int:
    """Return the bytes of memory that programs can get without swapping."""
    for line in meminfo.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _shown(size: int) -> str:
    return f"{size / GIGABYTE:.1f} GB"
