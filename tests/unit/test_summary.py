"""The end of the log names layers by what they hold, and ends with what matters."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.layers.store import BuildRecord
from cnb_python.summary import changed_packages, print_summary
from cnb_python.system.output import BuildLog, StepTimes
from tests.support.fake_system import Log

VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "2.0"]))
RECORD = BuildRecord(
    package_key={},
    environment_key={},
    resolution="",
    from_files_alone=True,
    python_patch="",
    env="",
    distributions={"django": "5.2", "six": "1.17"},
    layers={},
    layer_sizes={
        "deps-00": "12345678",
        "deps-01": "1000000",
        "deps-django": "30000000",
        "venv": "900",
        "deps": "2000000",
        "python": "68000000",
    },
    largest={"django": "12000000", "six": "34000"},
)


def lines(layers_dir: Path, record: BuildRecord = RECORD, **previous: str) -> list[str]:
    log = Log()
    times = StepTimes(float)
    times.seconds.update({"Python": 0.1, "Packages": 61.26})
    print_summary(record, previous, BuildLog(log, times), layers_dir)
    return log.lines


def test_summary_names_new_layers_groups_the_others_and_ends_with_size_and_time(
    tmp_path: Path,
) -> None:
    (tmp_path / "deps-00").mkdir()

    assert lines(tmp_path, django="5.1", six="1.17") == [
        "Summary",
        "dependencies 00                12.3 MB  new",
        "unchanged                      99.0 MB  Python, environment, 2 layers of dependencies",
        "store, not in the image         2.0 MB  for the next build",
        "Largest packages: django 12.0 MB, six 34 kB",
        "Changed: ~ django 5.1 → 5.2",
        "Image: 111.3 MB on top of the run image, 12.3 MB of it new",
        "Time: 61.4 s (Python 0.10 s, Packages 61.3 s)",
    ]


def test_first_build_lists_every_layer_and_no_changes(tmp_path: Path) -> None:
    for name in RECORD.layer_sizes:
        (tmp_path / name).mkdir()

    printed = lines(tmp_path)

    assert [line.split("  ")[0] for line in printed[1:6]] == [
        *("Python", "environment", "dependencies 00", "dependencies 01", "django"),
    ]
    assert not [line for line in printed if line.startswith(("unchanged", "Changed"))]


def test_many_new_shards_are_one_line(tmp_path: Path) -> None:
    sizes = {f"deps-0{number}": "1000000" for number in range(4)} | {"deps-django": "30000000"}
    for name in sizes:
        (tmp_path / name).mkdir()

    assert lines(tmp_path, RECORD._replace(layer_sizes=sizes))[1:3] == [
        "django                         30.0 MB  new",
        "dependencies in 4 layers        4.0 MB  new",
    ]


def test_one_unchanged_layer_of_dependencies_is_named(tmp_path: Path) -> None:
    record = RECORD._replace(layer_sizes={"deps-00": "1000000"})

    assert lines(tmp_path, record)[1].endswith("  dependencies 00")


def test_size_that_is_not_a_number_is_not_guessed(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()

    assert "?" in lines(tmp_path, RECORD._replace(layer_sizes={"venv": "many"}))[1]


def test_no_packages_means_no_line_of_largest_packages(tmp_path: Path) -> None:
    assert not [line for line in lines(tmp_path, RECORD._replace(largest={})) if "Largest" in line]


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({}, {}, ""),
        ({"six": "1.0"}, {"six": "1.0"}, ""),
        ({"six": "1.0"}, {"six": "2.0"}, "~ six 1.0 → 2.0"),
        ({}, {"six": "1.0"}, "+ six 1.0"),
        ({"six": "1.0"}, {}, "- six"),
        (
            {"six": "1.0", "b": "1", "a": "1"},
            {"six": "2.0", "d": "1", "c": "1"},
            "~ six 1.0 → 2.0, + c 1, + d 1, - a, - b",
        ),
    ],
)
def test_changed_new_and_removed_packages_are_named_in_this_order(
    before: dict[str, str], after: dict[str, str], line: str
) -> None:
    assert changed_packages(before, after) == line


@pytest.mark.parametrize(("count", "end"), [(12, "+ p11 1"), (13, ", and 1 more")])
def test_long_list_of_changes_is_cut(count: int, end: str) -> None:
    after = {f"p{number:02}": "1" for number in range(count)}

    assert changed_packages({}, after).endswith(end)


@given(VERSIONS, VERSIONS)
def test_only_equal_environments_have_no_changes(
    before: dict[str, str], after: dict[str, str]
) -> None:
    assert (changed_packages(before, after) == "") == (before == after)
