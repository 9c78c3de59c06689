from pathlib import Path

import pytest

from tools import cache


@pytest.fixture(autouse=True)
def _cache_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_entry_is_made_once(capsys: pytest.CaptureFixture[str]) -> None:
    def make(into: Path) -> None:
        (into / "tool").write_text("made")

    first = cache.entry("tool", "1", "Making the tool", make)
    second = cache.entry("tool", "1", "Making the tool", make)

    assert first == second
    assert (first / "tool").read_text() == "made"
    assert capsys.readouterr().out == "Making the tool\n"


def test_incomplete_entry_is_not_visible() -> None:
    def fail(into: Path) -> None:
        (into / "half").touch()
        reason = "disk full"
        raise OSError(reason)

    with pytest.raises(OSError, match="disk full"):
        cache.entry("tool", "1", "Making the tool", fail)

    assert [path.name for path in cache.directory().iterdir()] == ["tool.lock"]


def test_leftover_of_a_killed_process_is_not_used() -> None:
    leftover = cache.directory() / "tool-1.part"
    leftover.mkdir()
    (leftover / "half").touch()

    entry = cache.entry("tool", "1", "Making the tool", lambda into: (into / "whole").touch())

    assert [path.name for path in entry.iterdir()] == ["whole"]


def test_other_pins_give_another_entry() -> None:
    digests = {cache.digest("a", "b"), cache.digest("ab"), cache.digest("a", b"c")}

    assert len(digests) == 3
