"""From the builds that were measured to medians."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from tools.bench.rounds import Taken


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
    phases_s: dict[str, float]
    pushed_bytes: int | None


def summaries(taken: Sequence[Taken]) -> list[Summary]:
    """Return the medians of *taken*, in the order in which the cases came first."""
    groups: dict[tuple[str, str, str, str], list[Taken]] = {}
    for one in taken:
        groups.setdefault((one.app, one.export, one.case, one.contestant), []).append(one)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Taken]) -> Summary:
    first = group[0]
    titles = dict.fromkeys(title for one in group for title in one.phases_s)
    pushed = [one.pushed_bytes for one in group if one.pushed_bytes is not None]
    return Summary(
        app=first.app,
        export=first.export,
        case=first.case,
        contestant=first.contestant,
        builds=len(group),
        pack_s=_middle(one.pack_s for one in group),
        build_s=_middle(one.build_s for one in group),
        phases_s={
            title: _middle(one.phases_s.get(title, 0.0) for one in group) for title in titles
        },
        pushed_bytes=round(median(pushed)) if pushed else None,
    )


def _middle(seconds: Iterable[float]) -> float:
    return round(median(seconds), 3)
