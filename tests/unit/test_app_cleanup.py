"""App cleanup: unwanted files are unwanted at any depth, and only they are removed."""

import os
from pathlib import Path

import pytest

from cnb_python.app_cleanup import (
    UnwantedFiles,
    VirtualEnvironment,
    remove,
    remove_bytecode,
    unwanted_files,
)
from tests.support.trees import Files, write_files

VENV: Files = {
    ".venv/pyvenv.cfg": "home = /usr/bin\n",
    ".venv/bin/activate": "",
    ".venv/lib/python3.14/site-packages/flask/__init__.py": "",
    ".venv/.gitignore": "*",
}


def app(directory: Path, files: Files) -> Path:
    return write_files(directory / "app", files)


def names(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_an_app_without_unwanted_files_is_not_changed(tmp_path: Path) -> None:
    files: Files = {"main.py": "", "lib/x.py": "", "bin/start": "", "venv/notes.txt": ""}

    assert unwanted_files(app(tmp_path, files)) == UnwantedFiles()


def test_an_environment_with_any_name_is_recognised(tmp_path: Path) -> None:
    files: Files = {"old stuff/pyvenv.cfg": "", "old stuff/Scripts/python.exe": ""}

    assert unwanted_files(app(tmp_path, {**VENV, **files})).removable == (".venv", "old stuff")


def test_an_environment_below_is_recognised(tmp_path: Path) -> None:
    files: Files = {f"services/api/{path}": text for path, text in VENV.items()}

    assert unwanted_files(app(tmp_path, files)).removable == ("services/api/.venv",)


@pytest.mark.parametrize("path", ["pyvenv.cfg", "a/pyvenv.cfg", "a/pyvenv.cfg/x"])
def test_pyvenv_cfg_alone_is_no_environment(tmp_path: Path, path: str) -> None:
    unwanted = unwanted_files(app(tmp_path, {path: ""}))

    assert (unwanted.environments, unwanted.is_environment) == ((), False)


@pytest.mark.parametrize("path", ["mysite/manage.py", "src/app.py", "main.py"])
def test_an_environment_with_foreign_files_is_not_removable(tmp_path: Path, path: str) -> None:
    unwanted = unwanted_files(app(tmp_path, {**VENV, f".venv/{path}": ""}))

    assert unwanted.environments == (VirtualEnvironment(".venv", (path.partition("/")[0],)),)
    assert unwanted.removable == ()


def test_an_app_directory_that_is_an_environment_is_reported(tmp_path: Path) -> None:
    unwanted = unwanted_files(app(tmp_path, {"pyvenv.cfg": "", "bin/python": "", "main.py": ""}))

    assert unwanted == UnwantedFiles(is_environment=True)


def test_bytecode_that_python_does_not_import_is_removed(tmp_path: Path) -> None:
    files: Files = {
        "a/__init__.py": "",
        "a/__pycache__/__init__.cpython-312.pyc": "",
        "a/__pycache__/gone.cpython-312.pyc": "",
        "a/__pycache__/jit.nbi": "",
        "old.py": "",
        "old.pyc": "",
        "only.pyc": "",
    }
    directory = app(tmp_path, files)
    unwanted = unwanted_files(directory)

    assert unwanted.caches == ("a/__pycache__",)
    assert remove_bytecode(directory, unwanted) == ()
    assert names(directory) == {
        *("a", "a/__init__.py", "a/__pycache__", "a/__pycache__/jit.nbi", "old.py", "only.pyc")
    }


def test_an_empty_pycache_is_removed_with_its_last_file(tmp_path: Path) -> None:
    directory = app(tmp_path, {"a.py": "", "__pycache__/a.cpython-314.pyc": ""})

    remove_bytecode(directory, unwanted_files(directory))

    assert names(directory) == {"a.py"}


def test_repositories_and_node_modules_are_found_at_any_depth(tmp_path: Path) -> None:
    files: Files = {
        ".git/HEAD": "",
        "vendor/lib/.git": "gitdir: ../../.git/modules/lib\n",
        "web/node_modules/x/index.js": "",
        "web/node_modules/x/node_modules/y/index.js": "",
    }
    unwanted = unwanted_files(app(tmp_path, files))

    assert unwanted.repositories == (".git", "vendor/lib/.git")
    assert unwanted.node_modules == ("web/node_modules",)


def test_unwanted_directories_are_not_walked(tmp_path: Path) -> None:
    files: Files = {
        ".git/hooks/__pycache__/a.pyc": "",
        "node_modules/gyp/__pycache__/a.pyc": "",
        **VENV,
        ".venv/lib/a/__pycache__/a.pyc": "",
    }

    assert unwanted_files(app(tmp_path, files)).bytecode == ()


def test_kept_names_and_paths_are_not_reported(tmp_path: Path) -> None:
    files: Files = {**VENV, ".git/HEAD": "", "a.py": "", "a.pyc": "", "b/.git/HEAD": ""}

    unwanted = unwanted_files(app(tmp_path, files), (".venv", "a.pyc", "b/.git"))

    assert unwanted == UnwantedFiles(repositories=(".git",))


def test_links_are_not_followed_or_removed(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", VENV)
    directory = app(tmp_path, {"main.py": ""})
    for name in (".venv", ".git", "node_modules"):
        (directory / name).symlink_to(outside / ".venv")
    (directory / "more").symlink_to(outside)
    (directory / "loop").symlink_to(directory)

    assert unwanted_files(directory) == UnwantedFiles()


def test_a_link_in_an_environment_is_removed_without_its_target(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", {"python": "a program", "lib/x": "y"})
    directory = app(tmp_path, VENV)
    (directory / ".venv/bin/python").symlink_to(outside / "python")
    (directory / ".venv/lib64").symlink_to(outside / "lib")

    assert remove(directory, unwanted_files(directory).removable) == ()

    assert names(directory) == set()
    assert names(outside) == {"python", "lib", "lib/x"}


def test_a_read_only_directory_is_removed(tmp_path: Path) -> None:
    directory = app(tmp_path, VENV)
    (directory / ".venv/bin").chmod(0o500)

    assert remove(directory, [".venv"]) == ()
    assert names(directory) == set()


def test_a_file_that_cannot_be_removed_is_returned_with_the_reason(tmp_path: Path) -> None:
    directory = app(tmp_path, {"file": "", "__pycache__/a.pyc": ""})
    unwanted = UnwantedFiles(bytecode=("file/a.pyc", "__pycache__/a.pyc"))

    assert remove_bytecode(directory, unwanted) == ("file/a.pyc: Not a directory",)
    assert names(directory) == {"file"}


def test_directories_with_undecodable_names_are_walked(tmp_path: Path) -> None:
    directory = app(tmp_path, {"main.py": ""})
    odd = os.fsdecode(b"\xff")
    (directory / odd).mkdir()
    (directory / odd / ".git").mkdir()
    assert unwanted_files(directory).repositories == (f"{odd}/.git",)
