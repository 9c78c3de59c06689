"""Counts system calls, files and bytes of each step with strace.

The recorder marks the begin and the end of a step by asking the kernel about a path that does not
exist (`MARKS`). https://man7.org/linux/man-pages/man1/strace.1.html
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path as File

from tools.platforms import debian_packages
from tools.processes import fail, run
from tools.profile.inside.recorder import MARKS, THREADS, WORKER
from tools.profile.steps import REST, WORKERS, Counts, Path

KIT = "/cnb-python-strace"
"""Where the build finds strace and its libraries."""
LOG = "calls"
"""`calls.<id>` for each thread."""
# `openat(AT_FDCWD</app>, "a", O_RDONLY) = 3</app/a>`
_CALL = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+)?")
_MARK = re.compile(rf'"{re.escape(MARKS)}([+*-])([^"]*)"')
_LIBRARY = re.compile(r"(?:=> )?(/\S+) \(0x")
# The descriptor of a file, with its path: not of a pipe, a socket or a device.
_FILE = re.compile(r"\d+</(?!dev/|proc/)")
_STARTS = frozenset({"clone", "clone3", "fork", "vfork"})
_WRITES = frozenset({"write", "writev", "pwrite64", "pwritev", "pwritev2", "sendfile"})
_LINKS = frozenset({"link", "linkat", "symlink", "symlinkat"})
_DIRECTORIES = frozenset({"mkdir", "mkdirat"})


def kit(folder: File) -> str:
    """Copy strace and its libraries to the new directory *folder*; return its version.

    The build image has neither. Raises `Unavailable` if strace cannot be installed.
    """
    program = debian_packages.program("strace", "strace")
    folder.mkdir()
    shutil.copy(program, folder / "strace")
    for library in _LIBRARY.findall(run("ldd", program)):
        shutil.copy(library, folder)
    return run(program, "--version").partition("\n")[0].removeprefix("strace -- version ")


def command(folder: File, log: str) -> tuple[str, ...]:
    """Return the command that runs another one in the build and counts, with the kit *folder*."""
    [loader] = (path.name for path in folder.iterdir() if path.name.startswith("ld-"))
    start = (f"{KIT}/{loader}", "--library-path", KIT, f"{KIT}/strace")
    return (*start, "-ff", "-qq", "-y", "-s", "0", "-o", f"{log}/{LOG}")


@dataclass(slots=True)
class _Thread:
    """A thread of the build, and the steps around what it does next."""

    base: Path
    steps: list[str] = field(default_factory=list)
    starting: str = ""
    """The title of the process that it is about to start."""

    @property
    def path(self) -> Path:
        return (*self.base, *self.steps) or (REST,)


def counts(logs: File) -> dict[Path, Counts]:
    """Return what each step did itself, from the files that strace wrote to *logs*.

    Raises `Unavailable` if the marks in them are incomplete.
    """
    files = {int(path.suffix[1:]): path for path in logs.glob(f"{LOG}.*")}
    # The first process has the lowest id, and is the only one that no other has started.
    bases: dict[int, Path] = {min(files, default=0): ()}
    totals: dict[Path, Counts] = {}
    while ready := files.keys() & bases.keys():
        for number in ready:
            _follow(files.pop(number), _Thread(bases[number]), bases, totals)
    return totals


def _follow(
    log: File, thread: _Thread, bases: dict[int, Path], totals: dict[Path, Counts]
) -> None:
    for name, arguments, result in _calls(log):
        if _mark(thread, arguments):
            continue
        if name in _STARTS and result > 0:
            bases[result] = _base(thread, is_thread="CLONE_THREAD" in arguments)
        path = thread.path
        totals[path] = totals.get(path, Counts()).plus(_counts(name, arguments, result))
    if thread.steps and not thread.base:
        fail(f"strace did not see the end of {thread.steps[-1]}.")


def _calls(log: File) -> Iterator[tuple[str, str, int]]:
    """Yield name, arguments and result of each system call; the result is -1 if it is missing."""
    with log.open(errors="replace") as lines:
        for line in lines:
            if match := _CALL.match(line):
                yield match[1], match[2], int(match[3] or -1)


def _mark(thread: _Thread, arguments: str) -> bool:
    """Return whether the call is a mark, and follow it."""
    if MARKS not in arguments or not (match := _MARK.search(arguments)):
        return False
    kind, name = match.groups()
    if kind == "+":
        thread.steps.append(name)
    elif kind == "-" and thread.steps:
        thread.steps.pop()
    elif kind == "*":
        thread.starting = name
    return True


def _base(thread: _Thread, *, is_thread: bool) -> Path:
    """Return the steps around a thread or a process that *thread* starts."""
    if is_thread:
        return thread.base or (THREADS,)
    title, thread.starting = thread.starting, ""
    if title == WORKER:
        return (WORKERS,)
    return (*thread.path, title) if title else thread.path


def _counts(name: str, arguments: str, result: int) -> Counts:
    if result < 0:
        return Counts(calls=1)
    if name in _WRITES and _FILE.match(arguments):
        return Counts(calls=1, written=result)
    if name == "copy_file_range":
        return Counts(calls=1, written=result)
    makes_file = name in _LINKS or ("O_CREAT" in arguments and name in {"open", "openat"})
    return Counts(calls=1, files=int(makes_file), directories=int(name in _DIRECTORIES))


def total(own: Mapping[Path, Counts]) -> Counts:
    """Return the sum over all steps."""
    result = Counts()
    for each in own.values():
        result = result.plus(each)
    return result
