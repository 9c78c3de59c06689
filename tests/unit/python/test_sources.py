"""Who may ask for a Python, and who counts."""

import json
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.kinds import SettingOrigin as Given
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.inputs import UnreadableJson, UnreadableToml
from cnb_python.errors.locks import UnexpectedType
from cnb_python.errors.python import (
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspeltVersionFile,
    OtherImplementation,
)
from cnb_python.python.sources import Requests, also_said, asked_for, by_setting
from tests.support.trees import Files, write_files

LOCK = json.dumps(
    {"_meta": {"requires": {"python_full_version": "3.12.4", "python_version": "3.11"}}}, indent=4
)
PROJECT = """\
[build-system]
requires = ["hatchling"]

[project]
name = "shop"
requires-python = ">=3.11" # why
"""
POETRY = """\
[tool.poetry.dependencies]
python = "^3.10"
"""
# Each says another version, from the one that counts most to the one that counts least.
EVERYTHING: dict[str, str] = {
    "runtime.txt": "python-3.13.1\n",
    ".python-version": "# web\n3.13\n",
    "Pipfile.lock": LOCK,
    "pyproject.toml": PROJECT,
    ".tool-versions": "nodejs 24.1.0\npython 3.11.9 3.10.2 # old\n",
    "mise.toml": '[tools]\nnode = "24"\npython = "3.10"\n',
    ".mise.toml": '[tools]\npython = "3.10.2"\n',
}
SAID = (
    ("3.13.1", "runtime.txt, line 1"),
    ("3.13", ".python-version, line 2"),
    ("3.12.4", "python_full_version in Pipfile.lock, line 4"),
    (">=3.11", "requires-python in pyproject.toml, line 6"),
    ("3.11.9", ".tool-versions, line 2"),
    ("3.10", "mise.toml, line 3"),
    ("3.10.2", ".mise.toml, line 2"),
)


def said(requests: Requests) -> list[tuple[str, str]]:
    return [(str(request), str(request.origin)) for request in requests]


def asked(directory: Path, files: Files) -> list[tuple[str, str]]:
    return said(asked_for(read_app(write_files(directory / "app", files)), DEFAULTS))


def test_nobody_has_to_ask(tmp_path: Path) -> None:
    assert asked_for(read_app(tmp_path), DEFAULTS) == ()


@pytest.mark.parametrize("first", range(len(SAID)))
def test_sources_count_in_their_order_each_with_its_line(first: int, tmp_path: Path) -> None:
    files: Files = dict(list(EVERYTHING.items())[first:])

    assert asked(tmp_path, files) == [SAID[first]]


def test_what_does_not_count_is_known(tmp_path: Path) -> None:
    files: Files = {n: t for n, t in EVERYTHING.items() if n != ".mise.toml"}
    app = read_app(write_files(tmp_path, files))
    requests = asked_for(app, DEFAULTS)

    assert said(also_said(app, requests)) == list(SAID[1:-1])
    assert said(also_said(app, by_setting(Settings(python="3.14")))) == list(SAID[:-1])


def test_what_does_not_count_need_not_be_right(tmp_path: Path) -> None:
    files: Files = {".python-version": "3.13", "pyproject.toml": "[", "mise.toml": "="}
    app = read_app(write_files(tmp_path, files))

    assert also_said(app, asked_for(app, DEFAULTS)) == ()


