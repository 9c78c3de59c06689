"""The table at the end of a build."""

from pathlib import Path

from cnb_python import summary
from cnb_python.layers.store import BuildRecord
from cnb_python.system.steps import BuildLog
from tests.support.fake_system import Log

RECORD = BuildRecord(
    contents={},
    outcome={},
    decision="",
    from_files_alone=True,
    python_patch="",
    env="",
    distributions={"django": "5.2", "six": "1.17"},
    layers={},
    layer_sizes={"deps-00": "12345678", "venv": "900", "deps": "2000000", "python": "68000000"},
    largest={"django": "12000000", "six": "34000"},
)


def said(layers_dir: Path, record: BuildRecord = RECORD) -> list[str]:
    log = Log()
    summary.say(record, BuildLog(log, float, {"Python": 0.1, "Packages": 61.26}), layers_dir)
    return log.said


def test_it_names_layers_packages_and_times(tmp_path: Path) -> None:
    (tmp_path / "deps-00").mkdir()

    title, *rows, largest, times = said(tmp_path)

    assert title == "Summary"
    assert [row.split()[0] for row in rows] == ["deps-00", "python", "venv", "deps"]
    assert largest == "Largest packages: django 12.0 MB, six 34 kB"
    assert times == "Time: Python 0.10 s, Packages 61.3 s"


def test_it_says_which_layers_this_build_made(tmp_path: Path) -> None:
    (tmp_path / "deps-00").mkdir()

    rows = {row.split()[0]: row for row in said(tmp_path)[1:5]}

    assert rows["deps-00"].endswith("12.3 MB  new")
    assert rows["python"].endswith("68.0 MB  as in the previous image")
    assert rows["venv"].endswith("1 kB  as in the previous image")
    assert "not in the image" in rows["deps"]


def test_a_size_that_nobody_wrote_is_not_guessed(tmp_path: Path) -> None:
    assert "?" in said(tmp_path, RECORD._replace(layer_sizes={"venv": "many"}))[1]


def test_without_packages_none_is_named(tmp_path: Path) -> None:
    assert not [line for line in said(tmp_path, RECORD._replace(largest={})) if "Largest" in line]
