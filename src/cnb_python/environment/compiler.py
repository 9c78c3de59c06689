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
import os
import py_compile
import sys
import warnings
from pathlib import Path

_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
DISK_FULL = 28


def main(jobs: int, directories: list[Path]) -> int:
    """Compile everything below *directories*; return the exit code."""
    # What a package's code would be warned of is for its makers, not for this log.
    warnings.simplefilter("ignore")
    waiting = [files for directory in directories for files in _groups(directory)]
    waiting.sort(key=_size)  # the largest is taken first, from the end
    results, workers = os.pipe()
    running: set[int] = set()
    while waiting or running:
        while waiting and len(running) < jobs:
            running.add(_start(waiting.pop(), workers))
        child, status = os.wait()
        running.discard(child)
        if status:
            return os.waitstatus_to_exitcode(status)
    os.close(workers)
    with os.fdopen(results) as lines:
        counts = [line.split() for line in lines]
    print(*(sum(int(count[place]) for count in counts) for place in (0, 1)))  # noqa: T201
    return 0


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


def _start(files: list[Path], results: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = _compile(files, results)
    except Exception:  # noqa: BLE001 - told to the parent by the exit code, to its log by the hook
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _compile(files: list[Path], results: int) -> int:
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
    os.write(results, f"{len(files) - skipped} {skipped}\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
