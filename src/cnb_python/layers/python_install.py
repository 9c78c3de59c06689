"""The contents of layer `python`: an archive, unpacked, at home, tried and compiled."""

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
from cnb_python.python.mirror import carried_archive
from cnb_python.python.releases import Release
from cnb_python.python.standalone_build import relocate
from cnb_python.store.store import Store
from cnb_python.system.archive import Archive, unpack
from cnb_python.system.interface import Command, Download, Output, System

# Not a check of the interpreter's every part: is it one, does it load here, can it speak TLS?
_PROBE = "import sys, ssl, zlib; print(sys.version.split()[0])"


def lay_out(runtime: Runtime, store: Store, system: System) -> Callable[[], None]:
    """Put the interpreter in its place, ready to run; not yet trusted as a layer.

    Returns what is left to do before `finish`, which may be done beside other work. Raises what
    fetching and unpacking raise, and UnusableInterpreter.
    """
    layer = layer_of(runtime.context.layers_dir, NAME)
    if _is_brought(layer, runtime, store, system.output):
        return _nothing
    _make(layer, runtime.release, runtime.context, system)
    _probe(runtime.interpreter, system)
    return partial(_complete, runtime, store, system)


def _is_brought(layer: Layer, runtime: Runtime, store: Store, output: Output) -> bool:
    if not store.has_tree(runtime.archive):
        return False
    try:
        store.unpack_tree(runtime.archive, layer.begin_in_place())
    except DamagedStore as damage:
        output.line(f"Not using the kept Python: {damage.reason}")
        return False
    output.line(f"Python {runtime.release.version} from the store")
    return True


def _complete(runtime: Runtime, store: Store, system: System) -> None:
    library = _library(runtime.interpreter)
    compile_all(runtime.interpreter.path, (library,), system)
    store.put_tree(runtime.archive, runtime.interpreter.layer)


def _nothing() -> None:
    """There is nothing left to do."""


def _make(layer: Layer, release: Release, context: BuildContext, system: System) -> None:
    title = f"Python {release.version}"
    carried = carried_archive(release, context.buildpack.directory)
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        archive = Path(scratch) / "python.tar"
        system.output.line(f"{'Unpacking' if carried else 'Fetching'} {title}")
        url = str(carried) if carried else _address(release, context)
        system.fetch(Download(url, release.sha256, title), archive)
        # In place: bytecode and build settings name the path that their files will have.
        root = layer.begin_in_place()
        unpack(Archive(archive, title), root, standalone_build.is_wanted)
    relocate(root, layer.path)


def _address(release: Release, context: BuildContext) -> str:
    from cnb_python.python.mirror import address_of  # noqa: PLC0415 - most builds fetch none

    return address_of(release, context.platform.bindings, context.environ)


def _probe(interpreter: Interpreter, system: System) -> None:
    argv = (str(interpreter.path), "-I", "-B", "-S", "-c", _PROBE)
    if not interpreter.path.is_file():
        reason = f"There is no {interpreter.path.name} in the directory bin of its archive."
        raise UnusableInterpreter(interpreter.version, reason)
    outcome = system.run(Command(argv, {}, Path("/")))
    said = outcome.output.strip()
    if outcome.code or said != interpreter.version:
        last = said.rpartition("\n")[2] or f"it ended with code {outcome.code}"
        raise UnusableInterpreter(interpreter.version, f"Asked for its version it says: {last}")


def _library(interpreter: Interpreter) -> Path:
    return interpreter.layer / "lib" / interpreter.path.name
