"""Compares the builds with the targets of docs/benchmarks.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tools.bench import rounds
from tools.bench.contestants import NOTHING, OURS, PLAIN, STORING
from tools.bench.opening import Opening
from tools.bench.rounds import EXPORTS, PAIR, REGISTRY, Build

MEGABYTE = 1_000_000
BUDGET = 64 * 1024 * 1024
PYTHON_LAYER = "python"


# What Heroku's buildpack (heroku/buildpacks-python 6.5.6) and the plain one took, in seconds, on
# 2026-11-29 on one machine with two CPUs: the app of `pip_django`, the same interpreter and index.
# It does not run in this benchmark. A ratio to it is the ratio to `plain`, times `plain` / Heroku.
# CPU of the plain one was not measured then: 16.6 is this buildpack's at that commit, 23.5, times
# the ratio of the two at the same commit on another machine.
HEROKU = {
    (rounds.COLD, "build_s"): (19.0, 26.5),
    (rounds.COLD, "cpu_s"): (16.6, 22.1),
    (rounds.VIEW, "pack_s"): (7.3, 23.4),
    (rounds.UNTOUCHED, "pack_s"): (28.7, 26.1),
}
"""`plain` and Heroku, by case and figure."""
DJANGO, SCIENCE = "pip_django", "pip_science"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target, and the figure that was measured."""

    app: str
    title: str
    value: float
    limit: float
    unit: str
    """`s`, `MB`, `layers`, or `x` for a ratio."""
    detail: str
    """The two figures of a ratio or difference."""

    @property
    def met(self) -> bool:
        """Whether the target is met."""
        return self.value <= self.limit


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares the builds of one app with the targets; leaves out what was not measured."""

    app: str
    builds: Sequence[Build]
    opening: Opening
    download_s: float
    """Seconds to download a Python release from the mirror."""

    def verdicts(self) -> list[Verdict]:
        """Return a verdict for every target that was measured."""
        for_each = (
            *(self._still, self._read, self._store_cost, self._new_tag),
            *(self._untouched, self._dependency),
        )
        verdicts = [
            verdict for judge in for_each for export in EXPORTS for verdict in judge(export)
        ]
        return [*verdicts, *self._pushed(), *self._cold(), *self._patch(), *self._outcome()]

    def _times(self, export: str, case: str, contestant: str, what: str) -> float | None:
        figures = [
            getattr(build, what)
            for build in self.builds
            if (build.app, build.export, build.case, build.contestant)
            == (self.app, export, case, contestant)
        ]
        return median(figures) if figures else None

    def _ratio(self, title: str, export: str, case: str, what: str, limit: float) -> list[Verdict]:
        ours = self._times(export, case, OURS, what)
        plain = self._times(export, case, PLAIN, what)
        if ours is None or plain is None:
            return []
        return [self._verdict(title, ours / plain, limit, "x", f"{ours:.2f} s / {plain:.2f} s")]

    def _above(
        self, title: str, export: str, case: str, pair: tuple[str, str], limit: float
    ) -> list[Verdict]:
        first, second = (self._times(export, case, name, "pack_s") for name in pair)
        if first is None or second is None:
            return []
        return [
            self._verdict(title, first - second, limit, "s", f"{first:.2f} s - {second:.2f} s")
        ]

    def _of_heroku(
        self, title: str, export: str, case: str, what: str, limit: float
    ) -> list[Verdict]:
        ours, plain = (self._times(export, case, name, what) for name in PAIR)
        if not ours or not plain or self.app != DJANGO:
            return []
        there, heroku = HEROKU[case, what]
        detail = f"{ours:.2f} s / {plain:.2f} s of plain pip, times {there} s / {heroku} s"
        value = ours / plain * there / heroku
        return [self._verdict(f"{title}, of Heroku's", value, limit, "x", detail)]

    def _seconds(self, export: str, case: str, limit: float) -> list[Verdict]:
        seconds = self._times(export, case, OURS, "build_s")
        title = f"{case}, {export}: bin/build"
        return [] if seconds is None else [self._verdict(title, seconds, limit, "s", "")]

    def _still(self, export: str) -> Iterator[Verdict]:
        yield from self._seconds(export, rounds.UNCHANGED, 0.35)
        yield from self._seconds(export, rounds.VIEW, 0.5)
        for case in (rounds.UNCHANGED, rounds.VIEW):
            title = f"{case}, {export}: pack build above the do-nothing's"
            yield from self._above(title, export, case, (OURS, NOTHING), 0.6)
        if export == REGISTRY:
            title = f"{rounds.VIEW}, {export}: pack build"
            yield from self._of_heroku(title, export, rounds.VIEW, "pack_s", 0.2)

    def _read(self, export: str) -> Iterator[Verdict]:
        yield from self._seconds(export, rounds.SOURCE, 3.5)

    def _untouched(self, export: str) -> Iterator[Verdict]:
        yield from self._seconds(export, rounds.UNTOUCHED, 1.8)
        if export == REGISTRY:
            title = f"{rounds.UNTOUCHED}, {export}: pack build"
            yield from self._of_heroku(title, export, rounds.UNTOUCHED, "pack_s", 0.2)

    def _store_cost(self, export: str) -> Iterator[Verdict]:
        title = f"{rounds.UNCHANGED}, {export}: what a store of this size costs"
        yield from self._above(title, export, rounds.UNCHANGED, (STORING, NOTHING), 0.4)

    def _new_tag(self, export: str) -> Iterator[Verdict]:
        yield from self._ratio(
            f"{rounds.NEW_TAG}, {export}: pack build", export, rounds.NEW_TAG, "pack_s", 0.5
        )

    def _dependency(self, export: str) -> Iterator[Verdict]:
        title = f"{rounds.DEPENDENCY}, {export}:"
        yield from self._ratio(f"{title} bin/build", export, rounds.DEPENDENCY, "build_s", 0.15)
        if export == REGISTRY:
            yield from self._ratio(f"{title} pack build", export, rounds.DEPENDENCY, "pack_s", 0.2)

    def _pushed(self) -> Iterator[Verdict]:
        """Yield the verdict on the bytes pushed beyond the shards that changed."""
        pushed = [
            ((after.pushed_bytes or 0) - changed_bytes(before, after), after)
            for before, after in self._pairs(rounds.COLD, rounds.DEPENDENCY)
        ]
        if pushed:
            beyond, after = sorted(pushed, key=lambda pair: pair[0])[len(pushed) // 2]
            whole = f"{(after.pushed_bytes or 0) / MEGABYTE:.2f} MB pushed"
            title = f"{rounds.DEPENDENCY}, {REGISTRY}: pushed beyond the changed shard"
            yield self._verdict(title, beyond / MEGABYTE, 1.0, "MB", whole)

    def _cold(self) -> Iterator[Verdict]:
        cold = 0.5 if self.app == SCIENCE else 0.35
        for case, limit in ((rounds.COLD, cold), (rounds.COLD_RANGE, 0.6)):
            for export in EXPORTS:
                title = f"{case}, {export}: bin/build"
                yield from self._ratio(title, export, case, "build_s", limit)
        title = f"{rounds.COLD}, {REGISTRY}: bin/build"
        yield from self._of_heroku(title, REGISTRY, rounds.COLD, "build_s", 0.4)
        title = f"{rounds.COLD}, {REGISTRY}: CPU of bin/build"
        yield from self._of_heroku(title, REGISTRY, rounds.COLD, "cpu_s", 0.7)

    def _patch(self) -> Iterator[Verdict]:
        limit = 1.0 + self.download_s
        for export in EXPORTS:
            seconds = self._times(export, rounds.PATCH, OURS, "build_s")
            if seconds is not None:
                detail = f"1 s and a download of {self.download_s:.2f} s"
                title = f"{rounds.PATCH}, {export}: bin/build"
                yield self._verdict(title, seconds, limit, "s", detail)
        pairs = list(self._pairs(rounds.OLD_PATCH, rounds.PATCH))
        if pairs:
            changed = {name for pair in pairs for name in changed_layers(*pair)}
            names = ", ".join(sorted(changed - {PYTHON_LAYER}))
            count = len(changed - {PYTHON_LAYER})
            title = f"{rounds.PATCH}, {REGISTRY}: changed layers beside python"
            yield self._verdict(title, count, 0, "layers", names)

    def _outcome(self) -> Iterator[Verdict]:
        opening = self.opening
        store, peak = opening.cache_bytes[OURS], opening.peak_bytes[OURS]
        yield self._verdict("build cache", store / MEGABYTE, BUDGET / MEGABYTE, "MB", "")
        ours, plain = (median(opening.answer_s[name]) for name in (OURS, PLAIN))
        detail = f"{ours:.2f} s / {plain:.2f} s"
        yield self._verdict("first 200 of a fresh container", ours / plain, 1.0, "x", detail)
        if peak:
            yield self._verdict("peak memory of bin/build", peak / MEGABYTE, 400, "MB", "")

    def _pairs(self, before: str, after: str) -> Iterator[tuple[Build, Build]]:
        """Yield this buildpack's builds of two cases of the same round, to the registry."""
        ours = [
            build
            for build in self.builds
            if (build.app, build.export, build.contestant) == (self.app, REGISTRY, OURS)
        ]
        first = {build.round: build for build in ours if build.case == before}
        for build in ours:
            if build.case == after and build.round in first:
                yield first[build.round], build

    def _verdict(self, title: str, value: float, limit: float, unit: str, detail: str) -> Verdict:
        return Verdict(self.app, title, round(value, 3), round(limit, 3), unit, detail)


def changed_layers(before: Build, after: Build) -> set[str]:
    """Return the names of the buildpack's layers that differ between two builds."""
    old, new = before.layers or {}, after.layers or {}
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


def changed_bytes(before: Build, after: Build) -> int:
    """Return the compressed bytes of the shards (`deps-*`) of *after* that *before* lacks."""
    sizes = after.layer_bytes or {}
    return sum(
        sizes.get(name, 0) for name in changed_layers(before, after) if name.startswith("deps-")
    )
