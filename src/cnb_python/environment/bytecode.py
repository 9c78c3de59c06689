"""Compiles an environment's modules, the same whoever builds it and when."""

from dataclasses import dataclass
from pathlib import Path

from cnb_python.environment import compiler
from cnb_python.errors import BytecodeFailed, DiskFull, Killed
from cnb_python.system.outside import Command, System

_DOING = "writing bytecode to {}"
_WHO = "The compiler of bytecode"


@dataclass(frozen=True, slots=True)
class Compiled:
    """How many modules have bytecode now, and how many cannot have any."""

    modules: int
    skipped: int


def compile_all(interpreter: Path, directories: tuple[Path, ...], system: System) -> Compiled:
    """Write the bytecode of every module below *directories*, which are by their final paths.

    Raises DiskFull, Killed, or BytecodeFailed.
    """
    outcome = system.run(_command(interpreter, directories, system.cpus))
    if outcome.code == compiler.DISK_FULL:
        raise DiskFull(_DOING.format(directories[0]))
    if outcome.code < 0:
        raise Killed(_WHO, -outcome.code)
    counts = outcome.output.split()
    if outcome.code or len(counts) != 2:
        raise BytecodeFailed(outcome.code, outcome.output)
    return Compiled(int(counts[0]), int(counts[1]))


def _command(interpreter: Path, directories: tuple[Path, ...], jobs: int) -> Command:
    program = Path(compiler.__file__)
    # Not -I, which ignores PYTHONHASHSEED: Python 3.10 writes sets in the order of their hashes.
    argv = (str(interpreter), "-s", "-S", "-B", str(program), str(jobs), *map(str, directories))
    return Command(argv, {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}, Path("/"))
