"""A round: every case once, with the contestants in turn in each case."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

from tools.bench import images
from tools.bench.apps import App
from tools.bench.contestants import NOTHING, OURS, PLAIN, STORING, Contestant
from tools.bench.packing import Target, pack
from tools.bench.registry import Registry
from tools.platforms.engine import Engine
from tools.processes import say

DAEMON, REGISTRY = "daemon", "registry"
EXPORTS = (REGISTRY, DAEMON)
PAIR, IDLE = (OURS, PLAIN), (NOTHING, STORING)
PYTHON = "3.14.6"
PATCHED = ("3.13.1", "3.13.13")

type Edit = Callable[[App], None]


@dataclass(frozen=True, slots=True)
class Case:
    """An edit of the app before a build, and the image that the build makes."""

    name: str
    who: tuple[str, ...]
    edit: Edit = field(default=lambda _: None)
    image: str = "app"
    """Cases with the same image follow each other, with the caches of the case before."""
    tag: str = "1"
    static: bool = False
    """Whether it is about what collectstatic reads: only for apps with static files."""

    def fits(self, app: App) -> bool:
        """Return whether the case makes sense for *app*."""
        return bool(app.sample.read) or not self.static


def _edit_view(number: int, app: App) -> None:
    app.edit(app.sample.view, number)


def _edit_read(app: App) -> None:
    app.edit(app.sample.read, 1)


def _bump(app: App) -> None:
    app.pin(app.sample.bump, bumped=True)


def _bump_untouched(app: App) -> None:
    if app.sample.untouched:
        app.pin(app.sample.untouched, bumped=True)


def _pythons(version: str, app: App) -> None:
    app.ask_python(version)


def _loosen(app: App) -> None:
    app.ask_python(PYTHON)
    app.loosen()


COLD, FIRST, UNCHANGED, VIEW, SOURCE = "cold", "first", "unchanged", "view", "source"
DEPENDENCY, UNTOUCHED = "dependency", "untouched-dependency"
NEW_TAG, COLD_RANGE = "new tag", "cold, a range"
OLD_PATCH, PATCH = "old patch", "patch"
CASES = (
    Case(COLD, PAIR),
    Case(FIRST, IDLE),
    Case(UNCHANGED, (*PAIR, *IDLE)),
    Case(VIEW, (*PAIR, *IDLE), partial(_edit_view, 1)),
    Case(SOURCE, PAIR, _edit_read, static=True),
    Case(UNTOUCHED, PAIR, _bump_untouched, static=True),
    Case(DEPENDENCY, PAIR, _bump),
    # As in CI, where each build has an edit and a tag of its own.
    Case(NEW_TAG, PAIR, partial(_edit_view, 2), tag="2"),
    Case(OLD_PATCH, PAIR, partial(_pythons, PATCHED[0]), "patch"),
    Case(PATCH, PAIR, partial(_pythons, PATCHED[1]), "patch"),
    Case(COLD_RANGE, PAIR, _loosen, "range"),
)
# The cases that have to run before a case; `--only` adds them.
NEEDS: Mapping[str, tuple[str, ...]] = {
    UNCHANGED: (COLD, FIRST),
    VIEW: (COLD, FIRST),
    SOURCE: (COLD,),
    UNTOUCHED: (COLD,),
    DEPENDENCY: (COLD,),
    NEW_TAG: (COLD,),
    PATCH: (OLD_PATCH,),
}


@dataclass(frozen=True, slots=True)
class Build:
    """A measured build."""

    app: str
    export: str
    case: str
    contestant: str
    round: int
    load: float
    """The machine's load average of the last minute; above 4, other programs were running."""
    pack_s: float
    build_s: float
    """`bin/build` alone."""
    cpu_s: float
    """CPU seconds of `bin/build` and the processes that it waited for."""
    phases_s: Mapping[str, float]
    pushed_bytes: int | None
    """Bytes sent to the registry; None: the image went to the engine."""
    layers: Mapping[str, str] | None
    """Digest by name of the buildpack's layers in the registry."""
    layer_bytes: Mapping[str, int] | None
    """Compressed bytes by name of the same."""


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything that the rounds share."""

    engine: Engine
    registry: Registry
    run_image: str
    """In the registry."""
    contestants: Mapping[str, Contestant]
    env: tuple[tuple[str, str], ...]
    prefix: str
    """Prefix of the names of all images and volumes."""
    logs: Path
    """Directory of the output of each build."""
    cases: tuple[Case, ...] = CASES

    def round(self, app: App, export: str, number: int) -> Iterator[Build]:
        """Measure all cases of *app*, a fresh copy; remove images and volumes afterwards."""
        stem = f"{self.prefix}-{app.sample.fixture}-{export}-{number}"
        for case in self.cases:
            if not case.fits(app):
                continue
            case.edit(app)
            for name in turns(case.who, number):
                build = self._measure(app, export, case, name, number, stem)
                say(f"  {export} {number} {case.name:<14} {name:<8} {_shown(build)}")
                with (self.logs / "builds.jsonl").open("a") as file:
                    file.write(f"{json.dumps(asdict(build))}\n")
                yield build
        images.sweep(self.engine, stem)

    def target(self, export: str, case: Case, name: str, stem: str) -> Target:
        """Return the image and volumes of a build."""
        # NOTHING and STORING keep their images for all rounds: making one takes a minute.
        image = f"{stem if name in PAIR else stem.rpartition('-')[0]}-{name}-{case.image}"
        if export == DAEMON:
            return Target(f"{image}:{case.tag}", image)
        return Target(f"{self.registry.address}/{image}:{case.tag}", image, self.run_image)

    def _measure(
        self, app: App, export: str, case: Case, name: str, number: int, stem: str
    ) -> Build:
        target = self.target(export, case, name, stem)
        before = self.registry.counter.sent
        packed = pack(self.engine, self.contestants[name], app.folder, target, self.env)
        sent = self.registry.counter.sent - before
        self._keep(f"{app.sample.fixture}-{export}-{number}-{case.name}-{name}", packed.output)
        layers, sizes = self._books(target) if target.publish else (None, None)
        return Build(
            app=app.sample.fixture,
            export=export,
            case=case.name,
            contestant=name,
            round=number,
            load=round(os.getloadavg()[0], 1),
            pack_s=round(packed.pack, 3),
            build_s=round(packed.build, 3),
            cpu_s=round(packed.cpu, 3),
            phases_s={title: round(seconds, 3) for title, seconds in packed.phases.items()},
            pushed_bytes=sent if target.publish else None,
            layers=layers,
            layer_bytes=sizes,
        )

    def _keep(self, title: str, output: str) -> None:
        name = title.replace(",", "").replace(" ", "_")
        (self.logs / f"{name}.log").write_text(f"{output}\n")

    def _books(self, target: Target) -> tuple[dict[str, str], dict[str, int]]:
        published = self.registry.read(target.image)
        layers = images.digests(published.labels)
        return layers, {name: published.sizes[digest] for name, digest in layers.items()}


def turns(names: Sequence[str], number: int) -> tuple[str, ...]:
    """Return *names* in the order of round *number*, in which each comes first in turn.

    >>> turns(("ours", "plain"), 1), turns(("ours", "plain"), 2)
    (('ours', 'plain'), ('plain', 'ours'))
    """
    start = (number - 1) % len(names)
    return (*names[start:], *names[:start])


def select(names: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases of these *names*, and the cases they need; all if there are no names."""
    selected = {*names, *(need for name in names for need in NEEDS.get(name, ()))}
    return tuple(case for case in CASES if not selected or case.name in selected)


def _shown(build: Build) -> str:
    pushed = "" if build.pushed_bytes is None else f"  {build.pushed_bytes / 1e6:6.1f} MB pushed"
    times = f"pack {build.pack_s:6.2f} s  bin/build {build.build_s:6.2f} s"
    times += f"  CPU {build.cpu_s:6.2f} s"
    return f"{times}  load {build.load:4.1f}{pushed}"
