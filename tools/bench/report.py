"""The report in `build/bench.json`, and the tables that are printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.bench.detection import Detect
from tools.bench.figures import Summary
from tools.bench.opening import Opening
from tools.bench.rounds import Build
from tools.bench.targets import MEGABYTE, Verdict


@dataclass(frozen=True, slots=True)
class Package:
    """The buildpack itself."""

    tree_bytes: int
    """The files of the assembled directory."""
    sha256: str
    """Digest of the tree, which names the buildpack that was measured."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured."""

    cpus: int
    arch: str
    rounds: int
    file_system: str
    """Of the engine's data and all other files: `Volume.file_system`."""
    moved_because: str
    """Why they were not where they usually are; empty if they were."""
    warning: str
    """Set if the figures must not be compared with others."""
    detect: Detect
    package: Package
    opening: Mapping[str, Opening]
    """By sample app."""
    download_s: float
    """Seconds to download a Python release from the mirror."""
    targets: Sequence[Mapping[str, object]]
    """The verdicts, each with `met`."""
    medians: Sequence[Summary]
    builds: Sequence[Build]


def builds_table(summaries: Sequence[Summary]) -> str:
    """Return the medians as lines, one for each case of each contestant."""
    head = f"{'':<50}{'builds':>7}{'pack build':>12}{'bin/build':>11}{'CPU':>10}{'pushed':>11}"
    lines = [_build_row(summary) for summary in summaries]
    return "\n".join([head, *lines])


def _build_row(summary: Summary) -> str:
    title = f"{summary.app}, {summary.export}, {summary.case}: {summary.contestant}"
    pushed = "" if summary.pushed_bytes is None else f"{summary.pushed_bytes / MEGABYTE:.2f} MB"
    times = f"{summary.pack_s:>10.2f} s{summary.build_s:>9.2f} s{summary.cpu_s:>8.2f} s"
    return f"{title:<50}{summary.builds:>7}{times}{pushed:>11}".rstrip()


def targets_table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as lines: met or missed, figure, limit, and the figures behind it."""
    width = max((len(_title(verdict)) for verdict in verdicts), default=0)
    return "\n".join(_target_row(verdict, width) for verdict in verdicts)


def _target_row(verdict: Verdict, width: int) -> str:
    mark = "met   " if verdict.met else "MISSED"
    figures = f"{verdict.value:>8.2f} of {verdict.limit:.2f} {verdict.unit}"
    detail = f"  ({verdict.detail})" if verdict.detail else ""
    return f"{mark}  {_title(verdict):<{width}}{figures}{detail}"


def _title(verdict: Verdict) -> str:
    return f"{verdict.app}, {verdict.title}"


def opening_table(openings: Mapping[str, Opening]) -> str:
    """Return sizes and peak memory as lines."""
    return "\n".join(
        f"{app}, {name}: image {opening.image_bytes[name] / MEGABYTE:.0f} MB above the run image, "
        f"build cache {opening.cache_bytes[name] / MEGABYTE:.1f} MB, "
        f"peak memory of bin/build {opening.peak_bytes[name] / MEGABYTE:.0f} MB"
        for app, opening in openings.items()
        for name in opening.image_bytes
    )
