"""Layer `python`: its cache key, and whether the previous image has it.

Light, since every build needs it; `python_install` makes the contents.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb.context import BuildContext, Target
from cnb_python.cnb.layer import Layer, LayerTypes, layer_of
from cnb_python.layers.cache_keys import LayerKey, Rebuild, Reuse, decide, part
from cnb_python.python import standalone_build
from cnb_python.python.releases import FREETHREADED, Release
from cnb_python.system.interface import Output

# Sorts before `venv`, so that the environment comes first on PATH.
NAME = "python"
# Raise it with every change of how an archive becomes a layer.
_FORMAT = f"1.{standalone_build.FORMAT}"


@dataclass(frozen=True, slots=True)
class PythonKey(LayerKey):
    """What the layer depends on. Not the URL of its archive: a mirror serves the same file."""

    format: str = part("format of the Python layer")
    python: str = part("Python release")
    flavour: str = part("Python flavor")
    sha256: str = part("SHA-256 of the Python archive")
    arch: str = part("architecture")
    distro: str = part("Linux distribution of the image")
    directory: str = part("layers directory")


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
    """The app's Python, whether its files are on disk or only in the image."""

    release: Release
    interpreter: Interpreter
    is_in_image: bool
    """The previous image has exactly this layer."""
    context: BuildContext
    key: PythonKey

    @property
    def archive(self) -> str:
        """The key of the layer's archive in the store."""
        return f"python-{self.release.version}-{_digest(self.key)}"


def find_runtime(release: Release, context: BuildContext, output: Output) -> Runtime:
    """Return the app's Python for *release*; log every reason not to reuse the previous layer."""
    layer = layer_of(context.layers_dir, NAME)
    key = _key(release, context.target, layer)
    interpreter = Interpreter(_program(layer, release), release.version, layer.path)
    state = decide(layer.state(), key)
    if isinstance(state, Rebuild):
        for reason in state.reasons:
            output.line(f"Not using the previous build's Python: {reason}")
    return Runtime(release, interpreter, isinstance(state, Reuse), context, key)


def reuse(runtime: Runtime) -> None:
    """Reuse the layer from the previous image, and remove its files from disk."""
    layer_of(runtime.context.layers_dir, NAME).reuse_from_image(runtime.key.metadata())


def finish(runtime: Runtime, *, build: bool) -> None:
    """Turn the materialized files into the layer; with *build*, later buildpacks see it too."""
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
