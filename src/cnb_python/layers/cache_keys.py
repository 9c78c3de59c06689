"""The cache keys of layers: what their contents depend on, and whether it has changed."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Empty, Restored
from cnb_python.config.settings import Settings
from cnb_python.managers.tool_settings import settings_digest
from cnb_python.python.releases import Release

# Raise it with every change of how an installed package is kept: of its bytes, the format of the
# store, or the layout of shards and links. Raise it too if a release of uv, pip or another tool
# makes other files of the same lock: their versions are in no key.
FORMAT = "3"
NLTK = "nltk"
NLTK_FILE = "nltk.txt"
SYSTEM_PACKAGES = "system-packages"
SYSTEM_PACKAGES_BUILD = f"{SYSTEM_PACKAGES}-build"
_NLTK_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class LayerKey:
    """What a layer is made from; equal keys mean equal contents.

    Every field of a subclass is a string made with `part`. These are plain dataclasses, since
    importing pydantic takes longer than a whole unchanged build may.
    """

    def metadata(self) -> dict[str, str]:
        """Return the key as layer metadata."""
        return {part.name: str(getattr(self, part.name)) for part in fields(self)}


def part(title: str) -> str:
    """Return a field of a key; *title* is how the log names it: "Python release"."""
    key_field: str = field(metadata={"title": title})
    return key_field


def names(key: type[LayerKey]) -> frozenset[str]:
    """Return the names of a key's fields."""
    return frozenset(part.name for part in fields(key))


@dataclass(frozen=True, slots=True)
class PackageKey(LayerKey):
    """The cache key of the distributions: equal keys and resolutions give equal environments.

    It leaves out the patch release of Python, so that a security release replaces Python alone.
    `BuildRecord.python_patch` has it for a resolution that depends on it. It leaves out the
    releases of this buildpack, uv and pip too: a wheel is unpacked and compiled here, and of a
    package that is built from source, its build backend decides the files.
    """

    format: str = part("cache format")
    python: str = part("Python release line")
    flavour: str = part("Python flavor")
    os: str = part("operating system")
    arch: str = part("architecture")
    distro: str = part("Linux distribution of the image")
    directory: str = part("layers directory")
    building: str = part("digest of the build settings")


@dataclass(frozen=True, slots=True)
class EnvironmentKey(LayerKey):
    """The cache key of the layout: if it changes, installed distributions stay usable."""

    manager: str = part("package manager")
    installer: str = part("installer")
    layout: str = part("layout")
    exec_env: str = part("execution environment")
    app: str = part("app directory")


def package_key(release: Release, context: BuildContext, project: Path) -> PackageKey:
    """Return the key of the distributions for *release* of Python and the app in *project*."""
    target = context.target
    return PackageKey(
        format=FORMAT,
        python=release.minor,
        flavour=release.flavour,
        os=target.os,
        arch=" ".join(filter(None, (target.arch, target.arch_variant))),
        distro=target.distro,
        directory=str(context.layers_dir),
        building=settings_digest(context.environ, project),
    )


def environment_key(manager: str, settings: Settings, context: BuildContext) -> EnvironmentKey:
    """Return the key of the layout for the app of the package manager named *manager*."""
    return EnvironmentKey(
        manager=manager,
        installer=settings.installer,
        layout=settings.layout,
        exec_env=context.exec_env,
        app=str(context.app_dir / settings.project),
    )


SBOM = "sbom"
"""The digest of the layer's SBOM, in the metadata of some layers; it is in no key."""

DOWNLOADS = "downloads"
"""The files that a layer was made from, in the metadata of some layers; not part of a key."""


@dataclass(frozen=True, slots=True)
class Reuse:
    """The restored layer is the one that this build would make."""

    has_contents: bool
    """False if only the previous image has the contents."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The layer has to be made."""

    reasons: tuple[str, ...]
    """Every reason; empty if there was no such layer before."""


def decide(state: Restored | Empty, key: LayerKey) -> Reuse | Rebuild:
    """Return whether the layer that was restored as *state* is valid for *key*."""
    if isinstance(state, Empty):
        return Rebuild((state.reason,) if state.reason else ())
    reasons = differences(state.metadata, key)
    return Rebuild(reasons) if reasons else Reuse(state.has_contents)


def differences(metadata: Mapping[str, object], key: LayerKey) -> tuple[str, ...]:
    """Return every reason why a layer with *metadata* is invalid, in the order of *key*'s fields.

    Empty if it is valid.
    """
    reasons = []
    for key_field in fields(key):
        old, new = metadata.get(key_field.name), getattr(key, key_field.name)
        if old != new:
            title = key_field.metadata["title"]
            reasons.append(f"the {title} has changed from {_shown(old)} to {_shown(new)}")
    if not metadata.keys() - {SBOM, DOWNLOADS} <= names(type(key)):
        reasons.append("it was made by another release of this buildpack")
    return tuple(reasons)


def _shown(value: object) -> str:
    match value:
        case None | "":
            return "(none)"
        case _:
            return str(value)


@dataclass(frozen=True, slots=True)
class NltkKey(LayerKey):
    """What the layer depends on. Not the server: a mirror serves the same data."""

    format: str = part("format of the NLTK data layer")
    version: str = part("NLTK version")
    names: str = part("list of data in nltk.txt")

    @property
    def archive(self) -> str:
        """The key of the data's archive in the store."""
        values = "\0".join(self.metadata().values())
        return f"nltk-{hashlib.sha256(values.encode()).hexdigest()[:32]}"


def nltk_key(version: str, names: Iterable[str]) -> NltkKey:
    """Return the key of the data *names* for NLTK *version*."""
    return NltkKey(_NLTK_FORMAT, version, " ".join(sorted(set(names))))
