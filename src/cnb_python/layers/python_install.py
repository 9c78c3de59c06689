"""Makes the contents of layer `python`: unpacks, tries and compiles an interpreter, verifies it.

Separate from `python`, as an unchanged build need not load it.
"""

import hashlib
import os
import stat
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Layer, layer_of
from cnb_python.distributions.bytecode import compile_all
from cnb_python.distributions.scan import bytecode_of
from cnb_python.errors.downloads import UnusableInterpreter
from cnb_python.errors.machine import DamagedStore
from cnb_python.layers import carried_bytecode
from cnb_python.layers.python import NAME, Interpreter, Runtime
from cnb_python.layers.python_archive import Archive, Entries, Entry, Selection, unpack
from cnb_python.python import standalone_build
from cnb_python.python.mirror import bundled_archive
from cnb_python.python.releases import Release
from cnb_python.store.archive import ContentChanged, Member
from cnb_python.store.store import Store
from cnb_python.system.interface import Command, Download, System
from cnb_python.system.priority import lower_priority

# Checks only that it is an interpreter, that it starts on this machine, and that it has TLS.
_PROBE = "import sys, ssl, zlib; print(sys.version.split()[0])"
_TYPES = {
    "f": stat.S_IFREG | disk.FILE_MODE,
    "x": stat.S_IFREG | disk.PROGRAM_MODE,
    "d": stat.S_IFDIR | disk.DIRECTORY_MODE,
    "l": stat.S_IFLNK | 0o777,
}
_ROOT = "."
_BYTECODE = "The bytecode of the standard library"


def materialize(runtime: Runtime, store: Store, system: System) -> PythonFiles:
    """Write the interpreter to its layer's directory, ready to run.

    Raises what downloading and unpacking raise, and UnusableInterpreter.
    """
    files = PythonFiles(runtime, store, system)
    if not files.restore():
        files.unpack()
        _probe(runtime.interpreter, system)
    return files


class PythonFiles:
    """The files of layer `python` on disk, before `python.finish`.

    Calls of its methods must not overlap, and no foreign code may run during any of them.
    `archive_to_store` is an exception: after `complete` or `verify`, it may run at any time.
    """

    def __init__(self, runtime: Runtime, store: Store, system: System) -> None:
        self.runtime = runtime
        self._store = store
        self._system = system
        self._layer = layer_of(runtime.context.layers_dir, NAME)
        self._entries: dict[str, Entry] | None = None
        """As they were written. None: they are those of the store's archive."""
        self._is_complete = False

    def restore(self) -> bool:
        """Write the files of the store's archive; return False if the store has no usable one."""
        if not self._store.has_tree(self.runtime.archive):
            return False
        output = self._system.output
        try:
            self._store.unpack_tree(self.runtime.archive, self._layer.begin_in_place())
        except DamagedStore as damage:
            output.line(f"Not using the cached Python: {damage.reason}")
            return False
        self._entries, self._is_complete = None, True
        output.line(f"Using cached Python {self.runtime.release.version}")
        return True

    def unpack(self) -> None:
        """Write the files of the release's archive, and the bytecode if the buildpack has it."""
        release, context = self.runtime.release, self.runtime.context
        self._entries = _unpack(self._layer, release, context, self._system)
        bytecode = carried_bytecode.find(
            context.buildpack.directory, release.sha256, self._layer.path
        )
        if bytecode:
            self._entries |= unpack(Archive(bytecode, _BYTECODE), self._layer.path)
        self._is_complete = bytecode is not None

    def complete(self) -> None:
        """Compile the standard library if that was not done. Raises as `compile_all`."""
        if self._entries is None or self._is_complete:
            return
        interpreter = self.runtime.interpreter
        library = interpreter.layer / "lib" / interpreter.path.name
        compile_all(interpreter.path, (library,), self._system)
        self._entries |= _bytecode_entries(interpreter.layer, self._entries)
        self._is_complete = True

    def verify(self) -> tuple[str, ...]:
        """Compare every file, link and mode with what was written; replace all if any differs.

        Returns the paths, below the layer, that differed, were added or were missing. Raises what
        `materialize` and `complete` raise.
        """
        present = _present(self._layer.path)
        expected = self._expected()
        if present == expected:
            return ()
        self._write_again()
        written = self._expected() or {}
        # If the store's archive was changed too, the new files show what differed.
        expected = expected or written
        paths = present.keys() | expected.keys()
        return tuple(sorted(path for path in paths if present.get(path) != expected.get(path)))

    def archive_to_store(self) -> None:
        """Put the files into the store, unless they are from there. Raises DiskFull or OSError.

        Each file is compared with its digest while it is read; if one differs, nothing is stored.
        """
        if self._entries is None:
            return
        members = [entry.member for _, entry in sorted(self._entries.items())]
        digests = {path: entry.digest for path, entry in self._entries.items()}
        try:
            self._store.put_verified_tree(self.runtime.archive, self._layer.path, members, digests)
        except ContentChanged as change:
            self._system.output.line(f"Not storing Python: {change} was changed")

    def start_archiving(self) -> Future[None]:
        """Start `archive_to_store` in a thread that yields the processor to everything else."""
        pool = ThreadPoolExecutor(1, initializer=lower_priority)
        try:
            return pool.submit(self.archive_to_store)
        finally:
            pool.shutdown(wait=False)

    def _write_again(self) -> None:
        was_complete = self._is_complete
        if self._entries is not None or not self.restore():
            self.unpack()
        if was_complete:
            self.complete()

    def _expected(self) -> dict[str, _OnDisk] | None:
        """Return what must be on disk; None if the store's archive is damaged."""
        entries: Entries
        if self._entries is not None:
            entries = self._entries
        else:
            try:
                tree = self._store.tree_digests(self.runtime.archive)
            except DamagedStore:
                return None
            entries = {member.path: Entry(member, digest) for member, digest in tree.items()}
        states = {path: _expected_of(entry) for path, entry in entries.items()}
        return states | {_ROOT: _OnDisk(_TYPES["d"], "")}


