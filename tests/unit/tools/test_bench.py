"""From seconds to figures."""

import pytest

from tools.bench import figures
from tools.bench.inside import Line, Measured
from tools.bench.sizes import Size

# As the buildpack prints: an empty line, a heading, indented lines.
OUTPUT: list[Line] = [
    (0.5, ""),
    (0.5, "Python"),
    (0.6, "  Python 3.14.6, by default"),
    (3.5, ""),
    (3.5, "Packages"),
    (3.6, "  Collecting Django"),
    (7.0, ""),
    (7.0, "[Warning: no cache]"),
    (9.5, ""),
    (9.5, "Launch"),
]


def test_build_is_divided_into_its_steps() -> None:
    found = figures.steps(OUTPUT, 10.0)
    assert found == {"start": 0.5, "Python": 3.0, "Packages": 6.0, "Launch": 0.5}


def test_steps_add_up_to_the_whole() -> None:
    assert sum(figures.steps(OUTPUT, 12.5).values()) == pytest.approx(12.5)


def test_ratio_is_that_of_the_medians() -> None:
    found = figures.cold_build(measured(), "3.14.6")
    assert (found.ours_median_s, found.plain_median_s) == (10.0, 20.0)
    assert found.ratio == 0.5


def test_ratio_without_the_step_of_python_leaves_out_its_time() -> None:
    assert figures.cold_build(measured(), "3.14.6").ratio_without_python_step == 0.35


def test_detections_are_told_in_milliseconds() -> None:
    found = figures.detect(measured())
    assert (found.runs, found.median_ms, found.min_ms, found.max_ms) == (3, 42.0, 40.0, 90.0)
    assert (found.cpu_median_ms, found.interpreter_median_ms) == (38.0, 11.0)


def test_layers_of_an_image_are_added_up() -> None:
    layers = {"app": Size(10, 4), "cnb-python/python:venv": Size(90, 26)}
    found = figures.image(layers, Size(200, 40))
    assert found.total == Size(100, 30)
    assert (found.ratio, found.ratio_compressed) == (0.5, 0.75)


def measured() -> Measured:
    return Measured(
        interpreter=[0.011, 0.010, 0.012],
        detect=[0.042, 0.09, 0.04],
        detect_cpu=[0.038, 0.039, 0.037],
        ours=[10.0, 9.0, 31.0],
        lines=[OUTPUT, OUTPUT, OUTPUT],
        plain=[20.0, 19.0, 21.0],
    )
