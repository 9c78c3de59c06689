"""The edge: exit codes, and who is said to be at fault."""

import errno
from pathlib import Path

import pytest

from cnb_python.__main__ import BUG, EXPECTED, _failure_of, main
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.machine import DiskFull, PathInaccessible

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _no_lifecycle(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CNB_BUILDPACK_DIR", "CNB_PLATFORM_DIR", "CNB_TARGET_OS", "CNB_TARGET_ARCH"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("phase", ["detect", "build"])
def test_what_the_platform_left_out_is_said_with_what_to_do(
    phase: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(phase, [], ROOT)
    shown = capsys.readouterr().out

    assert code == EXPECTED
    assert shown.lstrip().startswith("[Error: ")
    assert "To fix this:" in shown
    assert "Traceback" not in shown


def test_a_bug_of_ours_is_called_one_and_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    code = main("nonsense", [], ROOT)
    shown = capsys.readouterr().out

    assert code == BUG
    assert shown.lstrip().startswith("[Error: This is a bug in the Python buildpack")
    assert "ValueError: nonsense" in shown
    assert "To fix this:" not in shown


def test_a_place_that_the_platform_did_not_make_is_not_taken_for_a_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "requirements.txt").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNB_TARGET_OS", "linux")
    monkeypatch.setenv("CNB_TARGET_ARCH", "amd64")

    code = main("detect", [str(tmp_path), str(tmp_path / "missing/plan.toml")], ROOT)

    assert code == EXPECTED
    assert "cannot be read or written]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("number", "expected"),
    [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EROFS, PathInaccessible)],
)
def test_a_refusal_of_the_machine_is_told_from_a_bug(
    number: int, expected: type[BuildpackError]
) -> None:
    error = OSError(number, "no", "/layers/x")

    assert isinstance(_failure_of(error), expected)
    assert _failure_of(OSError(errno.EBADF, "no")) is None


def test_a_directory_without_descriptor_is_not_taken_for_a_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main("detect", [], tmp_path)

    assert code == EXPECTED
    assert "buildpack.toml" in capsys.readouterr().out
