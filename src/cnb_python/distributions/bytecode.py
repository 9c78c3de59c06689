"""Compiles the modules of an environment to bytecode, reproducibly."""

import json
import re
import stat
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.distributions import compiler
from cnb_python.errors.base import BytecodeFailed
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.system.interface import Command, System

_DOING = "writing bytecode to {}"
_COMPILER = "The bytecode compiler"
_CACHE = "__pycache__"
_GROUP = re.compile(rf"^{compiler.FINISHED}\d+\n", re.MULTILINE)
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


class _Batch(NamedTuple):
    """Modules that one process compiles."""

    package: int
    """The number of their package."""
    root: Path
    final: Path
    modules: Sequence[SourceFile]

    @property
    def size(self) -> int:
        return sum(source.size for source in self.modules)


def _ignore(number: int) -> None:
    del number


def compile_modules(
    interpreter: Path,
    packages: Iterable[Package],
    system: System,
    on_compiled: Callable[[int], None] = _ignore,
) -> Compiled:
    """Write the bytecode of *packages*. Raises DiskFull, Killed, or BytecodeFailed.

    *on_compiled* is called once with the number of each package when it has all its bytecode: the
    large ones, which are compiled first, long before the others.
    """
    numbered = list(enumerate(packages))
    groups = _largest_first(group for each in numbered for group in _groups(*each))
    progress = _Progress([group.package for group in groups], on_compiled)
    compiled = _run(interpreter, groups, system, progress) if groups else Compiled(0, 0)
    for number, _ in numbered:
        progress.finish(number)
    return compiled


class _Progress:
    """Calls a function with the number of each package of which all groups were compiled."""

    def __init__(self, packages: Sequence[int], on_compiled: Callable[[int], None]) -> None:
        self._packages = packages
        """The package of each group."""
        self._left = Counter(packages)
        self._finished = set[int]()
        self._on_compiled = on_compiled

    def read(self, line: str) -> None:
        """Read a line that the compiler printed."""
        if _GROUP.fullmatch(f"{line}\n"):
            package = self._packages[int(line.removeprefix(compiler.FINISHED))]
            self._left[package] -= 1
            if not self._left[package]:
                self.finish(package)

    def finish(self, package: int) -> None:
        """Call the function for *package*, unless that was done."""
        if package not in self._finished:
            self._finished.add(package)
            self._on_compiled(package)


def _run(
    interpreter: Path, groups: Sequence[_Batch], system: System, progress: _Progress
) -> Compiled:
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
        outcome = system.run(_command(interpreter, file, system.cpus), progress.read)
    if outcome.code == compiler.DISK_FULL:
        raise DiskFull(_DOING.format(groups[0].final))
    if outcome.code < 0:
        raise Killed(_COMPILER, -outcome.code)
    counts = outcome.output.rstrip("\n").rpartition("\n")[2].split()
    if outcome.code or len(counts) != 2:
        raise BytecodeFailed(outcome.code, _GROUP.sub("", outcome.output))
    return Compiled(int(counts[0]), int(counts[1]))


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


def _groups(number: int, package: Package) -> Iterator[_Batch]:
    """Yield the modules of one distribution in groups large enough for a process each."""
    modules: list[SourceFile] = []
    size = 0
    for source in sorted(package.modules):
        modules.append(source)
        size += source.size
        if size >= _GROUP_BYTES:
            yield _Batch(number, package.root, package.final, modules)
            modules, size = [], 0
    if modules:
        yield _Batch(number, package.root, package.final, modules)


def _largest_first(groups: Iterable[_Batch]) -> list[_Batch]:
    """Return the *groups* of the largest package first, and of each package the largest first."""
    batches = list(groups)
    sizes = Counter[int]()
    for batch in batches:
        sizes[batch.package] += batch.size
    return sorted(
        batches,
        key=lambda batch: (
            *(-sizes[batch.package], batch.root),
            *(-batch.size, batch.modules[0].path),
        ),
    )
