"""Compiles modules to bytecode. A program that runs in the app's interpreter, 3.10 or newer.

Usage: `compiler.py JOBS ORDER`. ORDER is a JSON file, a list of groups: `{"root", "final",
"files"}`. A forked process compiles the files of a group, paths below its *root*, one after the
other. Tracebacks and bytecode contain the paths below *final*. The bytecode is unchecked: all
files of an image have the same modification time, so a timestamp would look stale. https://peps.python.org/pep-0552/

The output depends only on interpreter, path and source. `marshal` marks objects that are referred
to more than once. Since Python 3.11 it marks every interned string, so earlier modules make no
difference. Up to 3.10 they do, so each file is compiled by a process of its own.

Prints `group N` when the group N of the list is finished, and at the end the number of compiled
modules and of those that do not compile, which is not an error: packages contain templates and
modules for Python 2.

Separate from `bytecode`, which runs it in the app's interpreter.
"""

import errno
import json
import marshal
import mmap
import os
import signal
import struct
import sys
import warnings
from collections import Counter
from collections.abc import Iterable
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType

_DISK_ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
DISK_FULL = 28
# The numbers of compiled and skipped modules of a group, in memory that the workers share: a pipe
# fills up after some thousand results and then blocks its writers.
_RESULT = struct.Struct("=QQ")
# PEP 552: with the hash of the source, which Python never checks.
_UNCHECKED = (1).to_bytes(4, "little")
_MODE = 0o644
FINISHED = "group "
# Python 3.11.
_STABLE = 0x030B0000


def main(jobs: int, order: Path) -> int:
    """Compile the modules in *order* with up to *jobs* processes; return the exit code."""
    # Warnings about the code of packages are for their authors, not for the build log.
    warnings.simplefilter("ignore")
    os.umask(0o022)
    groups = [
        [(f"{group['root']}/{file}", f"{group['final']}/{file}") for file in group["files"]]
        for group in json.loads(order.read_bytes())
    ]
    waiting = list(enumerate(groups))
    if sys.hexversion < _STABLE:
        waiting = [(number, [file]) for number, group in waiting for file in group]
    waiting.reverse()  # pop() takes the last
    left = Counter(number for number, _ in waiting)
    results = mmap.mmap(-1, _RESULT.size * max(1, len(waiting)))
    running: dict[int, int] = {}
    while waiting or running:
        while waiting and len(running) < jobs:
            number, files = waiting.pop()
            running[_start(files, results, len(waiting))] = number
        child, status = os.wait()
        number = running.pop(child)
        if status:
            _stop(running)
            return _failed(os.waitstatus_to_exitcode(status))
        left[number] -= 1
        if not left[number]:
            print(f"{FINISHED}{number}", flush=True)  # noqa: T201 - read by the caller
    counts = list(_RESULT.iter_unpack(results[:]))
    print(*(sum(count[index] for count in counts) for index in (0, 1)))  # noqa: T201 - read by the caller
    return 0


def _stop(children: Iterable[int]) -> None:
    # They must not write files after the build has failed.
    for child in children:
        os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def _failed(code: int) -> int:
    """Return the exit code *code* of a worker, or end with the signal that ended the worker."""
    if code < 0:
        if code != -signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    return code


def _start(files: list[tuple[str, str]], results: mmap.mmap, index: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = _compile_all(files, results, index)
    except Exception:  # noqa: BLE001 - the exit code tells the parent, the hook prints the traceback
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _compile_all(files: list[tuple[str, str]], results: mmap.mmap, index: int) -> int:
    compiled = 0
    for path, name in files:
        try:
            compiled += _compile(path, name)
        except OSError as error:
            if error.errno in _DISK_ERRORS:
                return DISK_FULL
    _RESULT.pack_into(results, index * _RESULT.size, compiled, len(files) - compiled)
    return 0


def _compile(path: str, name: str) -> bool:
    """Write the bytecode of *path*; return False if it does not compile."""
    source = Path(path).read_bytes()
    try:
        # Level 0, whatever PYTHONOPTIMIZE is: one level for every process.
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except Exception:  # noqa: BLE001 - compile() raises many kinds, pip skips all
        return False
    _write(cache_from_source(path, optimization=""), _bytecode(code, source))
    return True


def _bytecode(code: CodeType, source: bytes) -> bytes:
    return MAGIC_NUMBER + _UNCHECKED + source_hash(source) + marshal.dumps(code)


def _write(path: str, content: bytes) -> None:
    # Without a draft and a rename, which would take twice the time: the bytecode is used only if
    # all of it was written.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        file = os.open(path, flags, _MODE)
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        file = os.open(path, flags, _MODE)
    with os.fdopen(file, "wb", buffering=0) as stream:
        remaining = memoryview(content)
        while remaining:
            remaining = remaining[stream.write(remaining) :]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
