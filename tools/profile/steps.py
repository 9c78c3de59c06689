"""The steps of a build as values, read from what the recorder wrote."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tools.profile.inside.recorder import PROCESS, THREADS

type Path = tuple[str, ...]
"""The names of a step and of all steps around it, the outermost first."""

WORKERS = "in forked workers"
REST = "start and end of the interpreter"


@dataclass(frozen=True, slots=True)
class Counts:
    """What a trace counted."""

    calls: int = 0
    """System calls."""
    files: int = 0
    """Files and links that were made."""
    directories: int = 0
    """Directories that were made."""
    written: int = 0
    """Bytes that were written to files."""

    def plus(self, other: Counts) -> Counts:
        """Return the sum of both."""
        return Counts(
            self.calls + other.calls,
            self.files + other.files,
            self.directories + other.directories,
            self.written + other.written,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A function of the package, or a process that it started, with all that it called."""

    name: str
    """`install.installer._unpack`, `import store.store`, `process: uv pip install`."""
    calls: int
    wall_s: float
    """Of all calls; in threads, calls overlap."""
    cpu_s: float
    """Of its thread and of the processes that it started."""
    counts: Counts | None
    """None: nothing was counted."""
    steps: tuple[Step, ...]


def read(facts: Mapping[str, Any]) -> Step:
    """Return the step that the recorder described by *facts*, with CPU time of its processes."""
    below = tuple(read(each) for each in facts["steps"])
    processes = sum(_of_processes(step) for step in below)
    return Step(
        name=facts["name"],
        calls=facts["calls"],
        wall_s=facts["wall_s"],
        cpu_s=facts["cpu_s"] + processes,
        counts=None,
        steps=below,
    )


def _of_processes(step: Step) -> float:
    """Return the CPU seconds of the processes in *step*, which its own thread did not use."""
    if step.name.startswith(PROCESS):
        return step.cpu_s
    return sum(_of_processes(each) for each in step.steps)


def tree(
    build: Mapping[str, Any], workers: Sequence[Mapping[str, Any]], wall: float, cpu: float
) -> tuple[Step, ...]:
    """Return the outermost steps: of the main thread, of other threads, of forked processes.

    The first is what is left of the seconds *wall* and *cpu* that `bin/build` took.
    """
    roots = [read(facts) for facts in build["steps"]]
    left = wall - sum(root.wall_s for root in roots)
    for name, parts in (
        (THREADS, build["threads"]),
        (WORKERS, [part for each in workers for part in (*each["steps"], *each["threads"])]),
    ):
        if parts:
            below = _merged(read(facts) for facts in parts)
            totals = sum(each.wall_s for each in below), sum(each.cpu_s for each in below)
            roots.append(Step(name, 1, *totals, None, below))
    left_cpu = max(0.0, cpu - sum(root.cpu_s for root in roots if root.name != WORKERS))
    return (Step(REST, 1, left, left_cpu, None, ()), *roots)


def _merged(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return *steps* with those of one name in one."""
    merged: dict[str, Step] = {}
    for step in steps:
        former = merged.get(step.name)
        merged[step.name] = _sum(former, step) if former else step
    return tuple(merged.values())


def _sum(first: Step, second: Step) -> Step:
    return Step(
        name=first.name,
        calls=first.calls + second.calls,
        wall_s=first.wall_s + second.wall_s,
        cpu_s=first.cpu_s + second.cpu_s,
        counts=None,
        steps=_merged((*first.steps, *second.steps)),
    )


def counted(steps: Iterable[Step], counts: Mapping[Path, Counts]) -> tuple[Step, ...]:
    """Return *steps* with their *counts*, those of the steps in them included."""
    totals: dict[Path, Counts] = {}
    for path, own in counts.items():
        for depth in range(1, len(path) + 1):
            totals[path[:depth]] = totals.get(path[:depth], Counts()).plus(own)
    return tuple(_counted(step, (), totals) for step in steps)


def _counted(step: Step, around: Path, totals: Mapping[Path, Counts]) -> Step:
    path = (*around, step.name)
    below = tuple(_counted(each, path, totals) for each in step.steps)
    return replace(step, counts=totals.get(path, Counts()), steps=below)
