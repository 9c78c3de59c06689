"""A build that fails with pack prints the reason, and leaves nothing in the engine."""

from pathlib import Path

from tests.images.inventory import remove, take
from tests.images.pack_builds import PackBuilds
from tests.support.builds import fixture
from tests.support.trees import write_files


def test_failed_build_prints_the_reason_and_leaves_nothing(
    pack_builds: PackBuilds, tmp_path: Path
) -> None:
    before = take(pack_builds.engine)
    app = write_files(tmp_path, {"requirements.txt/keep": "", "app.py": ""})
    packed = pack_builds.pack_build(app, pack_builds.name("refused"))
    assert packed.code != 0
    assert "requirements.txt" in packed.output
    assert "directory" in packed.output
    assert "Traceback" not in packed.output
    remove(pack_builds.engine, pack_builds.token, "refused")
    assert take(pack_builds.engine).beyond(before) == []


def test_app_without_python_fails_to_detect(pack_builds: PackBuilds) -> None:
    packed = pack_builds.pack_build(fixture("no_python"), pack_builds.name("no_python"))
    assert packed.code != 0
    assert "No buildpack groups passed detection" in packed.output
    assert "No Python app" in packed.output
