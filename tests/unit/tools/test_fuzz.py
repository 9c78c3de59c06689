"""No reader fails for a mutated file: a few mutations here, far more with `make fuzz`."""

from pathlib import Path

import pytest

from cnb_python.errors.inputs import NotAFile
from tools.fuzz.__main__ import main, report_of
from tools.fuzz.engine import Finding, Reader, failure, fuzz
from tools.fuzz.mutations import LARGEST
from tools.fuzz.runs import readers, run_again

# `make fuzz` goes on for minutes, with files of 200 kB.
_CALLS = 20
_SMALL = 6_000


@pytest.mark.parametrize("reader", readers(), ids=lambda reader: reader.name)
def test_reader_never_fails_for_a_mutated_file(reader: Reader, tmp_path: Path) -> None:
    assert fuzz(reader, seed=1, directory=tmp_path, calls=_CALLS, largest=_SMALL) is None


def read_brackets(content: bytes, _: Path) -> None:
    if b"[[" in content:
        raise KeyError(content)


def test_file_that_a_reader_fails_for_is_found_and_shrunk(tmp_path: Path) -> None:
    finding = fuzz(Reader("brackets", (b"[a]\n" * 10,), read_brackets), 1, tmp_path, calls=2000)

    assert finding is not None
    assert (finding.error, finding.content) == ("KeyError", b"[[")


def test_file_of_a_finding_is_saved_whole_and_shown_short(tmp_path: Path) -> None:
    content = b"[" * 100_000

    report = report_of(Finding("shop/settings a", content, "KeyError in x.py: y"), tmp_path)

    (file,) = tmp_path.iterdir()
    assert file.read_bytes() == content
    assert len(report) < 1000
    assert "(100,000 bytes)" in report
    assert report.endswith(f"python3 -m tools.fuzz --reader 'shop/settings a' --file {file}")


def test_saved_file_is_read_again(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"six.py,,")

    assert run_again("RECORD", tmp_path / "a.bin") == ""


def test_file_is_read_again_by_one_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--file", "a.bin"]) == 2
    assert capsys.readouterr().err == "--file needs one --reader\n"


@pytest.mark.parametrize("seed", range(10))
def test_large_files_are_as_large_as_asked(seed: int, tmp_path: Path) -> None:
    sizes: list[int] = []
    reader = Reader("text", (b"a = 1\n",), lambda content, _: sizes.append(len(content)))

    fuzz(reader, seed, tmp_path, calls=10, largest=3 * LARGEST)

    assert max(sizes) <= 3 * LARGEST
    assert sum(size > LARGEST for size in sizes) >= 3


def test_same_seed_gives_the_same_files(tmp_path: Path) -> None:
    def collected(seed: int) -> list[bytes]:
        contents: list[bytes] = []
        reader = Reader("text", (b"a = 1\n", b"b"), lambda content, _: contents.append(content))
        fuzz(reader, seed, tmp_path, calls=50)
        return contents

    assert collected(1) == collected(1)
    assert collected(1) != collected(2)
    assert collected(1)[:2] == [b"a = 1\n", b"b"]
    assert max(map(len, collected(1))) <= LARGEST


def test_failure_of_the_user_is_allowed_where_the_reader_says_so(tmp_path: Path) -> None:
    def refuse(_: bytes, __: Path) -> None:
        raise NotAFile("a", "b")

    assert failure(Reader("a", (b"",), refuse, (NotAFile,)), b"", tmp_path) == ""
    assert failure(Reader("a", (b"",), refuse), b"", tmp_path) == "NotAFile"


def test_reader_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    def read(_: bytes, __: Path) -> None:
        while True:
            pass

    assert failure(Reader("a", (b"",), read), b"", tmp_path, seconds=0.05) == "TooSlow"
