"""Compiles the modules of an environment to bytecode, reproducibly."""

import json
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions import compiler
from cnb_python.distributions.scan import FileEntry
from cnb_python.errors.base import BytecodeFailed
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.system.interface import Command, System

_DOING = "writing bytecode to {}"
_COMPILER = "The bytecode compiler"
_CACHE = "__pycache__"
# About 0.1 s of work: one large package keeps all cores busy.
_GROUP_BYTES = 512 * 1024


class SourceFile(NamedTuple):
    """A module to compile."""

    path: str
    """Relative to the directory that is compiled."""
    size: int


class Package(NamedTuple):
    """The modules of one distribution."""

    root: Path
    """The directory that their paths are below."""
    final: Path
    """The directory that they will be below."""
    modules: Iterable[SourceFile]


@dataclass(frozen=True, slots=True)
class Compiled:
    """The number of modules that were compiled, and of those that do not compile."""

    modules: int
    skipped: int


def compile_all(interpreter: Path, directories: tuple[Path, ...], system: System) -> Compiled:
    """Write the bytecode of every module below *directories*, which are at their final paths.

    Raises DiskFull, Killed, or BytecodeFailed.
    """
    modules = [source for directory in directories for source in _modules(directory)]
    return compile_modules(interpreter, [Package(Path("/"), Path("/"), modules)], system)


def compile_modules(interpreter: Path, packages: Iterable[Package], system: System) -> Compiled:
    """Write the bytecode of *packages*. Raises DiskFull, Killed, or BytecodeFailed."""
    groups = _largest_first(group for package in packages for group in _groups(package))
    if not groups:
        return Compiled(0, 0)
    order = [
        {
            "root": _prefix(group.root),
            "final": _prefix(group.final),
            "files": [source.path for source in group.modules],
        }
        for group in groups
    ]
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        file = Path(scratch) / "order.json"
        file.write_text(json.dumps(order), encoding="ascii")
        outcome = system.run(_command(interpreter, file, system.cpus))
    if outcome.code == compiler.DISK_FULL:
        raise DiskFull(_DOING.format(groups[0].final))
    if outcome.code < 0:
        raise Killed(_COMPILER, -outcome.code)
    counts = outcome.output.split()
    if outcome.code or len(counts) != 2:
        raise BytecodeFailed(outcome.code, outcome.output)
    return Compiled(int(counts[0]), int(counts[1]))


def bytecode_of(root: Path, sources: Iterable[str]) -> dict[str, FileEntry]:
    """Return the bytecode files, by path below *root*, of those *sources* that have bytecode.

    All bytecode below *root* must be from this module.
    """
    modules = {path.removesuffix(".py") for path in sources if path.endswith(".py")}
    files = {}
    for directory in {path.rpartition("/")[0] for path in modules}:
        cache = f"{directory}/{_CACHE}"
        if (root / cache).is_dir():
            with os.scandir(root / cache) as entries:
                for entry in entries:
                    stem = entry.name.removesuffix(".pyc").rpartition(".")[0]
                    if f"{directory}/{stem}" in modules:
                        files[f"{cache}/{entry.name}"] = FileEntry(entry.stat().st_size)
    return files


def _prefix(directory: Path) -> str:
    return str(directory).rstrip("/")


def _command(interpreter: Path, order: Path, jobs: int) -> Command:
    # Not -I, which ignores PYTHONHASHSEED: Python 3.10 writes sets in the order of their hashes.
    argv = (str(interpreter), "-s", "-S", "-B", compiler.__file__, str(jobs), str(order))
    return Command(argv, {"PYTHONHASHSEED": "0", "LC_ALL": "C.UTF-8"}, Path("/"))


def _modules(directory: Path) -> Iterator[SourceFile]:
    for path, status in disk.walk(directory, {_CACHE}):
        if path.endswith(".py") and stat.S_ISREG(status.st_mode):
            yield SourceFile(f"{_prefix(directory)}/{path}".removeprefix("/"), status.st_size)


class _Batch(NamedTuple):
    """Modules that one process compiles."""

    root: Path
    final: Path
    modules: Sequence[SourceFile]

    @property
    def size(self) -> int:
        return sum(source.size for source in self.modules)


def _groups(package: Package) -> Iterator[_Batch]:
    """Yield the modules of one distribution in groups large enough for a process each."""
    modules: list[SourceFile] = []
    size = 0
    for source in sorted(package.modules):
        modules.append(source)
        size += source.size
        if size >= _GROUP_BYTES:
            yield _Batch(package.root, package.final, modules)
            modules, size = [], 0
    if modules:
        yield _Batch(package.root, package.final, modules)


def _largest_first(groups: Iterable[_Batch]) -> list[_Batch]:
    return sorted(groups, key=lambda group: (-group.size, group.root, group.modules[0].path))
