"""From seconds and bytes to what is reported: medians and ratios. Below 1: ours is the less."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from tools.bench.inside import Line, Measured
from tools.bench.sizes import NOTHING, Size


@dataclass(frozen=True, slots=True)
class Detect:
    """bin/detect as a process, in milliseconds."""

    runs: int
    median_ms: float
    min_ms: float
    max_ms: float
    cpu_median_ms: float
    """Of the processor alone: what the median comes to on a machine that does nothing else."""
    interpreter_median_ms: float
    """A start of the interpreter that does nothing, taken in turn with the detections."""


@dataclass(frozen=True, slots=True)
class ColdBuild:
    """bin/build from nothing, in turn with `python -m venv` and `pip install -r`, in seconds."""

    python: str
    rounds: int
    ours_s: tuple[float, ...]
    plain_s: tuple[float, ...]
    ours_median_s: float
    """Fetching, checking and unpacking the interpreter included; the plain side has it already."""
    plain_median_s: float
    ratio: float
    ours_steps_median_s: Mapping[str, float]
    """By the headings of the output."""
    ratio_without_python_step: float


@dataclass(frozen=True, slots=True)
class ImageSize:
    """What a build adds to the run image, beside a plain environment, its Python and the app."""

    layers: Mapping[str, Size]
    total: Size
    plain: Size
    ratio: float
    ratio_compressed: float


def detect(measured: Measured) -> Detect:
    """Sum up the detections of *measured*."""
    times = sorted(measured.detect)
    beside = (median(measured.detect_cpu), median(measured.interpreter))
    shown = (median(times), times[0], times[-1], *beside)
    return Detect(len(times), *(round(seconds * 1000, 1) for seconds in shown))


def cold_build(measured: Measured, python: str) -> ColdBuild:
    """Sum up the builds of *measured*, which were made with the release *python*."""
    ours, plain = median(measured.ours), median(measured.plain)
    builds = zip(measured.lines, measured.ours, strict=True)
    each = [steps(lines, seconds) for lines, seconds in builds]
    by_step = {title: median(build.get(title, 0.0) for build in each) for title in each[0]}
    return ColdBuild(
        python=python,
        rounds=len(measured.ours),
        ours_s=tuple(round(seconds, 2) for seconds in measured.ours),
        plain_s=tuple(round(seconds, 2) for seconds in measured.plain),
        ours_median_s=round(ours, 2),
        plain_median_s=round(plain, 2),
        ratio=round(ours / plain, 2),
        ours_steps_median_s={title: round(seconds, 2) for title, seconds in by_step.items()},
        ratio_without_python_step=round((ours - by_step["Python"]) / plain, 2),
    )


def steps(lines: Sequence[Line], seconds: float) -> dict[str, float]:
    """How long each step took, by its heading, of a build that ended after *seconds*.

    A heading follows an empty line and is not indented. What comes before the first one is the
    step `start`.
    """
    headings = [
        (text, at)
        for (_, before), (at, text) in pairwise(lines)
        if not before and text[:1].isalpha()
    ]
    begun = [("start", 0.0), *headings, ("end", seconds)]
    found: dict[str, float] = {}
    for (title, start), (_, end) in pairwise(begun):
        found[title] = found.get(title, 0.0) + end - start
    return found


def image(layers: Mapping[str, Size], plain: Size) -> ImageSize:
    """Compare the sum of *layers* with *plain*."""
    total = sum(layers.values(), NOTHING)
    return ImageSize(
        layers=layers,
        total=total,
        plain=plain,
        ratio=round(total.bytes / plain.bytes, 2),
        ratio_compressed=round(total.compressed / plain.compressed, 2),
    )
