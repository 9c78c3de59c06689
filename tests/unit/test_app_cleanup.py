"""What belongs in no image is found whatever surrounds it, and nothing else is ever removed."""

import os
from pathlib import Path

import pytest

from cnb_python.app_cleanup import UnwantedFiles, VirtualEnvironment, find, remove, remove_bytecode
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


def test_an_app_without_any_of_it_is_left_alone(tmp_path: Path) -> None:
    files: Files = {"main.py": "", "lib/x.py": "", "bin/start": "", "venv/notes.txt": ""}

    assert find(app(tmp_path, files)) == UnwantedFiles()


def test_an_environment_is_known_by_its_configuration_whatever_its_name(tmp_path: Path) -> None:
    files: Files = {"old stuff/pyvenv.cfg": "", "old stuff/Scripts/python.exe": ""}

    assert find(app(tmp_path, {**VENV, **files})).removable == (".venv", "old stuff")


def test_one_in_a_directory_below_is_found_too(tmp_path: Path) -> None:
    files: Files = {f"services/api/{path}": text for path, text in VENV.items()}

    assert find(app(tmp_path, files)).removable == ("services/api/.venv",)


@pytest.mark.parametrize("path", ["pyvenv.cfg", "a/pyvenv.cfg", "a/pyvenv.cfg/x"])
def test_the_file_alone_is_no_environment(tmp_path: Path, path: str) -> None:
    found = find(app(tmp_path, {path: ""}))

    assert (found.environments, found.is_environment) == ((), False)


@pytest.mark.parametrize("path", ["mysite/manage.py", "src/app.py", "main.py"])
def test_an_environment_that_holds_the_app_is_not_removable(tmp_path: Path, path: str) -> None:
    found = find(app(tmp_path, {**VENV, f".venv/{path}": ""}))

    assert found.environments == (VirtualEnvironment(".venv", (path.partition("/")[0],)),)
    assert found.removable == ()


def test_an_app_directory_that_is_an_environment_is_told_and_stays(tmp_path: Path) -> None:
    found = find(app(tmp_path, {"pyvenv.cfg": "", "bin/python": "", "main.py": ""}))

    assert found == UnwantedFiles(is_environment=True)


def test_bytecode_is_found_where_python_does_without_it(tmp_path: Path) -> None:
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
    found = find(directory)

    assert found.caches == ("a/__pycache__",)
    assert remove_bytecode(directory, found) == ()
    assert names(directory) == {
        *("a", "a/__init__.py", "a/__pycache__", "a/__pycache__/jit.nbi", "old.py", "only.pyc")
    }


def test_an_empty_cache_goes_with_its_last_file(tmp_path: Path) -> None:
    directory = app(tmp_path, {"a.py": "", "__pycache__/a.cpython-314.pyc": ""})

    remove_bytecode(directory, find(directory))

    assert names(directory) == {"a.py"}


def test_repositories_and_node_modules_are_found_at_any_depth(tmp_path: Path) -> None:
    files: Files = {
        ".git/HEAD": "",
        "vendor/lib/.git": "gitdir: ../../.git/modules/lib\n",
        "web/node_modules/x/index.js": "",
        "web/node_modules/x/node_modules/y/index.js": "",
    }
    found = find(app(tmp_path, files))

    assert found.repositories == (".git", "vendor/lib/.git")
    assert found.node_modules == ("web/node_modules",)


def test_what_is_below_them_is_not_looked_at(tmp_path: Path) -> None:
    files: Files = {
        ".git/hooks/__pycache__/a.pyc": "",
        "node_modules/gyp/__pycache__/a.pyc": "",
        **VENV,
        ".venv/lib/a/__pycache__/a.pyc": "",
    }

    assert find(app(tmp_path, files)).bytecode == ()


def test_what_the_user_keeps_is_not_found(tmp_path: Path) -> None:
    files: Files = {**VENV, ".git/HEAD": "", "a.py": "", "a.pyc": "", "b/.git/HEAD": ""}

    found = find(app(tmp_path, files), (".venv", "a.pyc", "b/.git"))

    assert found == UnwantedFiles(repositories=(".git",))


def test_links_are_not_followed_and_stay(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", VENV)
    directory = app(tmp_path, {"main.py": ""})
    for name in (".venv", ".git", "node_modules"):
        (directory / name).symlink_to(outside / ".venv")
    (directory / "more").symlink_to(outside)
    (directory / "loop").symlink_to(directory)

    assert find(directory) == UnwantedFiles()


def test_a_link_inside_an_environment_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", {"python": "a program", "lib/x": "y"})
    directory = app(tmp_path, VENV)
    (directory / ".venv/bin/python").symlink_to(outside / "python")
    (directory / ".venv/lib64").symlink_to(outside / "lib")

    assert remove(directory, find(directory).removable) == ()

    assert names(directory) == set()
    assert names(outside) == {"python", "lib", "lib/x"}


def test_what_is_not_ours_to_write_is_removed_all_the_same(tmp_path: Path) -> None:
    directory = app(tmp_path, VENV)
    (directory / ".venv/bin").chmod(0o500)

    assert remove(directory, [".venv"]) == ()
    assert names(directory) == set()


def test_what_cannot_be_removed_is_told_with_the_reason(tmp_path: Path) -> None:
    directory = app(tmp_path, {"file": "", "__pycache__/a.pyc": ""})
    found = UnwantedFiles(bytecode=("file/a.pyc", "__pycache__/a.pyc"))

    assert remove_bytecode(directory, found) == ("file/a.pyc: Not a directory",)
    assert names(directory) == {"file"}


def test_directories_whose_names_are_no_text_are_looked_into(tmp_path: Path) -> None:
    directory = app(tmp_path, {"main.py": ""})
    odd = os.fsdecode(b"\xff")
    (directory / odd).mkdir()
    (directory / odd / ".git").mkdir()
    assert find(directory).repositories == (f"{odd}/.git",)
