"""Compiles the standard library of the newest Pythons, so that first builds need not.

A file for each release and architecture, 2.9 MB. The compiler runs in the same release for this
machine: bytecode depends on the release, the sources and their final paths, not on the processor.
"""

import hashlib
import io
import platform
import tarfile
import tempfile
import tomllib
from collections.abc import Mapping
from compression import zstd
from compression.zstd import CompressionParameter
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache as cache_results
from functools import partial
from pathlib import Path
from typing import Never

from cnb_python.distributions import bytecode, compiler, scan
from cnb_python.distributions.bytecode import Package, SourceFile
from cnb_python.layers import carried_bytecode, python_archive
from cnb_python.layers.python_archive import Archive, Entry, Selection
from cnb_python.python import standalone_build
from cnb_python.system.interface import Download, System
from cnb_python.system.output import Console
from cnb_python.system.process import run
from tools import cache, stage0
from tools.processes import say
from tools.pythons import interpreters, runtimes

# The newest lines. All five supported ones would make the package a third larger than it is
# without them, three a fifth.
LINES = 3
# Takes half a minute, and saves a tenth of what level 12 writes.
_LEVEL = 19
_MAKERS = (__file__, compiler.__file__, bytecode.__file__, python_archive.__file__)
_MODULES = (*_MAKERS, standalone_build.__file__, carried_bytecode.__file__)


@dataclass(frozen=True, slots=True)
class Source:
    """The archives of one release."""

    version: str
    archive: Path
    """For the target."""
    runs_here: Path
    """For this machine; the same file if the target is this machine."""


def home() -> Path:
    """Return the directory of layer `python` in every build that uses the usual `/layers`."""
    descriptor = tomllib.loads((stage0.ROOT / "buildpack.toml").read_text())
    # As the lifecycle names the directory of a buildpack's layers.
    return Path("/layers", descriptor["buildpack"]["id"].replace("/", "_"), "python")


@cache_results
def files(arch: str, *, released: bool) -> tuple[Path, ...]:
    """Return the files for *arch*, made if necessary.

    *released*: for the archives of the release host, else for those that are made from Go modules.
    Raises Unavailable.
    """
    sources = (_source(version, arch, released=released) for version in runtimes.newest()[-LINES:])
    return tuple(_file(source, arch) for source in sources if source)


def bytecode_archive(source: Source, final: Path, level: int = _LEVEL) -> tuple[str, bytes]:
    """Return name and content of the file with the bytecode of *source* for a layer at *final*.

    *level*: of the compression.
    """
    with tempfile.TemporaryDirectory() as scratch:
        root, here = Path(scratch, "target"), Path(scratch, "here")
        entries = _unpacked(source.archive, root, final)
        if source.runs_here != source.archive:
            _unpacked(source.runs_here, here, here)
        program = f"python{source.version.rpartition('.')[0]}"
        interpreter = (here if here.exists() else root) / "bin" / program
        modules = [
            SourceFile(path, entry.member.size)
            for path, entry in entries.items()
            if path.startswith(f"lib/{program}/") and path.endswith(".py")
        ]
        bytecode.compile_modules(interpreter, [Package(root, final, modules)], _system())
        content = _packed(root, sorted(scan.bytecode_of(root, entries)), level)
    sha256 = hashlib.sha256(source.archive.read_bytes()).hexdigest()
    return carried_bytecode.file_name(sha256, final, content), content


def _source(version: str, arch: str, *, released: bool) -> Source | None:
    here = stage0.ARCHES[platform.machine()]
    if released:
        return Source(version, *(runtimes.downloaded(version, each) for each in (arch, here)))
    minor = version.rpartition(".")[0]
    if module := runtimes.newest_module(minor):
        archives = (interpreters.archive(module, each) for each in (arch, here))
        return Source(module, *archives)
    say(f"  No archive of Python {version}: builds compile its standard library")
    return None


def _file(source: Source, arch: str) -> Path:
    contents = (path.read_bytes() for path in (source.archive, source.runs_here))
    makers = (Path(path).read_bytes() for path in _MODULES)
    pins = cache.digest(str(home()), *contents, *makers)
    title = f"Compiling the standard library of Python {source.version} for {arch}"
    name = f"bytecode-{source.version}-{arch}"
    return next(cache.entry(name, pins, title, partial(_make, source)).iterdir())


def _make(source: Source, into: Path) -> None:
    name, content = bytecode_archive(source, home())
    (into / name).write_bytes(content)


def _unpacked(archive: Path, root: Path, final: Path) -> dict[str, Entry]:
    """Write the files to *root* that the layer at *final* has before it is compiled."""
    root.mkdir()
    selection = Selection(
        includes=standalone_build.belongs_in_image,
        rewrites=standalone_build.is_build_setting,
        rewritten=partial(standalone_build.relocated, home=final),
    )
    return python_archive.unpack(Archive(archive, archive.name), root, selection)


def _packed(root: Path, paths: list[str], level: int) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as packed:
        for path in paths:
            content = (root / path).read_bytes()
            member = tarfile.TarInfo(f"{carried_bytecode.TOP}/{path}")
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    options: Mapping[int, int] = {
        CompressionParameter.compression_level: level,
        # The output depends on the number of threads: none but this one.
        CompressionParameter.nb_workers: 0,
    }
    return zstd.compress(stream.getvalue(), options=options)


def _system() -> System:
    return System(
        run=run,
        fetch=_refuse,
        output=Console(io.StringIO(), colour=False),
        today=datetime.now(UTC).date(),
        cpus=1,
    )


def _refuse(download: Download, to: Path) -> Never:
    raise AssertionError(download, to)
