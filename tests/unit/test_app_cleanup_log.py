"""App cleanup: when unwanted files are removed, and what the log says of them."""

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


class Cleanup:
    """An app that is cleaned up before and after a build."""

    def __init__(
        self, phase: BuildContext, kept: tuple[str, ...] = (), build_consumers: str = ""
    ) -> None:
        log = Log()
        unwanted = app_cleanup.find_unwanted(phase, kept)
        app_cleanup.remove_before_build(unwanted, phase, build_consumers, log)
        self.while_building = _names(phase.app_dir)
        app_cleanup.remove_after_build(unwanted, phase, build_consumers, log)
        self.in_the_image = _names(phase.app_dir)
        self.lines = log.lines
        self.text = "\n".join(log.lines)


def _names(app_dir: Path) -> set[str]:
    return {path.name for path in app_dir.iterdir()}


@pytest.fixture
def phase(tmp_path: Path) -> BuildContext:
    return context(tmp_path)


def test_an_app_without_unwanted_files_prints_nothing(phase: BuildContext) -> None:
    write_files(phase.app_dir, {"main.py": "", "Procfile": ""})

    assert Cleanup(phase).lines == []


def test_the_repository_is_removed_at_the_end(phase: BuildContext) -> None:
    """Builds from source may read a version from it."""
    write_files(phase.app_dir, {**VENV, **GIT, **CACHE})

    cleanup = Cleanup(phase)

    assert cleanup.while_building == {".git", "main.py"}
    assert cleanup.in_the_image == {"main.py"}


def test_the_repository_is_kept_for_later_buildpacks(phase: BuildContext) -> None:
    write_files(phase.app_dir, GIT)

    cleanup = Cleanup(phase, build_consumers="another buildpack")

    assert cleanup.in_the_image == {".git"}
    assert ".git: not removed, later buildpacks may need the repository." in cleanup.text


def test_the_message_has_patterns_for_all_unwanted_files(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**VENV, **GIT, **CACHE, **MODULES, "old.py": "", "old.pyc": ""})

    assert Cleanup(phase).text.endswith(
        "To exclude them from the build, write to project.toml:\n"
        "    [_]\n"
        '    schema-version = "0.2"\n'
        "    [io.buildpacks]\n"
        '    exclude = [".venv", "__pycache__", "*.pyc", ".git", "node_modules"]'
    )


def test_a_pattern_is_valid_toml_for_any_name(phase: BuildContext) -> None:
    write_files(phase.app_dir, {'a "b" \\c/pyvenv.cfg': "", 'a "b" \\c/bin/python': ""})

    assert r'exclude = ["a \"b\" \\c"]' in Cleanup(phase).text


def test_a_dockerignore_is_mentioned(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**GIT, ".dockerignore": ".git\n"})

    assert "project.toml (buildpacks do not read .dockerignore):" in Cleanup(phase).text


def test_repository_and_bytecode_are_no_warning(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**GIT, **CACHE})

    lines = Cleanup(phase).lines

    assert lines[0] == "App"
    assert "1 file of bytecode (__pycache__, .pyc): removed. Python would not use them." in lines


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (VENV, ".venv: removed. A virtual environment works only where it was made."),
        ({**VENV, ".venv/shop/manage.py": ""}, "since it also holds shop. Move that"),
        ({"pyvenv.cfg": "", "bin/python": ""}, "The app's directory itself is a virtual"),
        (MODULES, "node_modules: not removed, the app may need it when it runs."),
    ],
)
def test_files_that_the_author_should_remove_are_a_warning(
    phase: BuildContext, files: Files, words: str
) -> None:
    write_files(phase.app_dir, files)

    [text] = Cleanup(phase).lines

    assert text.startswith("Some of the app's files do not belong in an image\n")
    assert words in text


def test_an_environment_with_the_app_in_it_is_kept(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**VENV, ".venv/shop/manage.py": ""})

    cleanup = Cleanup(phase)

    assert (phase.app_dir / ".venv/bin/activate").exists()
    # Excluding it would exclude the app.
    assert "exclude" not in cleanup.text


def test_kept_files_are_not_mentioned(phase: BuildContext) -> None:
    write_files(phase.app_dir, {**VENV, **GIT})

    cleanup = Cleanup(phase, kept=(".venv", ".git"))

    assert (cleanup.in_the_image, cleanup.lines) == ({".venv", ".git"}, [])


def test_node_modules_are_wanted_after_a_node_buildpack(
    phase: BuildContext, tmp_path: Path
) -> None:
    write_files(phase.app_dir, MODULES)
    write_files(tmp_path / "layers", {"bin/node": ""})

    with_node = replace(phase, environ={"PATH": f"/missing:{tmp_path / 'layers/bin'}"})

    assert Cleanup(with_node).lines == []


def test_of_many_paths_the_first_few_are_named(phase: BuildContext) -> None:
    write_files(phase.app_dir, {f"{name}/node_modules/x.js": "" for name in "abcde"})

    text = Cleanup(phase).text

    assert "a/node_modules, b/node_modules, c/node_modules and 2 more: not removed" in text
    assert 'exclude = ["node_modules"]' in text


def test_undecodable_and_long_names_are_shortened(phase: BuildContext) -> None:
    odd = "\udcff" + "x" * 100
    write_files(phase.app_dir, {f"{odd}/.git/HEAD": ""})

    text = Cleanup(phase).text

    assert f"\N{REPLACEMENT CHARACTER}{'x' * 59}…: removed at the end of the build." in text
    text.encode()


def test_files_that_could_not_be_removed_are_a_warning(phase: BuildContext) -> None:
    write_files(phase.app_dir, GIT)
    unwanted = app_cleanup.find_unwanted(phase, ())._replace(repositories=("Procfile/.git",))
    write_files(phase.app_dir, {"Procfile": ""})
    log = Log()

    app_cleanup.remove_after_build(unwanted, phase, "", log)

    [text] = log.lines
    assert text == (
        "Some files could not be removed from the app's directory\n"
        "  Procfile/.git: Not a directory\n"
        "They are in the image."
    )
