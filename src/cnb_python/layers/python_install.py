"""Makes the contents of layer `python`: unpacks, relocates, tries and compiles an interpreter.

The only module that uses tarfile: unpacking refuses members that lead outside, and special files.

Separate from `python`, as an unchanged build need not load it.
"""

import errno
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from compression.zstd import ZstdError
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Layer, layer_of
from cnb_python.distributions.bytecode import compile_all
from cnb_python.errors.machine import (
    DamagedArchive,
    DamagedStore,
    DiskFull,
    UnsafeArchive,
    UnusableInterpreter,
)
from cnb_python.layers.python import NAME, Interpreter, Runtime
from cnb_python.python import standalone_build
from cnb_python.python.mirror import bundled_archive
from cnb_python.python.releases import Release
from cnb_python.python.standalone_build import relocate
from cnb_python.store.store import Store
from cnb_python.system.interface import Command, Download, Output, System

# Checks only that it is an interpreter, that it starts on this machine, and that it has TLS.
_PROBE = "import sys, ssl, zlib; print(sys.version.split()[0])"
_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
_OUTSIDE = "leads outside the archive's directory"


def materialize(runtime: Runtime, store: Store, system: System) -> Callable[[], None]:
    """Write the interpreter to its layer's directory, ready to run.

    Returns the work that is left before `python.finish`; it may run in another thread. Raises
    what downloading and unpacking raise, and UnusableInterpreter.
    """
    layer = layer_of(runtime.context.layers_dir, NAME)
    if _restore(layer, runtime, store, system.output):
        return _nothing
    _unpack(layer, runtime.release, runtime.context, system)
    _probe(runtime.interpreter, system)
    return partial(_complete, runtime, store, system)


def _restore(layer: Layer, runtime: Runtime, store: Store, output: Output) -> bool:
    if not store.has_tree(runtime.archive):
        return False
    try:
        store.unpack_tree(runtime.archive, layer.begin_in_place())
    except DamagedStore as damage:
        output.line(f"Not using the cached Python: {damage.reason}")
        return False
    output.line(f"Using cached Python {runtime.release.version}")
    return True


def _complete(runtime: Runtime, store: Store, system: System) -> None:
    library = _library(runtime.interpreter)
    compile_all(runtime.interpreter.path, (library,), system)
    store.put_tree(runtime.archive, runtime.interpreter.layer)


def _nothing() -> None:
    """Do nothing: the files are complete."""


def _unpack(layer: Layer, release: Release, context: BuildContext, system: System) -> None:
    title = f"Python {release.version}"
    bundled = bundled_archive(release, context.buildpack.directory)
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        archive = Path(scratch) / "python.tar"
        system.output.line(f"{'Unpacking' if bundled else 'Downloading'} {title}")
        url = str(bundled) if bundled else _address(release, context)
        system.fetch(Download(url, release.sha256, title), archive)
        # In place, since bytecode and build settings contain the final path.
        root = layer.begin_in_place()
        unpack(Archive(archive, title), root, standalone_build.belongs_in_image)
    relocate(root, layer.path)


def _address(release: Release, context: BuildContext) -> str:
    from cnb_python.python.mirror import download_url  # noqa: PLC0415 - most builds download nothing

    return download_url(release, context.platform.bindings, context.environ)


def _probe(interpreter: Interpreter, system: System) -> None:
    argv = (str(interpreter.path), "-I", "-B", "-S", "-c", _PROBE)
    if not interpreter.path.is_file():
        reason = f"There is no {interpreter.path.name} in the directory bin of its archive."
        raise UnusableInterpreter(interpreter.version, reason)
    outcome = system.run(Command(argv, {}, Path("/")))
    answer = outcome.output.strip()
    if outcome.code or answer != interpreter.version:
        last_line = answer.rpartition("\n")[2]
        reason = f"printed: {last_line}" if last_line else f"failed with exit code {outcome.code}."
        raise UnusableInterpreter(interpreter.version, f"Its version check {reason}")


def _library(interpreter: Interpreter) -> Path:
    return interpreter.layer / "lib" / interpreter.path.name


@dataclass(frozen=True, slots=True)
class Archive:
    """A .tar, .tar.gz or .tar.zst with one directory at its top."""

    path: Path
    title: str
    """Its name in messages: `Python 3.14.6`."""


def everything(_name: str) -> bool:
    """Return True for every name."""
    return True


def unpack(archive: Archive, into: Path, includes: Callable[[str], bool] = everything) -> None:
    """Write the files below the archive's top directory to *into*, which must exist.

    Only entries that *includes* admits, by their path below the top, are written. Owners and times
    are not kept; modes become 755 or 644 under any umask. Raises UnsafeArchive, DamagedArchive and
    DiskFull, which may leave a part of the files.
    """
    try:
        with tarfile.open(archive.path, "r:*") as packed:
            packed.extractall(into, filter=_Filter(archive.title, includes))  # noqa: S202 - filtered
    except OSError as error:
        if error.errno in _NO_SPACE:
            doing = f"unpacking {archive.title} into {into}"
            raise DiskFull(doing) from error
        if error.errno is not None:
            raise
        # For bad data, the decompressors raise an OSError without a number.
        raise DamagedArchive(archive.title, str(error)) from error
    except (tarfile.TarError, zlib.error, ZstdError, EOFError, KeyError) as error:
        raise DamagedArchive(archive.title, str(error) or type(error).__name__) from error
    # Directories without an entry of their own got a mode from the umask.
    for directory, _, _ in into.walk():
        directory.chmod(0o755)


@dataclass(frozen=True, slots=True)
class _Filter:
    """Includes and changes entries, by the data filter of tarfile (PEP 706)."""

    title: str
    includes: Callable[[str], bool]

    def __call__(self, member: tarfile.TarInfo, into: str) -> tarfile.TarInfo | None:
        self._refuse_outside(member, member.name)
        below = _without_top(member.name)
        if not below or not self.includes(below):
            return None
        # The target of a hard link is relative to the top of the archive, that of a symbolic link
        # to the link.
        target = member.linkname
        if member.islnk():
            self._refuse_outside(member, target)
            target = _without_top(target)
        try:
            safe = tarfile.data_filter(member.replace(name=below, linkname=target), into)
        except tarfile.FilterError as error:
            raise UnsafeArchive(self.title, member.name, _reason(error)) from error
        # None: not set. The lifecycle sets all times when it exports the layer.
        return safe.replace(mode=_mode(member), mtime=None, deep=False)  # type: ignore[arg-type]  # documented, not in the stubs

    def _refuse_outside(self, member: tarfile.TarInfo, path: str) -> None:
        # tarfile would turn an absolute name into a relative one.
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise UnsafeArchive(self.title, member.name, _OUTSIDE)


def _reason(error: tarfile.FilterError) -> str:
    if isinstance(error, tarfile.SpecialFileError):
        return "is a device or a pipe"
    return _OUTSIDE


def _without_top(name: str) -> str:
    return "/".join(PurePosixPath(name).parts[1:])


def _mode(member: tarfile.TarInfo) -> int:
    return 0o755 if member.isdir() or member.mode & 0o111 else 0o644
