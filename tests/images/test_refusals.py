"""A build that fails with pack prints the reason, and leaves nothing in the engine."""

from pathlib import Path

from tests.images.inventory import remove, take
from tests.images.workshop import Workshop
from tests.support.builds import fixture
from tests.support.trees import write_files


def test_failed_build_prints_the_reason_and_leaves_nothing(
    workshop: Workshop, tmp_path: Path
) -> None:
    before = take(workshop.engine)
    app = write_files(tmp_path, {"requirements.txt/keep": "", "app.py": ""})
    packed = workshop.pack_build(app, workshop.name("refused"))
    assert packed.code != 0
    assert "requirements.txt" in packed.output
    assert "directory" in packed.output
    assert "Traceback" not in packed.output
    remove(workshop.engine, workshop.token, "refused")
    assert take(workshop.engine).beyond(before) == []


def test_app_without_python_fails_to_detect(workshop: Workshop) -> None:
    packed = workshop.pack_build(fixture("no_python"), workshop.name("no_python"))
    assert packed.code != 0
    assert "No buildpack groups passed detection" in packed.output
    assert "No Python app" in packed.output
