"""Makes the contents of layer `python`: unpacks, relocates, tries and compiles an interpreter.

Apart from `python`, as an unchanged build need not load it.
"""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Layer, layer_of
from cnb_python.distributions.bytecode import compile_all
from cnb_python.errors.machine import DamagedStore, UnusableInterpreter
from cnb_python.layers.python import NAME, Interpreter, Runtime
from cnb_python.python import standalone_build
from cnb_python.python.mirror import bundled_archive
from cnb_python.python.releases import Release
from cnb_python.python.standalone_build import relocate
from cnb_python.store.store import Store
from cnb_python.system.archive import Archive, unpack
from cnb_python.system.interface import Command, Download, Output, System

# Checks only that it is an interpreter, that it starts on this machine, and that it has TLS.
_PROBE = "import sys, ssl, zlib; print(sys.version.split()[0])"


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
