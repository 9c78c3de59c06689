"""What is written to `build/bench.json`, and what is printed of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.bench.detection import Detect
from tools.bench.figures import Summary
from tools.bench.opening import Opening
from tools.bench.rounds import Taken
from tools.bench.targets import MEGABYTE, Verdict


@dataclass(frozen=True, slots=True)
class Package:
    """The buildpack itself."""

    tree_bytes: int
    """The files of the assembled directory."""
    sha256: str
    """Of all of them: which buildpack these figures are of."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that is measured."""

    cpus: int
    arch: str
    rounds: int
    file_system: str
    """Of the engine's data: `ext4`, `tmpfs`, `ext4 without a journal` (see `disk`)."""
    detect: Detect
    package: Package
    opening: Mapping[str, Opening]
    """By fixture."""
    download_s: float
    """Fetching an archive of Python from the mirror."""
    targets: Sequence[Mapping[str, object]]
    """The verdicts, each with `met`."""
    medians: Sequence[Summary]
    builds: Sequence[Taken]


def builds_table(summaries: Sequence[Summary]) -> str:
    """Return the medians as lines, one for each case of each contestant."""
    head = f"{'':<44}{'builds':>7}{'pack build':>12}{'bin/build':>11}{'pushed':>11}"
    lines = [_build_row(summary) for summary in summaries]
    return "\n".join([head, *lines])


def _build_row(one: Summary) -> str:
    title = f"{one.app}, {one.export}, {one.case}: {one.contestant}"
    pushed = "" if one.pushed_bytes is None else f"{one.pushed_bytes / MEGABYTE:.2f} MB"
    times = f"{one.pack_s:>10.2f} s{one.build_s:>9.2f} s"
    return f"{title:<44}{one.builds:>7}{times}{pushed:>11}".rstrip()


def targets_table(verdicts: Sequence[Verdict]) -> str:
    """Return the verdicts as lines: met or missed, the figure, the limit, what it is made of."""
    width = max((len(_title(one)) for one in verdicts), default=0)
    return "\n".join(_target_row(one, width) for one in verdicts)


def _target_row(one: Verdict, width: int) -> str:
    said = "met   " if one.met else "MISSED"
    figures = f"{one.value:>8.2f} of {one.limit:.2f} {one.unit}"
    detail = f"  ({one.detail})" if one.detail else ""
    return f"{said}  {_title(one):<{width}}{figures}{detail}"


def _title(one: Verdict) -> str:
    return f"{one.app}, {one.title}"


def opening_table(openings: Mapping[str, Opening]) -> str:
    """Return sizes and memory as lines."""
    return "\n".join(
        f"{app}, {name}: image {one.image_bytes[name] / MEGABYTE:.0f} MB above the run image, "
        f"build cache {one.cache_bytes[name] / MEGABYTE:.1f} MB, "
        f"peak memory of bin/build {one.peak_bytes[name] / MEGABYTE:.0f} MB"
        for app, one in openings.items()
        for name in one.image_bytes
    )
