"""Builds each set in both layouts, and compares the facts."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.compat import images, pins, suites
from tools.compat.compare import Json, differences, explained, failures
from tools.compat.document import Compared, SuiteRun
from tools.compat.images import LAYOUTS, REPORTS, BuildContext, Built
from tools.compat.pins import SUITES_SET, Pinned, Suite
from tools.compat.suites import Outcomes
from tools.processes import fail, say

INSIDE = Path(__file__).parent / "inside"
SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Selection:
    """What is compared; None: everything."""

    sets: Sequence[str] | None
    suites: Sequence[str] | None
    first: int | None
    """Number of distributions of each set."""

    def of(self, names: Iterable[str], chosen: Sequence[str] | None) -> list[str]:
        """Return those of *names* that are in *chosen*, in their own order."""
        return [name for name in names if chosen is None or name in chosen]


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts of one image."""

    holds: Mapping[str, Json]
    works: Mapping[str, Json]
    suites: Mapping[str, Outcomes]


def all_of(
    context: BuildContext, selection: Selection
) -> tuple[dict[str, Compared], list[SuiteRun]]:
    """Compare every selected set, and run every selected suite."""
    pinned = pins.popular(pins.POPULAR.read_text())
    compared: dict[str, Compared] = {}
    runs: list[SuiteRun] = []
    for name in selection.of(pinned, selection.sets):
        selected = _suites(selection) if name == SUITES_SET else []
        both = _both(context, name, pinned[name], selected, selection.first)
        compared[name] = _compared(name, pinned[name], *both)
        runs = runs or [_suite_run(suite, pinned[name], *both) for suite in selected]
    return compared, runs


def _suites(selection: Selection) -> list[Suite]:
    everything = {suite.name: suite for suite in pins.suites()}
    return [everything[name] for name in selection.of(everything, selection.suites)]


def _both(
    context: BuildContext, name: str, pinned: Pinned, selected: Sequence[Suite], first: int | None
) -> list[Facts]:
    versions = [*pinned.requested, *pinned.dependencies]
    files = {path.name: path for path in INSIDE.glob("[!_]*.py")}
    for suite in selected:
        files |= suites.fetch(
            suite, pins.version(versions, suite.name), context.folder / "sources"
        )
    app = images.write_app(context.folder / name, pinned.first(first), files)
    facts = [_facts(context, app, layout, selected, _commands(name, first)) for layout in LAYOUTS]
    _check_layouts(name, *facts)
    return facts


def _commands(name: str, first: int | None) -> list[str]:
    """Return the commands of a set; none for a part of it, which may lack dependencies."""
    return pins.commands().get(name, []) if first is None else []


def _facts(
    context: BuildContext,
    app: Path,
    layout: str,
    selected: Sequence[Suite],
    commands: Sequence[str],
) -> Facts:
    say(f"{app.name}, {layout}: building")
    with images.built(context, app, layout) as built:
        say(f"{app.name}, {layout}: looking and importing")
        holds, works = _read_facts(built, "holds"), _read_facts(built, "works", *commands)
        return Facts(
            holds, works, {suite.name: _run_suite(built, suite, layout) for suite in selected}
        )


def _run_suite(built: Built, suite: Suite, layout: str) -> Outcomes:
    say(f"{suite.name}, {layout}: running its tests")
    return suites.run_suite(built, suite)


def _read_facts(built: Built, program: str, *arguments: str) -> Mapping[str, Json]:
    """Return the facts that a program of `inside/` writes."""
    report = f"{program}.json"
    # -P: without the app's directory on the import path.
    command = ("python", "-P", f"/workspace/{program}.py", f"{REPORTS}/{report}", *arguments)
    ended = built.run(*command, timeout=SECONDS)
    if ended.code != 0:
        fail(f"{program}.py ended with {ended.code}:\n{ended.output[-4000:]}")
    facts: Mapping[str, Json] = json.loads(built.report(report))
    return facts


def _check_layouts(name: str, linked: Facts, merged: Facts) -> None:
    """Raise `Unavailable` unless the first environment has links and the second has none."""
    if not linked.holds["links"]:
        fail(f"{name}: the environment that should be linked has no link: nothing to compare.")
    if merged.holds["links"]:
        fail(f"{name}: the merged environment has {merged.holds['links']} links out of it.")


def _compared(name: str, pinned: Pinned, linked: Facts, merged: Facts) -> Compared:
    holds = [{**facts.holds, "links": 0} for facts in (linked, merged)]
    all_differences = [
        *differences(f"{name}/holds", *holds),
        *differences(f"{name}/works", linked.works, merged.works),
    ]
    distributions = _names(linked.holds["distributions"])
    return Compared(
        popular=[popular for popular in pins.names(pinned.requested) if popular in distributions],
        python=str(linked.holds["python"]),
        links=int(str(linked.holds["links"])),
        distributions=distributions,
        works=_counts(linked.works),
        failed=list(failures(f"{name}/works", linked.works)),
        differences=explained(all_differences, pins.reasons()),
    )


def _suite_run(suite: Suite, pinned: Pinned, linked: Facts, merged: Facts) -> SuiteRun:
    outcomes = linked.suites[suite.name], merged.suites[suite.name]
    all_differences = list(suites.differences(suite, *outcomes))
    version = pins.version([*pinned.requested, *pinned.dependencies], suite.name)
    return SuiteRun(
        suite.name, version, suite.part, *outcomes, explained(all_differences, pins.reasons())
    )


def _counts(works: Mapping[str, Json]) -> dict[str, int]:
    """Return the number of modules, entry points and commands that were run."""
    by_distribution = works["imports"]
    assert isinstance(by_distribution, Mapping)  # noqa: S101 - as works.py writes it; for mypy
    parts = [part for part in by_distribution.values() if isinstance(part, Mapping)]
    return {
        "modules": sum(_length(part.get("modules")) for part in parts),
        "entry points": sum(_length(part.get("entry points")) for part in parts),
        "commands": _length(works["commands"]),
    }


def _length(value: Json) -> int:
    return len(value) if isinstance(value, Mapping) else 0


def _names(value: Json) -> list[str]:
    """Return the keys of an object as normalized names."""
    names = value if isinstance(value, Mapping) else {}
    return sorted(re.sub(r"[-_.]+", "-", name).lower() for name in names)