@pytest.mark.parametrize("text", ["3.13.1", "3.13", "3.14t", ">=3.11,<3.14", "^3.12", "~=3.12.1"])
def test_the_setting_counts_before_the_files(text: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("not even a version")

    requests = asked_for(read_app(tmp_path), Settings(python=text))

    assert said(requests) == [(text, "the setting BP_PYTHON_VERSION")]


def test_any_patch_in_the_setting_is_the_line() -> None:
    assert said(by_setting(Settings(python="3.13.*"))) == [
        ("3.13", "the setting BP_PYTHON_VERSION")
    ]


def test_a_setting_that_nobody_gave_does_not_count() -> None:
    assert by_setting(DEFAULTS) == ()


def test_a_setting_of_the_app_is_named_with_its_line(tmp_path: Path) -> None:
    settings = Settings(python="3.13", origins={"python": Given("pyproject.toml", 7)})

    (request,) = asked_for(read_app(tmp_path), settings)

    assert str(request.origin) == "the setting python of pyproject.toml, line 7"


def test_a_bad_version_in_the_setting_is_named() -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        by_setting(Settings(python="latest"))

    assert caught.value.origin == "the setting BP_PYTHON_VERSION"


def test_a_bad_range_in_the_setting_is_named() -> None:
    with pytest.raises(InvalidPythonRange) as caught:
        by_setting(Settings(python=">="))

    assert caught.value.origin == "the setting BP_PYTHON_VERSION"


def test_a_misspelt_file_is_refused_unless_something_above_it_speaks(tmp_path: Path) -> None:
    files: Files = {"python-version.txt": "3.12"}
    with pytest.raises(MisspeltVersionFile):
        asked(tmp_path, files)

    assert asked(tmp_path, {**files, "runtime.txt": "3.13"}) == [("3.13", "runtime.txt, line 1")]


def test_a_python_of_poetry_s_is_its_own_form(tmp_path: Path) -> None:
    found = asked(tmp_path, {"pyproject.toml": POETRY})

    assert found == [("^3.10", "python in pyproject.toml, line 2")]


def test_poetry_s_python_may_be_a_table(tmp_path: Path) -> None:
    text = '[tool.poetry.dependencies]\npython = {version = "~3.12"}\n'

    assert asked(tmp_path, {"pyproject.toml": text}) == [
        ("~3.12", "python in pyproject.toml, line 2")
    ]


def test_the_project_s_range_and_poetry_s_count_together(tmp_path: Path) -> None:
    found = asked(tmp_path, {"pyproject.toml": PROJECT + POETRY})

    assert [text for text, _ in found] == [">=3.11", "^3.10"]


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ('project = {requires-python = ">=3.11"}', "requires-python in pyproject.toml"),
        ('project.requires-python = ">=3.11"', "requires-python in pyproject.toml, line 1"),
        ('[project]\n"requires-python" = ">=3.11"', "requires-python in pyproject.toml, line 2"),
        ('[ project ]\nrequires-python=">=3.11"', "requires-python in pyproject.toml, line 2"),
    ],
)
def test_a_line_is_named_where_it_can_be_found(text: str, origin: str, tmp_path: Path) -> None:
    assert asked(tmp_path, {"pyproject.toml": text}) == [(">=3.11", origin)]


@pytest.mark.parametrize(
    "text", ["", "[project]\nname = 'x'\n", '[project]\nrequires-python = ""\n', "[tool.black]\n"]
)
def test_a_pyproject_toml_need_not_say_anything(text: str, tmp_path: Path) -> None:
    assert asked(tmp_path, {"pyproject.toml": text}) == []


def test_a_pyproject_toml_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableToml):
        asked(tmp_path, {"pyproject.toml": "[project"})


def test_a_range_that_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidPythonRange) as caught:
        asked(tmp_path, {"pyproject.toml": "[project]\nrequires-python = 3.12\n"})

    assert caught.value.text == "3.12"


def test_pipenv_s_line_counts_where_there_is_no_full_version(tmp_path: Path) -> None:
    lock = json.dumps({"_meta": {"requires": {"python_version": "3.12"}}}, indent=4)

    assert asked(tmp_path, {"Pipfile.lock": lock}) == [
        ("3.12", "python_version in Pipfile.lock, line 4")
    ]


@pytest.mark.parametrize(
    "lock",
    ["{}", '{"_meta": {}}', '{"_meta": {"requires": {"python_version": "*"}}}', "[]", "null"],
)
def test_a_lock_of_pipenv_s_need_not_say_anything(lock: str, tmp_path: Path) -> None:
    assert asked(tmp_path, {"Pipfile.lock": lock}) == []


