"""The indexes that each manager takes packages from, for requests of the buildpack's own."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.managers.base import Manager, Pin, Resolution
from cnb_python.managers.development.manager import DevelopmentManager
from cnb_python.managers.index_config import PUBLIC_INDEX
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.managers.standard_library.manager import StandardLibrary
from cnb_python.managers.uv.manager import UvProject
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_tools import context_of, write_app

INDEX, MORE = "https://index.example.org/simple", "https://more.example.org/simple"
OURS = "https://me:word@ours.example/simple"
SIX = Pin("six", "1.17.0", "", "six==1.17.0")
TOOLS = Pin("our-tools", "2.0", "", "our-tools==2.0")
RESOLVED = Resolution((SIX,), from_files_alone=False, by="pip")
UNUSED = [("README.md", "")]


def refuse(command: Command, on_line: object = None) -> Outcome:
    """Fail: nothing runs."""
    raise AssertionError(command, on_line)


def groups(
    directory: Path,
    manager: Manager,
    files: Sequence[tuple[str, str]] = (),
    resolution: Resolution = RESOLVED,
    pin: Pin = SIX,
    notes: str = "",
    **environ: str,
) -> tuple[tuple[str, ...], ...]:
    context = context_of(write_app(directory, [*UNUSED, *files]), **environ)
    for name in (
        "poetry.export.txt",
        "pdm.export.txt",
        "the lines of pipenv requirements that name indexes",
    ):
        context.notes[name] = notes
    return manager.package_indexes(resolution, context, refuse).of(pin)


@pytest.mark.parametrize("manager", [UvProject(), Pylock(), PlainProject()])
def test_settings_of_uv_win_over_those_of_pip(tmp_path: Path, manager: Manager) -> None:
    assert groups(tmp_path, manager) == ((PUBLIC_INDEX,),)
    assert groups(tmp_path, manager, PIP_INDEX_URL=INDEX) == ((INDEX,),)
    assert groups(tmp_path, manager, PIP_INDEX_URL=INDEX, UV_DEFAULT_INDEX=MORE) == ((MORE,),)
    assert groups(tmp_path, manager, UV_INDEX=f"m={MORE}") == ((MORE, PUBLIC_INDEX),)
    table = f'[[tool.uv.index]]\nurl = "{INDEX}"\ndefault = true\n'
    assert groups(tmp_path, manager, [("pyproject.toml", table)], PIP_INDEX_URL=MORE) == (
        (INDEX,),
    )


def test_pinned_lines_have_the_index_of_the_file_or_of_pip(tmp_path: Path) -> None:
    line = "six==1.17.0\n"
    for text, index, expected in (
        (line, "", PUBLIC_INDEX),
        (line, INDEX, INDEX),
        (f"--index-url {MORE}\n{line}", INDEX, MORE),
    ):
        app = write_app(tmp_path, [("requirements.txt", text)])
        resolution = Pip().resolve_from_files(read_app(app), "3.14.6", context_of(app).environ)
        assert isinstance(resolution, Resolution)
        files = [("requirements.txt", text)]
        assert groups(tmp_path, Pip(), files, resolution, PIP_INDEX_URL=index) == ((expected,),)


@pytest.mark.parametrize("by", ["pip", "uv"])
def test_other_lines_have_all_indexes(tmp_path: Path, by: str) -> None:
    files = [("requirements.txt", f"--extra-index-url {MORE}\nsix>=1\n")]
    resolution = RESOLVED._replace(by=by)

    assert groups(tmp_path, Pip(), files, resolution, PIP_INDEX_URL=INDEX) == ((MORE, INDEX),)


def test_settings_of_uv_are_not_for_pip(tmp_path: Path) -> None:
    files = [("requirements.txt", "six>=1\n")]

    assert groups(tmp_path, Pip(), files, UV_DEFAULT_INDEX=INDEX) == ((PUBLIC_INDEX,),)


LOCK = """\
[[package]]
name = "our-tools"
version = "2.0"
[package.source]
type = "legacy"
url = "https://ours.example/simple"
"""


def test_poetry_lock_names_the_index_of_a_package(tmp_path: Path) -> None:
    """Other indexes count only if that one has no such package: they must not see its name."""
    files = [("poetry.lock", LOCK), ("pyproject.toml", "")]
    notes = f"--extra-index-url {OURS}\n\nsix==1.17.0\n"

    assert groups(tmp_path, Poetry(), files, notes=notes) == ((PUBLIC_INDEX,),)
    assert groups(tmp_path, Poetry(), files, pin=TOOLS, notes=notes) == ((OURS,), (PUBLIC_INDEX,))


def test_pipfile_lock_names_the_index_of_a_package(tmp_path: Path) -> None:
    lock = f"""{{"_meta": {{"sources": [{{"name": "all", "url": "{INDEX}"}},
      {{"name": "ours", "url": "{OURS}"}}]}},
      "default": {{"our-tools": {{"index": "ours", "version": "==2.0"}},
      "six": {{"version": "==1.17.0"}}}}}}"""
    files = [("Pipfile", ""), ("Pipfile.lock", lock)]
    notes = f"-i {INDEX}\n--extra-index-url {OURS}"

    assert groups(tmp_path, Pipenv(), files, pin=TOOLS, notes=notes) == ((OURS,), (INDEX,))
    assert groups(tmp_path, Pipenv(), files, notes=notes) == ((INDEX,),)


def test_sources_of_pdm_are_for_all_packages(tmp_path: Path) -> None:
    table = f'[[tool.pdm.source]]\nname = "pypi"\nurl = "{INDEX}"\n'
    files = [("pyproject.toml", table), ("pdm.lock", "")]

    assert groups(tmp_path, Pdm(), files, notes=f"--index-url {INDEX}\n") == ((INDEX,),)


def test_packages_for_development_come_from_where_their_files_say(tmp_path: Path) -> None:
    files = [
        ("requirements.txt", f"--index-url {INDEX}\nsix>=1\n"),
        ("dev.txt", f"--index-url {MORE}\nour-tools>=1\n"),
    ]
    development = Pip(Settings(requirements=("dev.txt",)))
    manager = DevelopmentManager(Pip(), development)
    resolution = RESOLVED._replace(development=frozenset({"our-tools"}))

    assert groups(tmp_path, manager, files, resolution) == ((INDEX,),)
    assert groups(tmp_path, manager, files, resolution, TOOLS) == ((MORE,),)


def test_app_without_packages_has_no_index(tmp_path: Path) -> None:
    assert groups(tmp_path, StandardLibrary()) == ()