class _OnDisk(NamedTuple):
    """What is compared of a file, link or directory."""

    mode: int
    """Type and permissions, as in `st_mode`."""
    content: str
    """SHA-256 in hex of a file, or the target of a link."""


def _expected_of(entry: Entry) -> _OnDisk:
    return _OnDisk(_TYPES[entry.member.kind], entry.digest or entry.member.target)


def _present(root: Path) -> dict[str, _OnDisk]:
    """Return the states of *root* and of everything below it that can be listed."""
    if not root.exists(follow_symlinks=False):
        return {}
    present = {_ROOT: _on_disk(root)}
    if stat.S_ISDIR(present[_ROOT].mode):
        # A directory that cannot be listed has another mode than it should have.
        for directory, names, files in root.walk():
            for path in (directory / name for name in (*names, *files)):
                present[path.relative_to(root).as_posix()] = _on_disk(path)
    return present


def _on_disk(path: Path) -> _OnDisk:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        # The exact target: Path would turn `./a` into `a`.
        return _OnDisk(mode, os.readlink(path))  # noqa: PTH115 - see above
    if mode not in {_TYPES["f"], _TYPES["x"]}:
        return _OnDisk(mode, "")
    with path.open("rb", buffering=0) as file:
        return _OnDisk(mode, hashlib.file_digest(file, "sha256").hexdigest())


def _bytecode_entries(root: Path, entries: Entries) -> dict[str, Entry]:
    """Return the bytecode, and its directories, that was compiled of the modules in *entries*."""
    compiled: dict[str, Entry] = {}
    for path in bytecode_of(root, entries):
        directory = path.rpartition("/")[0]
        compiled[directory] = Entry(Member(directory, "d"))
        digest = _on_disk(root / path).content
        compiled[path] = Entry(Member(path, "f", (root / path).stat().st_size), digest)
    return compiled


def _unpack(
    layer: Layer, release: Release, context: BuildContext, system: System
) -> dict[str, Entry]:
    title = f"Python {release.version}"
    bundled = bundled_archive(release, context.buildpack.directory)
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        archive = Path(scratch) / "python.tar"
        system.output.line(f"{'Unpacking' if bundled else 'Downloading'} {title}")
        url = str(bundled) if bundled else _address(release, context)
        system.fetch(Download(url, release.sha256, title), archive)
        # In place, since bytecode and build settings contain the final path.
        selection = Selection(
            includes=standalone_build.belongs_in_image,
            rewrites=standalone_build.is_build_setting,
            rewritten=partial(standalone_build.relocated, home=layer.path),
        )
        return unpack(Archive(archive, title), layer.begin_in_place(), selection)


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
