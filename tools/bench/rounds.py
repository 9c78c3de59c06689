"""A round: every case once, the contestants in turn within each case."""

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
    """What an author has done before a build, and where it goes."""

    name: str
    who: tuple[str, ...]
    edit: Edit = field(default=lambda _: None)
    image: str = "app"
    """Cases with the same one follow each other: the image and the caches of the one before."""
    tag: str = "1"


def _pythons(version: str, app: App) -> None:
    app.ask_python(version)


def _loosen(app: App) -> None:
    app.ask_python(PYTHON)
    app.loosen()


COLD, FIRST, UNCHANGED, SOURCE = "cold", "first", "unchanged", "source"
DEPENDENCY, NEW_TAG, COLD_RANGE = "dependency", "new tag", "cold, a range"
OLD_PATCH, PATCH = "old patch", "patch"
CASES = (
    Case(COLD, PAIR),
    Case(FIRST, IDLE),
    Case(UNCHANGED, (*PAIR, *IDLE)),
    Case(SOURCE, (*PAIR, *IDLE), lambda app: app.edit_source(1)),
    Case(DEPENDENCY, PAIR, lambda app: app.pin(bumped=True)),
    # As CI does: each build follows an edit, and has a tag of its own.
    Case(NEW_TAG, PAIR, lambda app: app.edit_source(2), tag="2"),
    Case(OLD_PATCH, PAIR, partial(_pythons, PATCHED[0]), "patch"),
    Case(PATCH, PAIR, partial(_pythons, PATCHED[1]), "patch"),
    Case(COLD_RANGE, PAIR, _loosen, "range"),
)
# What needs no other case before it but the ones named; `--only` takes these along.
NEEDS: Mapping[str, tuple[str, ...]] = {
    UNCHANGED: (COLD, FIRST),
    SOURCE: (COLD, FIRST),
    DEPENDENCY: (COLD,),
    NEW_TAG: (COLD,),
    PATCH: (OLD_PATCH,),
}


@dataclass(frozen=True, slots=True)
class Taken:
    """A measured build."""

    app: str
    export: str
    case: str
    contestant: str
    round: int
    load: float
    """The machine's load average over the last minute, after the build; above 4: others work."""
    pack_s: float
    build_s: float
    """`bin/build` alone."""
    phases_s: Mapping[str, float]
    pushed_bytes: int | None
    """Sent to the registry; None: the image went to the engine."""
    layers: Mapping[str, str] | None
    """Digest by name of the buildpack's layers in the registry."""
    layer_bytes: Mapping[str, int] | None
    """Compressed bytes by name of the same."""


@dataclass(frozen=True, slots=True)
class Course:
    """What all rounds share."""

    engine: Engine
    registry: Registry
    run_image: str
    """In the registry."""
    contestants: Mapping[str, Contestant]
    env: tuple[tuple[str, str], ...]
    prefix: str
    """Part of every name that is given here."""
    logs: Path
    """Where the output of each build is kept."""
    cases: tuple[Case, ...] = CASES

    def round(self, app: App, export: str, number: int) -> Iterator[Taken]:
        """Measure all cases of *app*, a fresh copy; remove what was made."""
        stem = f"{self.prefix}-{app.sample.fixture}-{export}-{number}"
        for case in self.cases:
            case.edit(app)
            for name in turns(case.who, number):
                taken = self._measure(app, export, case, name, number, stem)
                say(f"  {export} {number} {case.name:<14} {name:<8} {_shown(taken)}")
                with (self.logs / "builds.jsonl").open("a") as file:
                    file.write(f"{json.dumps(asdict(taken))}\n")
                yield taken
        images.sweep(self.engine, stem)

    def target(self, export: str, case: Case, name: str, stem: str) -> Target:
        """Where the build of a case goes."""
        # What does nothing keeps its image for all rounds: filling it takes a minute.
        image = f"{stem if name in PAIR else stem.rpartition('-')[0]}-{name}-{case.image}"
        if export == DAEMON:
            return Target(f"{image}:{case.tag}", image)
        return Target(f"{self.registry.address}/{image}:{case.tag}", image, self.run_image)

    def _measure(
        self, app: App, export: str, case: Case, name: str, number: int, stem: str
    ) -> Taken:
        target = self.target(export, case, name, stem)
        before = self.registry.counter.sent
        packed = pack(self.engine, self.contestants[name], app.folder, target, self.env)
        sent = self.registry.counter.sent - before
        self._keep(f"{app.sample.fixture}-{export}-{number}-{case.name}-{name}", packed.output)
        layers, sizes = self._books(target) if target.publish else (None, None)
        return Taken(
            app=app.sample.fixture,
            export=export,
            case=case.name,
            contestant=name,
            round=number,
            load=round(os.getloadavg()[0], 1),
            pack_s=round(packed.pack, 3),
            build_s=round(packed.build, 3),
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
    """Return *names* in the order of round *number*: each begins as often as the others.

    >>> turns(("ours", "plain"), 1), turns(("ours", "plain"), 2)
    (('ours', 'plain'), ('plain', 'ours'))
    """
    start = (number - 1) % len(names)
    return (*names[start:], *names[:start])


def chosen(names: Sequence[str]) -> tuple[Case, ...]:
    """Return the cases of these *names*, and those they need; without names, all."""
    wanted = {*names, *(need for name in names for need in NEEDS.get(name, ()))}
    return tuple(case for case in CASES if not wanted or case.name in wanted)


def _shown(taken: Taken) -> str:
    pushed = "" if taken.pushed_bytes is None else f"  {taken.pushed_bytes / 1e6:6.1f} MB pushed"
    times = f"pack {taken.pack_s:6.2f} s  bin/build {taken.build_s:6.2f} s"
    return f"{times}  load {taken.load:4.1f}{pushed}"
