"""An explanation reads a limited part of an app, however large the app is."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.explain.explain import MOST_ENTRIES, explain
from cnb_python.explain.explanation import Explanation
from cnb_python.launch.code.source_files import ReadingLimits, read_source_files
from tests.support.trees import Files, write_files
from tests.unit.explain.test_explain import FLASK, TODAY, context_of, refuse_fetch

EVENTS = {"os.scandir": "listed", "os.listdir": "listed", "open": "read"}
CODE = "import flask\n"


class Accesses:
    """Counts the directories and files below a directory that the process opens."""

    def __init__(self) -> None:
        self.directory = ""
        self.counts: Counter[str] = Counter()

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.directory and event in EVENTS and str(arguments[0]).startswith(self.directory):
            self.counts[EVENTS[event]] += 1


ACCESSES = Accesses()
# A hook stays until the process ends: https://docs.python.org/3/library/sys.html#sys.addaudithook
sys.addaudithook(ACCESSES)


@pytest.fixture
def accesses() -> Iterator[Accesses]:
    yield ACCESSES
    ACCESSES.directory = ""


def counted(
    directory: Path, files: Files, accesses: Accesses, most_entries: int = MOST_ENTRIES
) -> tuple[Explanation, Counter[str]]:
    context = context_of(directory, FLASK)
    write_files(context.app_dir, files)
    accesses.counts = Counter()
    accesses.directory = str(context.app_dir)
    explanation = explain(context, refuse_fetch, TODAY, most_entries)
    accesses.directory = ""
    assert [each.type for each in explanation.processes] == ["web", "console"]
    return explanation, accesses.counts


def spread(files: int, name: str, per_directory: int) -> Files:
    """Return *files* files in directories that contain 50 directories each."""
    return {
        f"d{at // per_directory // 50}/d{at // per_directory}/{name.format(at)}": CODE
        for at in range(files)
    }


def test_modules_beyond_the_limit_are_not_read(tmp_path: Path, accesses: Accesses) -> None:
    _, small = counted(tmp_path / "a", spread(800, "m{}.py", 20), accesses)
    _, large = counted(tmp_path / "b", spread(1600, "m{}.py", 20), accesses)

    assert small["read"] == large["read"] < 800


def test_directories_beyond_the_limit_are_not_listed(tmp_path: Path, accesses: Accesses) -> None:
    explanation, small = counted(tmp_path / "a", spread(400, "{}.csv", 1), accesses, 2000)
    assert not explanation.removed_is_partial

    explanation, large = counted(tmp_path / "b", spread(2500, "{}.csv", 1), accesses, 2000)

    assert explanation.removed_is_partial
    assert small["listed"] > 2 * 400
    # Each directory has at least two entries, and the search for code has a limit of its own.
    assert large["listed"] < 2000 + ReadingLimits.directories


def test_links_that_form_a_loop_are_not_followed(tmp_path: Path, accesses: Accesses) -> None:
    context = context_of(tmp_path, FLASK | {"shop/routes.py": CODE})
    (context.app_dir / "self").symlink_to(".")
    (context.app_dir / "shop/up").symlink_to("..")
    (context.app_dir / "loop.py").symlink_to("loop.py")
    accesses.counts = Counter()
    accesses.directory = str(context.app_dir)
    explanation = explain(context, refuse_fetch, TODAY)

    assert explanation.error is None
    assert accesses.counts["listed"] < 20


def test_deep_directories_are_not_searched_to_the_end(tmp_path: Path, accesses: Accesses) -> None:
    path = "/".join(["d"] * 150)
    _, counts = counted(tmp_path, {f"{path}/app.py": CODE}, accesses)

    assert counts["read"] < 20


def test_directory_with_more_names_than_the_limit_holds_no_code(tmp_path: Path) -> None:
    directory = write_files(tmp_path, {"main.py": CODE, **spread(30, "m{}.py", 30)})
    limits = ReadingLimits(entries=20, few=10)

    files = read_source_files(directory, limits)

    assert [each.shown for each in files.files] == ["main.py"]
    assert 0 <= limits.entries < 20


def test_small_directory_after_much_data_holds_code(tmp_path: Path) -> None:
    data = {f"data/{at}.csv": "" for at in range(19)}
    directory = write_files(tmp_path, {**data, "shop/__init__.py": "", "shop/main.py": CODE})

    files = read_source_files(directory, ReadingLimits(entries=20, few=10))

    assert [each.shown for each in files.files] == ["shop/main.py", "shop/__init__.py"]


def test_directories_beyond_their_limit_hold_no_code(tmp_path: Path) -> None:
    directory = write_files(tmp_path, {f"d{at}/main.py": CODE for at in range(10)})

    files = read_source_files(directory, ReadingLimits(directories=4))

    assert [each.shown for each in files.files] == ["d0/main.py", "d1/main.py", "d2/main.py"]


def test_contents_and_trees_beyond_their_limits_are_empty(tmp_path: Path) -> None:
    directory = write_files(tmp_path, {f"m{at}.py": CODE for at in range(9)})
    limits = ReadingLimits(content=5 * len(CODE), parsed=3 * len(CODE))

    files = read_source_files(directory, limits).files

    assert sum(bool(each.content) for each in files) == 5
    assert sum(each.tree is not None for each in files) == 3


def test_module_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    directory = write_files(tmp_path, {"app.py": CODE})
    with (directory / "large.py").open("wb") as file:
        file.truncate(200 * 1024 * 1024)
    limits = ReadingLimits()

    files = read_source_files(directory, limits).files

    assert [len(each.content) for each in files] == [len(CODE), 0]
    assert limits.content == ReadingLimits.content - len(CODE)
