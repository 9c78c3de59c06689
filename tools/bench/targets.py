"""Compares the builds with the targets of docs/benchmarks.md."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from tools.bench import rounds
from tools.bench.contestants import NOTHING, OURS, PLAIN, STORING
from tools.bench.opening import Opening
from tools.bench.rounds import EXPORTS, REGISTRY, Build

MEGABYTE = 1_000_000
BUDGET = 64 * 1024 * 1024
PYTHON_LAYER = "python"


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
        for_each = (self._still, self._store_cost, self._new_tag, self._dependency)
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

    def _still(self, export: str) -> Iterator[Verdict]:
        for case in (rounds.UNCHANGED, rounds.SOURCE):
            seconds = self._times(export, case, OURS, "build_s")
            if seconds is not None:
                yield self._verdict(f"{case}, {export}: bin/build", seconds, 0.3, "s", "")
            title = f"{case}, {export}: pack build above the do-nothing's"
            yield from self._above(title, export, case, (OURS, NOTHING), 0.6)

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
        for case, limit in ((rounds.COLD, 0.35), (rounds.COLD_RANGE, 0.6)):
            for export in EXPORTS:
                title = f"{case}, {export}: bin/build"
                yield from self._ratio(title, export, case, "build_s", limit)

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
