"""Layer `deps`: a cache within a budget."""

from pathlib import Path

from cnb_python.cnb.context import Target
from cnb_python.layers.deps import cache_key, close_cache, open_cache, prune
from cnb_python.system.outside import Outcome
from tests.unit.environment.worlds import Log, world

TARGET = Target("linux", "amd64", "", "debian", "12")
KEY = cache_key("3.14", TARGET)


def log() -> Log:
    return world(lambda _: Outcome(0, ""))[2]


def file(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_the_first_build_gets_an_empty_cache(tmp_path: Path) -> None:
    said = log()

    cache = open_cache(tmp_path, KEY, said)

    assert cache == tmp_path / "deps"
    assert list(cache.iterdir()) == []
    assert not (tmp_path / "deps.toml").exists()
    close_cache(tmp_path, KEY)
    assert "cache = true" in (tmp_path / "deps.toml").read_text()
    assert said.said == []


def test_the_next_build_gets_what_was_left(tmp_path: Path) -> None:
    file(open_cache(tmp_path, KEY, log()) / "http-v2/a", 1)
    close_cache(tmp_path, KEY)

    cache = open_cache(tmp_path, KEY, log())

    assert (cache / "http-v2/a").exists()


def test_another_python_or_image_starts_anew_and_says_why(tmp_path: Path) -> None:
    file(open_cache(tmp_path, KEY, log()) / "http-v2/a", 1)
    close_cache(tmp_path, KEY)
    said = log()

    cache = open_cache(
        tmp_path, cache_key("3.15", Target("linux", "amd64", "", "debian", "13")), said
    )

    assert list(cache.iterdir()) == []
    assert said.said == [
        "Not using the previous build's downloads: the Python line has changed from 3.14 to 3.15",
        (
            "Not using the previous build's downloads: "
            "the distribution of the image has changed from debian 12 to debian 13"
        ),
    ]


def test_metadata_of_another_hand_starts_anew(tmp_path: Path) -> None:
    file(tmp_path / "deps/http-v2/a", 1)
    (tmp_path / "deps.toml").write_text("nonsense = [")

    assert list(open_cache(tmp_path, KEY, log()).iterdir()) == []


def test_metadata_without_a_directory_starts_anew(tmp_path: Path) -> None:
    open_cache(tmp_path, KEY, log())
    close_cache(tmp_path, KEY)
    (tmp_path / "deps").rmdir()

    assert open_cache(tmp_path, KEY, log()).is_dir()


def test_a_cache_within_its_budget_is_left_alone(tmp_path: Path) -> None:
    kept = file(tmp_path / "http-v2/a", 10)

    prune(tmp_path, budget=10)

    assert kept.exists()


def test_the_largest_downloads_go_first(tmp_path: Path) -> None:
    small = file(tmp_path / "http-v2/small.body", 2)
    large = file(tmp_path / "http-v2/large.body", 9)
    built = file(tmp_path / "wheels/built.whl", 50)

    prune(tmp_path, budget=55)

    assert (small.exists(), large.exists(), built.exists()) == (True, False, True)


def test_what_was_built_goes_last(tmp_path: Path) -> None:
    download = file(tmp_path / "http-v2/a.body", 1)
    built = file(tmp_path / "wheels/built.whl", 50)

    prune(tmp_path, budget=20)

    assert not download.exists()
    assert not built.exists()


def test_a_link_in_the_cache_is_not_followed(tmp_path: Path) -> None:
    outside = file(tmp_path / "outside", 100)
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache/link").symlink_to(outside)

    prune(tmp_path / "cache", budget=0)

    assert outside.exists()
