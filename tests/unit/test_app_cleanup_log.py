"""What becomes of files that belong in no image, when, and what is said about it."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python import app_cleanup
from cnb_python.cnb.context import BuildContext
from tests.support.fake_build import context
from tests.support.fake_system import Log
from tests.support.trees import Files, write_files

VENV: Files = {".venv/pyvenv.cfg": "", ".venv/bin/activate": ""}
GIT: Files = {".git/HEAD": "ref: refs/heads/main\n"}
CACHE: Files = {"main.py": "", "__pycache__/main.cpython-314.pyc": ""}
MODULES: Files = {"node_modules/x/index.js": ""}


class Tidied:
    """An app, tidied before and after a build."""

    def __init__(
        self, phase: BuildContext, kept: tuple[str, ...] = (), build_consumers: str = ""
    ) -> None:
        log = Log()
        found = app_cleanup.find_unwanted(phase, kept)
        app_cleanup.remove_before_build(found, phase, build_consumers, log)
        self.while_building = _names(phase.app_dir)
        app_cleanup.remove_after_build(found, phase, build_consumers, log)
        self.in_the_image = _names(phase.app_dir)
        self.said = log.said
        self.text = "\n".join(log.said)


def _names(app_dir: Path) -> set[str]:
    return {path.name for path in app_dir.iterdir()}


@pytest.fixture
def phase(tmp_path: Path) -> BuildContext:
    return context(tmp_path)


def test_nothing_is_said_where_nothing_is_found(phase: BuildContext) -> None:
    write_files(phase.app_dir, {"main.py": "", "Procfile": ""})

    assert Tidied(phase).said == []


def test_the_repository_stays_until_the_end(phase: BuildContext) -> None:
    """Builds from source ask it for a version."""
    write_files(phase.app_dir, {**VENV, **GIT, **CACHE})

    tidied = Tidied(phase)

    assert tidied.while_building == {".git", "main.py"}
    assert tidied.in_the_image == {"main.py"}


def test_it_stays_in_the_image_for_buildpacks_that_come_later(phase: BuildContext) -> None:
    write_files(phase.app_dir, GIT)

    tidied = Tidied(phase, build_consumers="another buildpack")

    assert tidied.in_the_image == {".git"}
    assert ".git: not removed, buildpacks that come later may need the repository." in tidied.text


def test_everything_that_is_found_can_be_left_out_from_the_start(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**VENV, **GIT, **CACHE, **MODULES, "old.py": "", "old.pyc": ""})

    assert Tidied(phase).text.endswith(
        "To leave them out from the start, write to project.toml:\n"
        "    [_]\n"
        '    schema-version = "0.2"\n'
        "    [io.buildpacks]\n"
        '    exclude = [".venv", "__pycache__", "*.pyc", ".git", "node_modules"]'
    )


def test_a_pattern_is_valid_whatever_a_directory_is_called(phase: BuildContext) -> None:
    write_files(phase.app_dir, {'a "b" \\c/pyvenv.cfg': "", 'a "b" \\c/bin/python': ""})

    assert r'exclude = ["a \"b\" \\c"]' in Tidied(phase).text


def test_a_file_that_only_docker_reads_is_told_of(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**GIT, ".dockerignore": ".git\n"})

    assert "project.toml (nobody reads .dockerignore here):" in Tidied(phase).text


def test_what_every_checkout_has_is_no_reason_for_a_warning(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**GIT, **CACHE})

    said = Tidied(phase).said

    assert said[0] == "App"
    assert "1 file of bytecode (__pycache__, .pyc): removed. Python would not use them." in said


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (VENV, ".venv: removed. A virtual environment works only where it was made."),
        ({**VENV, ".venv/shop/manage.py": ""}, "it holds something else too: shop. Move that"),
        ({"pyvenv.cfg": "", "bin/python": ""}, "The app's directory itself is a virtual"),
        (MODULES, "node_modules: not removed, the app may need it when it runs."),
    ],
)
def test_what_the_app_s_author_should_change_is_a_warning(
    phase: BuildContext, files: Files, words: str
) -> None:
    write_files(phase.app_dir, files)

    [said] = Tidied(phase).said

    assert said.startswith("Some of the app's files do not belong in an image\n")
    assert words in said


def test_an_environment_with_the_app_in_it_stays_whole(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**VENV, ".venv/shop/manage.py": ""})

    tidied = Tidied(phase)

    assert (phase.app_dir / ".venv/bin/activate").exists()
    # Excluding it would exclude the app.
    assert "exclude" not in tidied.text


def test_what_is_kept_is_not_spoken_of(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**VENV, **GIT})

    tidied = Tidied(phase, kept=(".venv", ".git"))

    assert (tidied.in_the_image, tidied.said) == ({".venv", ".git"}, [])


def test_packages_of_node_belong_where_an_earlier_buildpack_brought_node(
    phase: BuildContext, tmp_path: Path
) -> None:
    write_files(phase.app_dir, MODULES)
    write_files(tmp_path / "layers", {"bin/node": ""})

    with_node = replace(phase, environ={"PATH": f"/nowhere:{tmp_path / 'layers/bin'}"})

    assert Tidied(with_node).said == []


def test_many_are_named_by_the_first_few(phase: BuildContext) -> None:
    write_files(phase.app_dir, {f"{name}/node_modules/x.js": "" for name in "abcde"})

    text = Tidied(phase).text

    assert "a/node_modules, b/node_modules, c/node_modules and 2 more: not removed" in text
    assert 'exclude = ["node_modules"]' in text


def test_names_that_are_no_text_are_shown_as_far_as_they_are(phase: BuildContext) -> None:
    odd = "\udcff" + "x" * 100
    write_files(phase.app_dir, {f"{odd}/.git/HEAD": ""})

    text = Tidied(phase).text

    assert f"\N{REPLACEMENT CHARACTER}{'x' * 59}…: removed at the end of the build." in text
    text.encode()


def test_what_could_not_be_removed_is_in_the_image_and_said(phase: BuildContext) -> None:
    write_files(phase.app_dir, GIT)
    found = app_cleanup.find_unwanted(phase, ())._replace(repositories=("Procfile/.git",))
    write_files(phase.app_dir, {"Procfile": ""})
    log = Log()

    app_cleanup.remove_after_build(found, phase, "", log)

    [said] = log.said
    assert said == (
        "Some of it could not be removed from the app's directory\n"
        "  Procfile/.git: Not a directory\n"
        "It is in the image now."
    )