def test_a_lock_of_pipenv_s_that_is_no_json_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableJson) as caught:
        asked(tmp_path, {"Pipfile.lock": "{\n<<<<<<< HEAD\n"})

    assert (caught.value.name, caught.value.line) == ("Pipfile.lock", 2)


@pytest.mark.parametrize("lock", ["[" * 200_000, f'{{"_meta": {"9" * 10_000}}}'])
def test_a_lock_of_pipenv_s_that_python_refuses_to_read_is_refused(
    lock: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableJson):
        asked(tmp_path, {"Pipfile.lock": lock})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pipfile", "[requires]\npython_version = 3.10\n"),
        ("Pipfile.lock", '{"_meta": {"requires": {\n"python_version": 3.10}}}'),
    ],
)
def test_a_version_without_quotes_is_no_version(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(UnexpectedType) as caught:
        asked(tmp_path, {name: text})

    assert (caught.value.file, caught.value.line, caught.value.found) == (name, 2, "3.1")


def test_a_range_is_no_version_to_pipenv(tmp_path: Path) -> None:
    lock = json.dumps({"_meta": {"requires": {"python_version": ">=3.9"}}})
    with pytest.raises(InvalidPythonVersion) as caught:
        asked(tmp_path, {"Pipfile.lock": lock})

    assert caught.value.origin == "python_version in Pipfile.lock, line 1"


def test_a_pipfile_counts_while_it_has_no_lock(tmp_path: Path) -> None:
    pipfile = '[packages]\nflask = "*"\n\n[requires]\npython_version = "3.12"\n'

    assert asked(tmp_path, {"Pipfile": pipfile}) == [("3.12", "python_version in Pipfile, line 5")]
    assert asked(tmp_path, {"Pipfile": pipfile, "Pipfile.lock": "{}"}) == []


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("python 3.12.4", "3.12.4"),
        ("python\t3.12", "3.12"),
        ("python latest", "latest"),
        ("python 3.13.1t", "3.13.1t"),
        ("core:python 3.12.1", "3.12.1"),
    ],
)
def test_asdf_s_file_names_the_python_before_those_to_fall_back_to(
    line: str, text: str, tmp_path: Path
) -> None:
    assert asked(tmp_path, {".tool-versions": f"ruby 3.4.1\n\n{line} 3.9.1 system\n"}) == [
        (text, ".tool-versions, line 3")
    ]


@pytest.mark.parametrize(
    "text", ["", "ruby 3.4.1\n", "# python 3.12\n", "python system\n", "python"]
)
def test_asdf_s_file_need_not_name_a_python(text: str, tmp_path: Path) -> None:
    assert asked(tmp_path, {".tool-versions": text}) == []


def test_another_implementation_in_asdf_s_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OtherImplementation) as caught:
        asked(tmp_path, {".tool-versions": "python pypy3.10-7.3.12\n"})

    assert caught.value.origin == ".tool-versions, line 1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ('"3.12"', "3.12"),
        ('["3.12.4", "3.11"]', "3.12.4"),
        ('{version = "3.12", virtualenv = ".venv"}', "3.12"),
        ('[{version = "3.12"}, "3.11"]', "3.12"),
        ('"prefix:3.12"', "3.12"),
        ('"latest"', "latest"),
        ('"3"', "3"),
    ],
)
def test_each_form_of_mise_s_tools_is_read(value: str, text: str, tmp_path: Path) -> None:
    assert asked(tmp_path, {"mise.toml": f"[tools]\npython = {value}\n"}) == [
        (text, "mise.toml, line 2")
    ]


def test_a_table_of_its_own_in_mise_s_file_is_read(tmp_path: Path) -> None:
    text = '[tools.python]\nversion = "3.12"\n'

    assert asked(tmp_path, {".mise.toml": text}) == [("3.12", ".mise.toml")]


