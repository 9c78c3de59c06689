"""Medians of the builds that were measured."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tools.bench.rounds import Build


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians of one contestant's builds of one case."""

    app: str
    export: str
    case: str
    contestant: str
    builds: int
    pack_s: float
    build_s: float
    cpu_s: float
    phases_s: dict[str, float]
    pushed_bytes: int | None


def summaries(builds: Sequence[Build]) -> list[Summary]:
    """Return the medians of *taken*, in the order in which the cases came first."""
    groups: dict[tuple[str, str, str, str], list[Build]] = {}
    for build in builds:
        groups.setdefault((build.app, build.export, build.case, build.contestant), []).append(
            build
        )
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Build]) -> Summary:
    first = group[0]
    titles = dict.fromkeys(title for build in group for title in build.phases_s)
    pushed = [build.pushed_bytes for build in group if build.pushed_bytes is not None]
    return Summary(
        app=first.app,
        export=first.export,
        case=first.case,
        contestant=first.contestant,
        builds=len(group),
        pack_s=_middle(build.pack_s for build in group),
        build_s=_middle(build.build_s for build in group),
        cpu_s=_middle(build.cpu_s for build in group),
        phases_s={
            title: _middle(build.phases_s.get(title, 0.0) for build in group) for title in titles
        },
        pushed_bytes=round(median(pushed)) if pushed else None,
    )


def _middle(seconds: Iterable[float]) -> float:
    return round(median(seconds), 3)
