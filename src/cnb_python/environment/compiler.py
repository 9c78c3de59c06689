"""Compiles modules to bytecode. A program for the app's interpreter, 3.10 or newer.

`compiler.py JOBS DIRECTORY...`: each package at the top of a DIRECTORY is compiled by a freshly
forked process, its files in sorted order, since the bytes of a `.pyc` depend on what the same
process compiled before. The files are unchecked: inside an image every modification time is the
same, so that any other kind would look stale, and nobody may write beside it.
https://peps.python.org/pep-0552/

Prints how many files were compiled and how many could not be, which is no failure: packages carry
templates and leftovers of Python 2.
"""

import errno
import mmap
import os
import py_compile
import signal
import struct
import sys
import warnings
from pathlib import Path

_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
DISK_FULL = 28
# Compiled and skipped, for each group at a place of its own in memory that the workers share: a
# pipe holds the results of some thousand groups and then stops whoever writes to it.
_RESULT = struct.Struct("=QQ")


def main(jobs: int, directories: list[Path]) -> int:
    """Compile everything below *directories*; return the exit code."""
    # What a package's code would be warned of is for its makers, not for this log.
    warnings.simplefilter("ignore")
    waiting = [files for directory in directories for files in _groups(directory)]
    waiting.sort(key=_size)  # the largest is taken first, from the end
    results = mmap.mmap(-1, _RESULT.size * max(1, len(waiting)))
    running: set[int] = set()
    while waiting or running:
        while waiting and len(running) < jobs:
            files = waiting.pop()
            running.add(_start(files, results, len(waiting)))
        child, status = os.wait()
        running.discard(child)
        if status:
            _stop(running)
            return _failed(os.waitstatus_to_exitcode(status))
    counts = list(_RESULT.iter_unpack(results[:]))
    print(*(sum(count[place] for count in counts) for place in (0, 1)))  # noqa: T201
    return 0


def _stop(children: set[int]) -> None:
    # None of them may write on after the build has said that it failed.
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def _failed(code: int) -> int:
    """Return the exit code *code* of a worker, or end by the signal that ended it."""
    if code < 0:
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _groups(directory: Path) -> list[list[Path]]:
    """Return the modules below *directory* by the entry at its top that they belong to."""
    groups: dict[str, list[Path]] = {}
    for root, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            path = Path(root, name)
            if name.endswith(".py") and path.is_file():
                groups.setdefault(path.relative_to(directory).parts[0], []).append(path)
    return [sorted(groups[top]) for top in sorted(groups)]


def _size(files: list[Path]) -> tuple[int, Path]:
    return sum(file.stat().st_size for file in files), files[0]


def _start(files: list[Path], results: mmap.mmap, place: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = _compile(files, results, place)
    except Exception:  # noqa: BLE001 - told to the parent by the exit code, to its log by the hook
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _compile(files: list[Path], results: mmap.mmap, place: int) -> int:
    skipped = 0
    for file in files:
        try:
            py_compile.compile(
                str(file),
                doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )
        except py_compile.PyCompileError:
            skipped += 1
        except OSError as error:
            if error.errno in _HOPELESS:
                return DISK_FULL
            skipped += 1
    _RESULT.pack_into(results, place * _RESULT.size, len(files) - skipped, skipped)
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
