"""A package manager whose packages are values: it installs by writing files."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.errors.base import Message
from cnb_python.managers.base import (
    AppLeftOut,
    InstallContext,
    Manager,
    NeedsResolving,
    PackageIndexes,
    Pin,
    PinsRefused,
    Resolution,
)
from cnb_python.system.interface import Run
from tests.support.stages import SITE, install
from tests.support.wheels import metadata

NEEDS_RESOLVING = NeedsResolving("line 1 of requirements.txt asks for a range")


class Package(NamedTuple):
    """What a line of a requirements file installs."""

    files: Mapping[str, str]
    """By path below the environment."""
    requires: Sequence[str] = ()


def package(name: str, content: str = "", *requires: str, **more: str) -> Package:
    """Return a package of the module *name*; *more* are files beside it, `__` for a dot."""
    files = {f"{SITE}/{name}.py": content or f"# {name}"}
    files |= {f"{SITE}/{path.replace('__', '.')}": text for path, text in more.items()}
    return Package(files, requires)


def pin(line: str, origin: str = "", *, is_cacheable: bool = True, by_itself: bool = False) -> Pin:
    name, _, version = line.partition("==")
    origin = origin or f"origin of {name}"
    return Pin(name, version, origin, line, is_cacheable, by_itself=by_itself)


def resolution_of(*lines: str, from_files_alone: bool = True) -> Resolution:
    return Resolution(
        tuple(sorted(map(pin, lines))), from_files_alone, "uv" if from_files_alone else "pip"
    )


@dataclass
class FakeManager:
    """Resolves, installs and refuses by its fields; remembers the calls."""

    index: dict[str, Package]
    """By line: `six==1.0`."""
    resolved: Resolution = field(default_factory=resolution_of)
    """What `resolve` returns."""
    from_files: Resolution | NeedsResolving = NEEDS_RESOLVING
    """What `resolve_from_files` returns."""
    refusal: str = ""
    """Why `install` refuses a resolution from files alone."""
    left_out: str = ""
    """The name of the package that cannot be built, and need not be."""
    without_wheel: frozenset[str] = frozenset()
    """The names of the packages that have to be built."""
    before_install: Callable[[InstallContext], None] = lambda _: None
    """Called before anything is installed."""
    calls: list[str] = field(default_factory=list)
    indexes: tuple[str, ...] = ("https://index.example.org/simple/",)
    """Where its packages come from."""
    name: str = "pip"
    deciding_file: str = "requirements.txt"

    def deciding_files(self, app: App) -> tuple[str, ...]:
        raise AssertionError(app)

    def with_development(self, app: App) -> tuple[Manager, tuple[str, ...]]:
        raise AssertionError(app)

    def check(self, app: App) -> tuple[Message, ...]:
        raise AssertionError(app)

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        del app, python, environ
        return self.from_files

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        self._note("resolve", ())
        # What this installs is not used, so it may install anything.
        self.before_install(context)
        self._build(self.resolved.pins, context)
        del run
        return self.resolved

    def install(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> frozenset[str]:
        assert set(pins) <= set(resolution.pins)
        self._note("build" if context.builds else "fetch", pins)
        self.before_install(context)
        if resolution.from_files_alone and self.refusal:
            raise PinsRefused(self.refusal)
        del run
        if context.builds and self.left_out in {pin.name for pin in pins}:
            raise AppLeftOut(Message(f"{self.left_out} is left out", ()))
        if context.builds:
            self._build(pins, context)
            return frozenset()
        unbuilt = self.without_wheel & {pin.name for pin in pins}
        if not unbuilt:
            self._fetch(pins, context)
        return unbuilt

    def package_indexes(
        self, resolution: Resolution, context: InstallContext, run: Run
    ) -> PackageIndexes:
        del resolution, context, run
        return PackageIndexes(lambda _: (self.indexes,), {})

    def _note(self, what: str, pins: Sequence[Pin]) -> None:
        self.calls.append(" ".join((what, *(pin.name for pin in pins))))

    def _build(self, pins: Sequence[Pin], context: InstallContext) -> None:
        self._put(pins, DistributionRoot(context.environment, context.environment, "3.14"))

    def _fetch(self, pins: Sequence[Pin], context: InstallContext) -> None:
        for each in pins:
            if each.line in self.index:
                apart = context.scratch / each.name
                self._put([each], DistributionRoot(apart, context.environment, "3.14"))
                archive = context.uv_cache / f"archive-v0/{each.name}"
                archive.parent.mkdir(parents=True, exist_ok=True)
                (apart / SITE).rename(archive)
                data = archive / f"{each.name}-{each.version}.data/data"
                for path in [path for path in apart.iterdir() if path.name != "lib"]:
                    data.mkdir(parents=True, exist_ok=True)
                    path.rename(data / path.name)

    def _put(self, pins: Sequence[Pin], root: DistributionRoot) -> None:
        for each in pins:
            if each.line in self.index:
                files, requires = self.index[each.line]
                text = metadata(each.name, each.version, requires, "")
                install(root, each.name, files, version=each.version, METADATA=text)


def copied_pip(directory: Path) -> Path:
    """Make a package `pip` in *directory*, as a checkout has it; return it."""
    pip = directory / "pip"
    pip.mkdir(parents=True)
    (pip / "__init__.py").touch()
    return pip
