"""Compiles modules to bytecode. A program for the app's interpreter, 3.10 or newer.

`compiler.py JOBS ORDER`: ORDER is a file in JSON, `{"root", "final", "groups"}`. Each group is a
list of paths below *root*, compiled one after the other by a freshly forked process, under the
names that they will have below *final*: tracebacks show those, and the bytes hold them. The files
are unchecked: inside an image every modification time is the same, so that any other kind would
look stale, and nobody may write beside it. https://peps.python.org/pep-0552/

The bytes are a function of interpreter, name and source alone. `marshal` marks what is referred to
more than once; since 3.11 it marks every interned string, so that it makes no difference any more
which of them the process knew before. Up to 3.10 it does, and each file has a process of its own.

Prints how many files were compiled and how many could not be, which is no failure: packages carry
templates and leftovers of Python 2.
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
from importlib.util import MAGIC_NUMBER, cache_from_source, source_hash
from pathlib import Path
from types import CodeType

_HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS)
DISK_FULL = 28
# Compiled and skipped, for each group at a place of its own in memory that the workers share: a
# pipe holds the results of some thousand groups and then stops whoever writes to it.
_RESULT = struct.Struct("=QQ")
# PEP 552: by hash, and never to be compared with its source.
_UNCHECKED = (1).to_bytes(4, "little")
_MODE = 0o644
# Python 3.11.
_STABLE = 0x030B0000


def main(jobs: int, order: Path) -> int:
    """Compile what *order* asks for in up to *jobs* processes; return the exit code."""
    # What a package's code would be warned of is for its makers, not for this log.
    warnings.simplefilter("ignore")
    os.umask(0o022)
    wanted = json.loads(order.read_bytes())
    root, final, waiting = wanted["root"], wanted["final"], wanted["groups"]
    if sys.hexversion < _STABLE:
        waiting = [[file] for group in waiting for file in group]
    waiting.reverse()  # the first is taken first, from the end
    results = mmap.mmap(-1, _RESULT.size * max(1, len(waiting)))
    running: set[int] = set()
    while waiting or running:
        while waiting and len(running) < jobs:
            files = [(f"{root}/{file}", f"{final}/{file}") for file in waiting.pop()]
            running.add(_start(files, results, len(waiting)))
        child, status = os.wait()
        running.discard(child)
        if status:
            _stop(running)
            return _failed(os.waitstatus_to_exitcode(status))
    counts = list(_RESULT.iter_unpack(results[:]))
    print(*(sum(count[place] for count in counts) for place in (0, 1)))  # noqa: T201 - to whoever started it
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


def _start(files: list[tuple[str, str]], results: mmap.mmap, place: int) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        code = _compile_all(files, results, place)
    except Exception:  # noqa: BLE001 - told to the parent by the exit code, to its log by the hook
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


def _compile_all(files: list[tuple[str, str]], results: mmap.mmap, place: int) -> int:
    compiled = 0
    for path, name in files:
        try:
            compiled += _compile(path, name)
        except OSError as error:
            if error.errno in _HOPELESS:
                return DISK_FULL
    _RESULT.pack_into(results, place * _RESULT.size, compiled, len(files) - compiled)
    return 0


def _compile(path: str, name: str) -> bool:
    """Write the bytecode of *path*; return whether there can be any."""
    source = Path(path).read_bytes()
    try:
        # Level 0, whatever -O the variables ask for: one level serves every process.
        code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    except Exception:  # noqa: BLE001 - compile() has many words for "no Python 3", pip skips all
        return False
    _write(cache_from_source(path, optimization=""), _bytecode(code, source))
    return True


def _bytecode(code: CodeType, source: bytes) -> bytes:
    return MAGIC_NUMBER + _UNCHECKED + source_hash(source) + marshal.dumps(code)


def _write(path: str, content: bytes) -> None:
    # Not with a draft and a rename, which costs as much again: what is compiled here is trusted by
    # nobody unless all of it was.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        file = os.open(path, flags, _MODE)
    except FileNotFoundError:
        Path(path).parent.mkdir(exist_ok=True)
        file = os.open(path, flags, _MODE)
    with os.fdopen(file, "wb", buffering=0) as stream:
        rest = memoryview(content)
        while rest:
            rest = rest[stream.write(rest) :]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2])))
