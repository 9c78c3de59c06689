"""Layer `python`: its cache key, and whether the previous image has it.

Light, since every build needs it; `python_install` makes the contents.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from cnb_python.cnb.context import BuildContext, Target
from cnb_python.cnb.layer import Empty, Layer, LayerTypes, Restored, layer_of
from cnb_python.layers.cache_keys import LayerKey, Rebuild, Reuse, decide, part
from cnb_python.python import standalone_build
from cnb_python.python.releases import FREETHREADED, Release
from cnb_python.system.interface import Output

# Sorts before `venv`, so that the environment comes first on PATH.
NAME = "python"
# Raise it with every change of how an archive becomes a layer.
# 2: without the parts that the app does not need, the layer is 23 MB smaller.
_FORMAT = f"2.{standalone_build.FORMAT}"
# Raise it with every change of how an archive becomes a tree of the store. The tree has all parts,
# so it is the layer of format 1.
_TREE_FORMAT = f"1.{standalone_build.FORMAT}"

LIBPYTHON, HEADERS = "libpython", "headers"
type Parts = frozenset[str]
"""The parts of the interpreter, LIBPYTHON and HEADERS, that only some images have."""
ALL_PARTS: Parts = frozenset({LIBPYTHON, HEADERS})
_PARTS = "parts"


@dataclass(frozen=True, slots=True)
class PythonKey(LayerKey):
    """What the interpreter depends on. Not the URL of its archive: a mirror serves the same file.

    The layer depends on its parts too, which are known only after the packages.
    """

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
    parts_in_image: Parts | None
    """The parts in the previous image; None if it does not have this interpreter."""
    context: BuildContext
    key: PythonKey

    @property
    def archive(self) -> str:
        """The key of the interpreter's archive in the store, which has all parts."""
        return f"python-{self.release.version}-{_digest(self.key)}"

    def is_in_image(self, parts: Parts) -> bool:
        """Whether the previous image has this interpreter with exactly *parts*."""
        return self.parts_in_image == parts


def find_runtime(release: Release, context: BuildContext, output: Output) -> Runtime:
    """Return the app's Python for *release*; log every reason not to reuse the previous layer."""
    layer = layer_of(context.layers_dir, NAME)
    key = _key(release, context.target, layer)
    interpreter = Interpreter(_program(layer, release), release.version, layer.path)
    state, parts = _without_parts(layer.state())
    decision = decide(state, key)
    if isinstance(decision, Rebuild):
        for reason in decision.reasons:
            output.line(f"Not using the previous build's Python: {reason}")
    parts_in_image = parts if isinstance(decision, Reuse) else None
    return Runtime(release, interpreter, parts_in_image, context, key)


def reuse(runtime: Runtime, parts: Parts) -> None:
    """Reuse the layer from the previous image, which has *parts*; remove its files from disk."""
    layer_of(runtime.context.layers_dir, NAME).reuse_from_image(_metadata(runtime, parts))


def finish(runtime: Runtime, parts: Parts, *, build: bool) -> None:
    """Turn the files on disk into the layer; with *build*, later buildpacks see it too.

    *parts*: those that are on disk.
    """
    layer = layer_of(runtime.context.layers_dir, NAME)
    layer.finish(LayerTypes(build=build, launch=True), _metadata(runtime, parts))


def _metadata(runtime: Runtime, parts: Parts) -> dict[str, str]:
    return runtime.key.metadata() | {_PARTS: " ".join(sorted(parts))}


def _without_parts(state: Restored | Empty) -> tuple[Restored | Empty, Parts | None]:
    """Return *state* with the metadata of a `PythonKey` alone, and the parts that it has."""
    if isinstance(state, Empty):
        return state, None
    metadata = dict(state.metadata)
    parts = metadata.pop(_PARTS, None)
    return (
        replace(state, metadata=metadata),
        frozenset(parts.split()) if isinstance(parts, str) else None,
    )


def _digest(key: PythonKey) -> str:
    values = replace(key, format=_TREE_FORMAT).metadata().values()
    return hashlib.sha256("\0".join(values).encode()).hexdigest()[:16]


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
