"""The edge: exit codes, and who is said to be at fault."""

from pathlib import Path

import pytest

from cnb_python.__main__ import BUG, EXPECTED, main

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
    assert "What to do:" in shown
    assert "Traceback" not in shown


def test_a_bug_of_ours_is_called_one_and_shown_whole(capsys: pytest.CaptureFixture[str]) -> None:
    code = main("nonsense", [], ROOT)
    shown = capsys.readouterr().out

    assert code == BUG
    assert shown.lstrip().startswith("[Error: This is a bug in the Python buildpack")
    assert "ValueError: nonsense" in shown
    assert "What to do:" not in shown


def test_a_directory_without_descriptor_is_not_taken_for_a_bug(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main("detect", [], tmp_path)

    assert code == EXPECTED
    assert "buildpack.toml" in capsys.readouterr().out
