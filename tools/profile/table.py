"""The table of a profile."""

from collections.abc import Iterator

from tools.bench.rounds import SOURCE
from tools.profile.inside.recorder import THREADS
from tools.profile.measuring import Profile
from tools.profile.steps import WORKERS, Step

# Steps are left out below these parts of the whole time, CPU time and number of system calls.
SHARE, SHARE_OF_CALLS = 0.015, 0.04
# A step that does nothing but call one other is left out, and the other one is shown.
ALMOST_ALL = 0.97
WIDTH = 64
# System calls of a build that writes packages to disk for collectstatic, and of their programs.
TARGETS = {("pip_django", SOURCE): 120_000}


def table(profile: Profile) -> str:
    """Return the steps of a build as lines, those in a step indented below it."""
    head = f"{'':<{WIDTH}}{'calls':>6}{'wall s':>9}{'CPU s':>8}"
    if profile.counts:
        head += f"{'files':>8}{'dirs':>7}{'MB written':>12}{'system calls':>14}"
    rows = [_row(f"{'  ' * depth}{step.name}", step) for depth, step in _shown(profile)]
    return "\n".join([*_title(profile), "", head, *rows, "", *_notes(profile)])


def _title(profile: Profile) -> list[str]:
    times = f"bin/build {profile.wall_s:.2f} s, CPU {profile.cpu_s:.2f} s"
    machine = f"{profile.cpus} CPUs, load {profile.load:.1f}, {profile.file_system}"
    lines = [f"{profile.app}, {profile.case}: {times} ({machine})"]
    if counts := profile.counts:
        lines.append(
            f"{counts.calls:,} system calls, {counts.files:,} files and {counts.directories:,} "
            f"directories made, {counts.written / 1e6:.1f} MB written to files"
        )
        if limit := TARGETS.get((profile.app, profile.case)):
            mark = "met" if counts.calls <= limit else "MISSED"
            lines.append(f"{mark}: at most {limit:,} system calls")
    return lines


def _notes(profile: Profile) -> list[str]:
    counted = (
        f"Counted by strace {profile.counted_by}, in a second build from the same state."
        if profile.counted_by
        else f"Files, bytes and system calls were not counted: {profile.not_counted_because}"
    )
    return [
        "A step includes the steps below it. CPU: of its thread and the processes that it starts.",
        "Threads and forked workers have rows of their own, whose calls overlap.",
        counted,
        *((f"Warning: {profile.warning}",) if profile.warning else ()),
    ]


def _shown(profile: Profile) -> Iterator[tuple[int, Step]]:
    for step in profile.steps:
        yield from _below(step, 0, profile)


def _below(step: Step, depth: int, profile: Profile) -> Iterator[tuple[int, Step]]:
    if not _matters(step, profile):
        return
    below = [each for each in step.steps if _matters(each, profile)]
    is_replaced = len(below) == 1 and below[0].wall_s >= ALMOST_ALL * step.wall_s
    if is_replaced and step.name not in {THREADS, WORKERS}:
        yield from _below(below[0], depth, profile)
        return
    yield depth, step
    for each in below:
        yield from _below(each, depth + 1, profile)


def _matters(step: Step, profile: Profile) -> bool:
    if step.wall_s >= SHARE * profile.wall_s or step.cpu_s >= SHARE * profile.cpu_s:
        return True
    if not (step.counts and profile.counts):
        return False
    return step.counts.calls >= SHARE_OF_CALLS * profile.counts.calls


def _row(title: str, step: Step) -> str:
    shown = title if len(title) < WIDTH else f"{title[: WIDTH - 2]}…"
    row = f"{shown:<{WIDTH}}{step.calls:>6}{step.wall_s:>9.3f}{step.cpu_s:>8.3f}"
    if counts := step.counts:
        row += f"{counts.files:>8,}{counts.directories:>7,}"
        row += f"{counts.written / 1e6:>12.1f}{counts.calls:>14,}"
    return row
