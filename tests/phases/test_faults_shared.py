"""Concurrent builds that share one cache directory give their own images."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from tests.support.builds import Builds, Built
from tests.support.trees import write_files
from tools.processes import run

PINS = {"six": "1.17.0", "itsdangerous": "2.2.0"}


def test_concurrent_builds_with_one_cache_give_their_own_images(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    shared = replace(flask, work=tmp_path)
    for name in ("cache", "layout"):
        run("cp", "-a", "--", flask.work / name, tmp_path)
    (tmp_path / "cache").rename(tmp_path / "cache-of-all")
    # Each build copies this work directory, and so the link.
    (tmp_path / "cache").symlink_to(tmp_path / "cache-of-all")

    def build(name: str) -> Built:
        files = {"requirements.txt": f"{name}=={PINS[name]}\n", "Procfile": "web: python -V"}
        return builds.image(write_files(tmp_path / name, files), shared)

    with ThreadPoolExecutor(2) as pool:
        built = dict(zip(PINS, pool.map(build, PINS), strict=True))
    for name, result in built.items():
        assert result.code == 0, result.output
        assert _distributions(result) == {f"{name}-{PINS[name]}.dist-info"}
    again = build("six")
    assert again.code == 0, again.output
    assert _digests(again) == _digests(built["six"])


def _distributions(built: Built) -> set[str]:
    parts = {part for path in built.names("deps-00") for part in path.split("/")}
    return {part for part in parts if part.endswith(".dist-info")}


def _digests(built: Built) -> dict[str, str]:
    return {name: built.layer(name).diff_id for name in ("python", "venv", "deps-00")}
