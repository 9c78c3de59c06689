"""Requirements files of any size and depth are read, or refused with what is wrong."""

import os
from pathlib import Path

import pytest

from cnb_python.errors.inputs import NotAFile, TooManyIncludes
from cnb_python.managers.requirement_lines import RequirementLine, lines_of, read_lines
from cnb_python.managers.requirement_lines import check_includes as checked
from cnb_python.managers.source_lines import read_own_lines
from tools.fuzz.engine import limited


def test_comments_begin_at_the_start_or_behind_a_blank() -> None:
    text = "a#b #c\n # d\n#e\nf\t#g\nh\\\n#i\nj\\\nk # l\n"

    assert [line.text for line in lines_of(text)] == ["a#b", "f", "h", "jk"]


@pytest.mark.parametrize(
    "text",
    [
        "".join("name\\\n" for _ in range(50_000)),
        f"six{' ' * 200_000}!",
        f"six {'#x' * 100_000}",
        f"six=={'-' * 200_000}",
        f"# {'coding:' * 30_000}",
        f"six{' --hash=' * 30_000}",
        f"{' ;' * 100_000}",
        f"x @ {'://' * 60_000}",
    ],
    ids=["joined", "blanks", "hashes", "dashes", "coding", "options", "markers", "schemes"],
)
def test_time_grows_with_the_size_and_not_faster(tmp_path: Path, text: str) -> None:
    (tmp_path / "requirements.txt").write_text(text)

    with limited():
        lines = list(lines_of(text))
        read_own_lines([tmp_path / "requirements.txt"], tmp_path, {})
        for line in lines:
            assert line.parts + line.hashes


def test_many_lines_are_read_in_time(tmp_path: Path) -> None:
    lines = (f"name-{number}==1 --hash=sha256:{number:064}" for number in range(10_000))
    (tmp_path / "requirements.txt").write_text("\n".join(lines))

    with limited(10):
        own = read_own_lines([tmp_path / "requirements.txt"], tmp_path, {})

    assert len(own.hashes) == 10_000


def test_a_chain_of_thousands_of_files_is_read(tmp_path: Path) -> None:
    for number in range(1100):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\nname-{number}\n")

    names = [line.text for _, line in read_lines(tmp_path / "0.txt", {})]

    assert names == [f"name-{number}" for number in reversed(range(1100))]


def test_a_chain_that_no_tool_would_follow_is_refused(tmp_path: Path) -> None:
    for number in range(1100):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n")

    with pytest.raises(TooManyIncludes) as raised:
        checked(tmp_path / "0.txt", {})

    # In a message: `requirements.txt`, which includes a file that includes a file ...
    assert raised.value.name == "0.txt"
    assert raised.value.reason == "100 files that include each other in a row"


def test_includes_that_double_are_refused(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"{number}.txt").write_text(f"-r {number + 1}.txt\n-c {number + 1}.txt\n")
    (tmp_path / "40.txt").write_text("six\n")

    with pytest.raises(TooManyIncludes) as raised:
        checked(tmp_path / "0.txt", {})

    assert "10,000 times" in raised.value.reason
    assert [line for _, line in read_lines(tmp_path / "0.txt", {})] == [RequirementLine(1, "six")]


def test_files_that_include_each_other_are_left_to_pip(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r b.txt\na\n")
    (tmp_path / "b.txt").write_text("-r a.txt\n-r b.txt\nb\n")

    checked(tmp_path / "a.txt", {})

    assert [line.text for _, line in read_lines(tmp_path / "a.txt", {})] == ["b", "a"]


@pytest.mark.parametrize(
    "name", ["//[", "http://[", "file:///a\0b", "a\0b", "a" * 5000, "../" * 90]
)
def test_an_include_that_names_no_file_has_no_lines(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.txt").write_text(f"-r {name}\nsix\n")

    assert [line.text for _, line in read_lines(tmp_path / "a.txt", {})] == ["six"]


def test_an_included_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "a.txt").write_text("-r pipe.txt\n")

    with pytest.raises(NotAFile):
        checked(tmp_path / "a.txt", {})
