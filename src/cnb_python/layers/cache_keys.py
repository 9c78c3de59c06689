"""What an environment depends on besides the packages themselves."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.layer import Empty, Restored
from cnb_python.config.settings import Settings
from cnb_python.managers.build_settings import settings_digest
from cnb_python.python.releases import Release


@dataclass(frozen=True, slots=True)
class LayerKey:
    """What a layer is made from; equal keys mean equal contents.

    A subclass has fields of text made with `part`. Plain dataclasses, since pydantic takes longer
    to import than a build that has nothing to do may take in all.
    """

    def metadata(self) -> dict[str, str]:
        """Return the key as a layer's metadata."""
        return {part.name: str(getattr(self, part.name)) for part in fields(self)}


def part(title: str) -> str:
    """Make a field of a key; *title* is the phrase shown when it differs: "Python release"."""
    made: str = field(metadata={"title": title})
    return made


def names(key: type[LayerKey]) -> frozenset[str]:
    """Return the names of a key's fields."""
    return frozenset(part.name for part in fields(key))


@dataclass(frozen=True, slots=True)
class Reuse:
    """The previous build's layer is the one this build would make."""

    has_contents: bool
    """False: the contents are in the previous image alone."""


@dataclass(frozen=True, slots=True)
class Rebuild:
    """The layer has to be made anew."""

    reasons: tuple[str, ...]
    """Every one; none for a layer that was not there before."""


def decide(state: Restored | Empty, wanted: LayerKey) -> Reuse | Rebuild:
    """Return what is to be done about a layer whose previous *state* is known."""
    if isinstance(state, Empty):
        return Rebuild((state.reason,) if state.reason else ())
    reasons = differences(state.metadata, wanted)
    return Rebuild(reasons) if reasons else Reuse(state.has_contents)


def differences(restored: Mapping[str, object], wanted: LayerKey) -> tuple[str, ...]:
    """Return every reason to rebuild, in the order of the key's fields; none: keep."""
    found = []
    for one in fields(wanted):
        old, new = restored.get(one.name), getattr(wanted, one.name)
        if old != new:
            title = one.metadata["title"]
            found.append(f"the {title} has changed from {_shown(old)} to {_shown(new)}")
    known = {one.name for one in fields(wanted)}
    if not restored.keys() <= known:
        found.append("it was made by another release of this buildpack")
    return tuple(found)


def _shown(value: object) -> str:
    match value:
        case None | "":
            return "(none)"
        case _:
            return str(value)


# To be raised with every change of what becomes of an installed package: of its bytes, of the
# store's form, of shares and links.
FORMAT = "2"


@dataclass(frozen=True, slots=True)
class PackageKey(LayerKey):
    """Equal keys and equal decisions are equal environments.

    Not the patch release of Python: a security release changes the interpreter alone. Where a
    decision depends on it, `Record.patch` says so.
    """

    format: str = part("form of the environment")
    python: str = part("Python line")
    flavour: str = part("flavour of Python")
    os: str = part("operating system")
    arch: str = part("processor")
    distro: str = part("distribution of the image")
    directory: str = part("directory of the layers")
    tools: str = part("version of the installing tools")
    building: str = part("digest of the settings for builds from source")


@dataclass(frozen=True, slots=True)
class EnvironmentKey(LayerKey):
    """What may differ while every kept package is still of use."""

    manager: str = part("package manager")
    installer: str = part("installer")
    layout: str = part("layout")
    exec_env: str = part("execution environment")
    app: str = part("directory of the app")


def package_key(release: Release, context: BuildContext, tools: str, project: Path) -> PackageKey:
    """Return the key of everything that was installed for *release* in the directory *project*.

    *tools* are those that install: `pip 26.3, uv 0.13.8`.
    """
    target = context.target
    return PackageKey(
        format=FORMAT,
        python=release.minor,
        flavour=release.flavour,
        os=target.os,
        arch=" ".join(filter(None, (target.arch, target.arch_variant))),
        distro=target.distro,
        directory=str(context.layers_dir),
        tools=tools,
        building=settings_digest(context.environ, project),
    )


def environment_key(manager: str, settings: Settings, context: BuildContext) -> EnvironmentKey:
    """Return what else the image's environment depends on."""
    return EnvironmentKey(
        manager=manager,
        installer=settings.installer,
        layout=settings.layout,
        exec_env=context.exec_env,
        app=str(context.app_dir / settings.project),
    )


NLTK = "nltk"
NLTK_FILE = "nltk.txt"
_FORMAT = "1"


@dataclass(frozen=True, slots=True)
class NltkKey(LayerKey):
    """What the layer depends on. Not the server: a mirror has the same data."""

    format: str = part("form of NLTK's data")
    version: str = part("release of NLTK")
    names: str = part("list of data in nltk.txt")

    @property
    def archive(self) -> str:
        """What the store has the data under."""
        whole = "\0".join(self.metadata().values())
        return f"nltk-{hashlib.sha256(whole.encode()).hexdigest()[:32]}"


def nltk_key(version: str, names: Iterable[str]) -> NltkKey:
    """Return the key of the data *names*, from NLTK *version*."""
    return NltkKey(_FORMAT, version, " ".join(sorted(set(names))))