def test_a_number_in_mise_s_file_is_refused(tmp_path: Path) -> None:
    """Not even mise takes it: 3.10 is 3.1."""
    with pytest.raises(InvalidPythonVersion) as caught:
        asked(tmp_path, {"mise.toml": "[tools]\npython = 3.10\n"})

    assert (caught.value.text, caught.value.likely) == ("3.1", "")


@pytest.mark.parametrize("value", ['"system"', '""', "[]", "{}"])
def test_mise_s_file_need_not_name_a_python(value: str, tmp_path: Path) -> None:
    assert asked(tmp_path, {"mise.toml": f"[tools]\npython = {value}\n"}) == []


def test_the_newest_of_all_is_any_python_3(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path, {"mise.toml": '[tools]\npython = "latest"\n'}))
    (request,) = asked_for(app, DEFAULTS)

    assert request.admits("3.14.6")
    assert not request.admits("4.0.0")


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.web.toml"])
def test_a_standard_lock_s_range_counts_with_the_project_s(name: str, tmp_path: Path) -> None:
    lock = 'lock-version = "1.0"\nrequires-python = ">=3.12,<3.14"\n[[packages]]\nname = "x"\n'
    found = (">=3.12,<3.14", f"requires-python in {name}, line 2")

    assert asked(tmp_path / "a", {name: lock}) == [found]
    both = asked(tmp_path / "b", {name: lock, "pyproject.toml": PROJECT})
    assert both == [(">=3.11", "requires-python in pyproject.toml, line 6"), found]


def test_only_the_head_of_the_lock_that_is_installed_counts(tmp_path: Path) -> None:
    body = '[[packages]]\nrequires-python = ">=3.13"\n'
    named = 'requires-python = ">=3.10"\n'

    assert asked(tmp_path / "a", {"pylock.toml": body, "pylock.web.toml": named}) == []
    assert asked(tmp_path / "b", {"pylock.api.toml": named, "pylock.web.toml": named}) == []


MEMBER: Files = {
    "pyproject.toml": '[project]\nrequires-python = ">=3.10"\n[tool.uv.workspace]\n',
    "services/pyproject.toml": '[project]\nrequires-python = ">=3.14"\n',
    "services/api/pyproject.toml": '[project]\nrequires-python = ">=3.11"\n',
}


def asked_inside(directory: Path, files: Files) -> list[tuple[str, str]]:
    write_files(directory / "app", files)
    return said(asked_for(read_app(directory / "app", "services/api"), DEFAULTS))


def test_the_workspace_of_an_app_counts_with_it(tmp_path: Path) -> None:
    assert asked_inside(tmp_path, MEMBER) == [
        (">=3.11", "requires-python in services/api/pyproject.toml, line 2"),
        (">=3.10", "requires-python in pyproject.toml, line 2"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".python-version", "3.12"),
        (".tool-versions", "python 3.12"),
        ("mise.toml", "tools.python='3.12'"),
    ],
)
def test_what_version_managers_read_is_looked_for_above_the_app_too(
    name: str, text: str, tmp_path: Path
) -> None:
    files: Files = {f"services/{name}": text, name: "not this one", "services/api/app.py": ""}

    assert asked_inside(tmp_path, files) == [("3.12", f"services/{name}, line 1")]


def test_the_nearest_file_counts_and_is_named_from_the_top(tmp_path: Path) -> None:
    files: Files = {"services/api/.python-version": "3.13", ".python-version": "3.12"}

    assert asked_inside(tmp_path, files) == [("3.13", "services/api/.python-version, line 1")]


def test_what_belongs_to_another_app_above_is_not_read(tmp_path: Path) -> None:
    files: Files = {"runtime.txt": "python-3.12", "Pipfile.lock": LOCK, "services/api/app.py": ""}

    assert asked_inside(tmp_path, files) == []
