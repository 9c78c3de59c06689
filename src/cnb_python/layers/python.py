"""Layer `python`: the app's interpreter."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb.context import BuildContext, Target
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.environment.bytecode import compile_all
from cnb_python.errors import UnusableInterpreter
from cnb_python.interpreter import trim
from cnb_python.interpreter.relocate import relocate
from cnb_python.layers.reuse import LayerKey, Rebuild, Reuse, decide, part
from cnb_python.system.archive import Archive, unpack
from cnb_python.system.outside import Command, Download, System
from cnb_python.version.inventory import FREETHREADED, Release
from cnb_python.version.mirror import carried_archive

# Before `venv` in the alphabet, so that the environment comes first on PATH.
NAME = "python"
TYPES = LayerTypes(launch=True, cache=True)
# To be raised with every change of how an archive becomes a layer.
_FORMAT = f"1.{trim.FORMAT}"
# Not a check of the interpreter's every part: is it one, does it load here, can it speak TLS?
_PROBE = "import sys, ssl, zlib; print('.'.join(map(str, sys.version_info[:3])))"


@dataclass(frozen=True, slots=True)
class PythonKey(LayerKey):
    """What the layer depends on. Not where its archive came from: a mirror serves the same."""

    format: str = part("way of unpacking Python")
    python: str = part("Python release")
    flavour: str = part("flavour of Python")
    sha256: str = part("sha256 of Python's archive")
    arch: str = part("processor")
    distro: str = part("distribution of the image")
    directory: str = part("directory of the layers")


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The app's interpreter, in place."""

    path: Path
    """`<layer>/bin/python3.14`."""
    version: str
    """`3.14.6`."""
    layer: Path


def install(release: Release, context: BuildContext, system: System) -> Interpreter:
    """Make the layer hold *release*, or keep it where it does.

    Raises what fetching and unpacking raise, and UnusableInterpreter; no layer is left then.
    """
    layer = layer_of(context.layers_dir, NAME)
    key = _key(release, context.target, layer)
    interpreter = Interpreter(_program(layer, release), release.version, layer.path)
    match decide(layer.state(), key):
        case Reuse(has_contents=True):
            system.output.line(f"Using Python {release.version} of the previous build")
            layer.keep(TYPES, key.metadata())
            return interpreter
        case Rebuild(reasons):
            for reason in reasons:
                system.output.line(f"Not using the previous build's Python: {reason}")
        case Reuse():
            pass
    _make(layer, release, context, system)
    _probe(interpreter, system)
    compile_all(interpreter.path, (_library(interpreter),), system)
    layer.finish(TYPES, key.metadata())
    return interpreter


def _make(layer: Layer, release: Release, context: BuildContext, system: System) -> None:
    title = f"Python {release.version}"
    carried = carried_archive(release, context.buildpack.directory)
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        archive = Path(scratch) / "python.tar"
        system.output.line(f"{'Unpacking' if carried else 'Fetching'} {title}")
        url = str(carried) if carried else release.url
        system.fetch(Download(url, release.sha256, title), archive)
        # In place: bytecode and build settings name the path that their files will have.
        root = layer.begin_in_place()
        unpack(Archive(archive, title), root, trim.is_wanted)
    relocate(root, layer.path)


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


def _key(release: Release, target: Target, layer: Layer) -> PythonKey:
    return PythonKey(
        format=_FORMAT,
        python=release.version,
        flavour=release.flavour,
        sha256=release.sha256,
        arch=target.arch,
        distro=f"{target.distro_name} {target.distro_version}".strip(),
        directory=str(layer.layers_dir),
    )


def _program(layer: Layer, release: Release) -> Path:
    suffix = "t" if release.flavour == FREETHREADED else ""
    return layer.path / "bin" / f"python{release.minor}{suffix}"


def _library(interpreter: Interpreter) -> Path:
    return interpreter.layer / "lib" / interpreter.path.name
