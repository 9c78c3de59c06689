"""Layer `python`: which interpreter it holds, and whether the previous image has it."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb.context import BuildContext, Target
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.layers.cache_keys import LayerKey, Rebuild, Reuse, decide, part
from cnb_python.python import standalone_build
from cnb_python.python.releases import FREETHREADED, Release
from cnb_python.system.interface import Output

# Before `venv` in the alphabet, so that the environment comes first on PATH.
NAME = "python"
# To be raised with every change of how an archive becomes a layer.
_FORMAT = f"1.{standalone_build.FORMAT}"


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
    """The app's interpreter, by its final paths."""

    path: Path
    """`<layer>/bin/python3.14`."""
    version: str
    """`3.14.6`."""
    layer: Path


@dataclass(frozen=True, slots=True)
class Runtime:
    """The interpreter that an app gets, wherever its files are now."""

    release: Release
    interpreter: Interpreter
    is_in_image: bool
    """The previous image has it, so that nothing has to be done for the next one to have it."""
    context: BuildContext
    key: PythonKey

    @property
    def archive(self) -> str:
        """What the store keeps the finished layer under."""
        return f"python-{self.release.version}-{_digest(self.key)}"


def find(release: Release, context: BuildContext, output: Output) -> Runtime:
    """Return what *release* is to the layer, saying every reason not to use the previous one."""
    layer = layer_of(context.layers_dir, NAME)
    key = _key(release, context.target, layer)
    interpreter = Interpreter(_program(layer, release), release.version, layer.path)
    state = decide(layer.state(), key)
    if isinstance(state, Rebuild):
        for reason in state.reasons:
            output.line(f"Not using the previous build's Python: {reason}")
    return Runtime(release, interpreter, isinstance(state, Reuse), context, key)


def reuse(runtime: Runtime) -> None:
    """Take the layer from the previous image, and remove what was laid out of it."""
    layer_of(runtime.context.layers_dir, NAME).reuse_from_image(runtime.key.metadata())


def finish(runtime: Runtime, *, build: bool) -> None:
    """Make what was laid out the layer; *build*: later buildpacks see it too."""
    layer = layer_of(runtime.context.layers_dir, NAME)
    layer.finish(LayerTypes(build=build, launch=True), runtime.key.metadata())


def _digest(key: PythonKey) -> str:
    return hashlib.sha256("\0".join(key.metadata().values()).encode()).hexdigest()[:16]


def _key(release: Release, target: Target, layer: Layer) -> PythonKey:
    return PythonKey(
        format=_FORMAT,
        python=release.version,
        flavour=release.flavour,
        sha256=release.sha256,
        arch=target.arch,
        distro=target.distro,
        directory=str(layer.layers_dir),
    )


def _program(layer: Layer, release: Release) -> Path:
    suffix = "t" if release.flavour == FREETHREADED else ""
    return layer.path / "bin" / f"python{release.minor}{suffix}"
