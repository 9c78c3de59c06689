"""The version sources: which requests they have, and which count."""

import json
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.kinds import SettingOrigin as Given
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.inputs import UnreadableJson, UnreadableToml
from cnb_python.errors.locks import UnexpectedType
from cnb_python.errors.python_requests import (
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspelledVersionFile,
    OtherImplementation,
)
from cnb_python.python.sources import (
    Requests,
    python_requests,
    setting_requests,
    unreadable_range,
    unused_requests,
)
from tests.support.messages import explained
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
# Each names another version. The first one wins over those after it.
EVERYTHING: dict[str, str] = {
    "runtime.txt": "python-3.13.1\n",
    ".python-version": "# web\n3.13\n",
    "Pipfile.lock": LOCK,
    ".tool-versions": "nodejs 24.1.0\npython 3.11.9 3.10.2 # old\n",
    "mise.toml": '[tools]\nnode = "24"\npython = "3.10"\n',
    ".mise.toml": '[tools]\npython = "3.10.2"\n',
    "mise/config.toml": '[tools]\npython = "3.10.3"\n',
    ".mise/config.toml": '[tools]\npython = "3.10.4"\n',
    ".config/mise.toml": '[tools]\npython = "3.10.5"\n',
    ".config/mise/config.toml": '[tools]\npython = "3.10.6"\n',
    ".config/mise/conf.d/10-python.toml": '[tools]\npython = "3.10.7"\n',
    "pyproject.toml": PROJECT,
}
REQUESTS = (
    ("3.13.1", "runtime.txt, line 1"),
    ("3.13", ".python-version, line 2"),
    ("3.12.4", "python_full_version in Pipfile.lock, line 4"),
    ("3.11.9", ".tool-versions, line 2"),
    ("3.10", "mise.toml, line 3"),
    ("3.10.2", ".mise.toml, line 2"),
    ("3.10.3", "mise/config.toml, line 2"),
    ("3.10.4", ".mise/config.toml, line 2"),
    ("3.10.5", ".config/mise.toml, line 2"),
    ("3.10.6", ".config/mise/config.toml, line 2"),
    ("3.10.7", ".config/mise/conf.d/10-python.toml, line 2"),
    (">=3.11", "requires-python in pyproject.toml, line 6"),
)


def texts(requests: Requests) -> list[tuple[str, str]]:
    return [(str(request), str(request.origin)) for request in requests]


def requests_in(directory: Path, files: Files) -> list[tuple[str, str]]:
    return texts(python_requests(read_app(write_files(directory / "app", files)), DEFAULTS))


def test_an_app_without_sources_has_no_requests(tmp_path: Path) -> None:
    assert python_requests(read_app(tmp_path), DEFAULTS) == ()


@pytest.mark.parametrize("first", range(len(REQUESTS)))
def test_the_first_source_counts_with_its_line(first: int, tmp_path: Path) -> None:
    files: Files = dict(list(EVERYTHING.items())[first:])

    assert requests_in(tmp_path, files) == [REQUESTS[first]]


def test_unused_requests_are_those_of_the_other_sources(tmp_path: Path) -> None:
    files: Files = {n: t for n, t in EVERYTHING.items() if n == "mise.toml" or "mise" not in n}
    expected = [request for request in REQUESTS if "mise" not in request[1].removeprefix("mise.")]
    app = read_app(write_files(tmp_path, files))
    requests = python_requests(app, DEFAULTS)

    assert texts(unused_requests(app, requests)) == expected[1:]
    assert texts(unused_requests(app, setting_requests(Settings(python="3.14")))) == expected


def test_an_unused_source_need_not_be_valid(tmp_path: Path) -> None:
    files: Files = {".python-version": "3.13", "pyproject.toml": "[", "mise.toml": "="}
    app = read_app(write_files(tmp_path, files))

    assert unused_requests(app, python_requests(app, DEFAULTS)) == ()


@pytest.mark.parametrize("text", ["3.13.1", "3.13", "3.14t", ">=3.11,<3.14", "^3.12", "~=3.12.1"])
def test_the_setting_wins_over_the_files(text: str, tmp_path: Path) -> None:
    (tmp_path / ".python-version").write_text("not even a version")

    requests = python_requests(read_app(tmp_path), Settings(python=text))

    assert texts(requests) == [(text, "the setting BP_PYTHON_VERSION")]


def test_a_wildcard_in_the_setting_is_the_release_line() -> None:
    assert texts(setting_requests(Settings(python="3.13.*"))) == [
        ("3.13", "the setting BP_PYTHON_VERSION")
    ]


def test_a_setting_that_is_not_given_has_no_requests() -> None:
    assert setting_requests(DEFAULTS) == ()


def test_a_setting_in_pyproject_is_named_with_its_line(tmp_path: Path) -> None:
    settings = Settings(python="3.13", origins={"python": Given("pyproject.toml", 7)})

    (request,) = python_requests(read_app(tmp_path), settings)

    assert str(request.origin) == "the setting python of pyproject.toml, line 7"


def test_a_bad_version_in_the_setting_is_named() -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        setting_requests(Settings(python="latest"))

    assert caught.value.origin == "the setting BP_PYTHON_VERSION"


def test_a_bad_range_in_the_setting_is_named() -> None:
    with pytest.raises(InvalidPythonRange) as caught:
        setting_requests(Settings(python=">="))

    assert caught.value.origin == "the setting BP_PYTHON_VERSION"


def test_a_misspelt_file_is_refused_unless_an_earlier_source_counts(tmp_path: Path) -> None:
    files: Files = {"python-version.txt": "3.12"}
    with pytest.raises(MisspelledVersionFile):
        requests_in(tmp_path, files)

    assert requests_in(tmp_path, {**files, "runtime.txt": "3.13"}) == [
        ("3.13", "runtime.txt, line 1")
    ]


def test_poetrys_python_is_a_constraint(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, {"pyproject.toml": POETRY})

    assert requests == [("^3.10", "python in pyproject.toml, line 2")]


def test_poetrys_python_may_be_a_table(tmp_path: Path) -> None:
    text = '[tool.poetry.dependencies]\npython = {version = "~3.12"}\n'

    assert requests_in(tmp_path, {"pyproject.toml": text}) == [
        ("~3.12", "python in pyproject.toml, line 2")
    ]


def test_the_projects_range_and_poetrys_count_together(tmp_path: Path) -> None:
    requests = requests_in(tmp_path, {"pyproject.toml": PROJECT + POETRY})

    assert [text for text, _ in requests] == [">=3.11", "^3.10"]


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ('project = {requires-python = ">=3.11"}', "requires-python in pyproject.toml"),
        ('project.requires-python = ">=3.11"', "requires-python in pyproject.toml, line 1"),
        ('[project]\n"requires-python" = ">=3.11"', "requires-python in pyproject.toml, line 2"),
        ('[ project ]\nrequires-python=">=3.11"', "requires-python in pyproject.toml, line 2"),
    ],
)
def test_the_line_is_named_if_its_form_is_recognised(
    text: str, origin: str, tmp_path: Path
) -> None:
    assert requests_in(tmp_path, {"pyproject.toml": text}) == [(">=3.11", origin)]


@pytest.mark.parametrize(
    "text", ["", "[project]\nname = 'x'\n", '[project]\nrequires-python = ""\n', "[tool.black]\n"]
)
def test_a_pyproject_without_a_range_has_no_requests(text: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {"pyproject.toml": text}) == []


def test_a_pyproject_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableToml):
        requests_in(tmp_path, {"pyproject.toml": "[project"})


def test_a_range_that_is_not_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnexpectedType) as caught:
        requests_in(tmp_path, {"pyproject.toml": "[project]\nrequires-python = 3.12\n"})

    text = explained(caught.value)
    assert "pyproject.toml has a mistake at requires-python" in text
    assert 'Expected: text in quotes, such as ">=3.12"' in text


def test_a_version_alone_is_no_range_and_its_line_is_advised(tmp_path: Path) -> None:
    with pytest.raises(InvalidPythonRange) as caught:
        requests_in(tmp_path, {"pyproject.toml": "[project]\nrequires-python = '3.12'\n"})

    assert caught.value.describe().fixes == (
        "Write it in the standard form: ==3.12.*",
        "If newer Pythons are right too: >=3.12",
    )


def test_pipenvs_python_version_counts_without_a_full_version(tmp_path: Path) -> None:
    lock = json.dumps({"_meta": {"requires": {"python_version": "3.12"}}}, indent=4)

    assert requests_in(tmp_path, {"Pipfile.lock": lock}) == [
        ("3.12", "python_version in Pipfile.lock, line 4")
    ]


@pytest.mark.parametrize(
    "lock",
    ["{}", '{"_meta": {}}', '{"_meta": {"requires": {"python_version": "*"}}}', "[]", "null"],
)
def test_a_pipfile_lock_without_a_version_has_no_requests(lock: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {"Pipfile.lock": lock}) == []


def test_a_pipfile_lock_that_is_not_json_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(UnreadableJson) as caught:
        requests_in(tmp_path, {"Pipfile.lock": "{\n<<<<<<< HEAD\n"})

    assert (caught.value.name, caught.value.line) == ("Pipfile.lock", 2)
    assert caught.value.reason == "Expecting property name enclosed in double quotes"


@pytest.mark.parametrize("lock", ["[" * 200_000, f'{{"_meta": {"9" * 10_000}}}'])
def test_a_pipfile_lock_that_python_cannot_parse_is_refused(lock: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableJson):
        requests_in(tmp_path, {"Pipfile.lock": lock})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pipfile", "[requires]\npython_version = 3.10\n"),
        ("Pipfile.lock", '{"_meta": {"requires": {\n"python_version": 3.10}}}'),
    ],
)
def test_a_version_without_quotes_is_refused(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(UnexpectedType) as caught:
        requests_in(tmp_path, {name: text})

    assert (caught.value.file, caught.value.line, caught.value.value) == (name, 2, "3.1")


def test_a_range_in_pipfile_lock_is_refused(tmp_path: Path) -> None:
    lock = json.dumps({"_meta": {"requires": {"python_version": ">=3.9"}}})
    with pytest.raises(InvalidPythonVersion) as caught:
        requests_in(tmp_path, {"Pipfile.lock": lock})

    assert caught.value.origin == "python_version in Pipfile.lock, line 1"


def test_a_pipfile_counts_only_without_a_lock_file(tmp_path: Path) -> None:
    pipfile = '[packages]\nflask = "*"\n\n[requires]\npython_version = "3.12"\n'

    assert requests_in(tmp_path, {"Pipfile": pipfile}) == [
        ("3.12", "python_version in Pipfile, line 5")
    ]
    assert requests_in(tmp_path, {"Pipfile": pipfile, "Pipfile.lock": "{}"}) == []


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
def test_the_first_python_in_tool_versions_counts(line: str, text: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {".tool-versions": f"ruby 3.4.1\n\n{line} 3.9.1 system\n"}) == [
        (text, ".tool-versions, line 3")
    ]


@pytest.mark.parametrize(
    "text", ["", "ruby 3.4.1\n", "# python 3.12\n", "python system\n", "python"]
)
def test_tool_versions_without_a_python_has_no_requests(text: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {".tool-versions": text}) == []


def test_another_implementation_in_tool_versions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OtherImplementation) as caught:
        requests_in(tmp_path, {".tool-versions": "python pypy3.10-7.3.12\n"})

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
def test_each_form_of_mises_tools_is_read(value: str, text: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {"mise.toml": f"[tools]\npython = {value}\n"}) == [
        (text, "mise.toml, line 2")
    ]


def test_a_table_in_mise_toml_is_read(tmp_path: Path) -> None:
    text = '[tools.python]\nversion = "3.12"\n'

    assert requests_in(tmp_path, {".mise.toml": text}) == [("3.12", ".mise.toml")]


def test_a_number_in_mise_toml_is_refused(tmp_path: Path) -> None:
    """Mise does not accept it either: 3.10 is 3.1."""
    with pytest.raises(UnexpectedType) as caught:
        requests_in(tmp_path, {"mise.toml": "[tools]\npython = 3.10\n"})

    text = explained(caught.value)
    assert "mise.toml has a mistake at tools.python" in text
    assert 'Expected: text in quotes, such as python = "3.14"' in text


@pytest.mark.parametrize("value", ['"system"', '""', "[]", "{}"])
def test_mise_toml_without_a_python_has_no_requests(value: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {"mise.toml": f"[tools]\npython = {value}\n"}) == []


def test_latest_admits_any_python_3(tmp_path: Path) -> None:
    app = read_app(write_files(tmp_path, {"mise.toml": '[tools]\npython = "latest"\n'}))
    (request,) = python_requests(app, DEFAULTS)

    assert request.admits("3.14.6")
    assert not request.admits("4.0.0")


@pytest.mark.parametrize("name", ["pylock.toml", "pylock.web.toml"])
def test_the_range_of_pylock_counts_with_that_of_the_project(name: str, tmp_path: Path) -> None:
    lock = 'lock-version = "1.0"\nrequires-python = ">=3.12,<3.14"\n[[packages]]\nname = "x"\n'
    expected = (">=3.12,<3.14", f"requires-python in {name}, line 2")

    assert requests_in(tmp_path / "a", {name: lock}) == [expected]
    both = requests_in(tmp_path / "b", {name: lock, "pyproject.toml": PROJECT})
    assert both == [(">=3.11", "requires-python in pyproject.toml, line 6"), expected]


def test_only_the_head_of_the_installed_pylock_counts(tmp_path: Path) -> None:
    body = '[[packages]]\nrequires-python = ">=3.13"\n'
    named = 'requires-python = ">=3.10"\n'

    assert requests_in(tmp_path / "a", {"pylock.toml": body, "pylock.web.toml": named}) == []
    assert requests_in(tmp_path / "b", {"pylock.api.toml": named, "pylock.web.toml": named}) == []


MEMBER: Files = {
    "pyproject.toml": '[project]\nrequires-python = ">=3.10"\n[tool.uv.workspace]\n',
    "services/pyproject.toml": '[project]\nrequires-python = ">=3.14"\n',
    "services/api/pyproject.toml": '[project]\nrequires-python = ">=3.11"\n',
}


def requests_inside(directory: Path, files: Files) -> list[tuple[str, str]]:
    write_files(directory / "app", files)
    return texts(python_requests(read_app(directory / "app", "services/api"), DEFAULTS))


@pytest.mark.parametrize(
    ("text", "admitted", "refused"),
    [("3.12.*", "3.12.4", "3.13.1"), ("^3.12", "3.13.1", "3.11.9"), ("~3.12", "3.12.4", "3.13.1")],
)
@pytest.mark.parametrize(
    "files",
    [
        {"poetry.lock": ""},
        {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n"},
        {"pyproject.toml": '[build-system]\nbuild-backend = "poetry.core.masonry.api"\n'},
    ],
)
def test_requires_python_of_poetry_is_in_its_grammar(
    files: dict[str, str], text: str, admitted: str, refused: str, tmp_path: Path
) -> None:
    project = f'[project]\nrequires-python = "{text}"\n' + files.get("pyproject.toml", "")
    app = read_app(write_files(tmp_path, {**files, "pyproject.toml": project}))
    (request,) = python_requests(app, DEFAULTS)

    assert request.admits(admitted)
    assert not request.admits(refused)


SETUP = """\
from setuptools import setup

REQUIRES = "<3.14"
setup(
    name="shop",
    python_requires={},
)
"""
SETUP_CFG = "[metadata]\nname = shop\n[options]\npython_requires = >=3.11\n"


@pytest.mark.parametrize(
    ("value", "text"), [('"<3.13"', "<3.13"), ("REQUIRES", "<3.14"), ("'>=3' + '.12'", "")]
)
def test_python_requires_of_setup_is_a_range(value: str, text: str, tmp_path: Path) -> None:
    expected = [(text, "python_requires in setup.py, line 6")] if text else []

    assert requests_in(tmp_path, {"setup.py": SETUP.format(value)}) == expected


@pytest.mark.parametrize(
    "call", ['setup(**{"python_requires": "<3.13"})', 'setup(**dict(python_requires="<3.13"))']
)
def test_python_requires_in_arguments_of_a_dictionary_is_a_range(
    call: str, tmp_path: Path
) -> None:
    assert requests_in(tmp_path, {"setup.py": call}) == [
        ("<3.13", "python_requires in setup.py, line 1")
    ]


def test_setup_py_wins_over_setup_cfg(tmp_path: Path) -> None:
    files: Files = {"setup.cfg": SETUP_CFG}
    both: Files = {**files, "setup.py": SETUP.format('"<3.13"')}

    assert requests_in(tmp_path / "a", files) == [
        (">=3.11", "python_requires in setup.cfg, line 4")
    ]
    assert requests_in(tmp_path / "b", both) == [("<3.13", "python_requires in setup.py, line 6")]


@pytest.mark.parametrize(
    "files",
    [
        {"setup.py": SETUP.format('">=3.6.*"')},
        {"setup.cfg": SETUP_CFG.replace(">=3.11", ">=3.5.*")},
        {"setup.cfg": b"[metadata]\nauthor = Jos\xe9\n[options]\n"},
    ],
)
def test_damaged_metadata_of_setuptools_is_left_to_what_builds_it(
    files: Files, tmp_path: Path
) -> None:
    assert requests_in(tmp_path, {"requirements.txt": "flask", **files}) == []


def test_setup_py_does_not_count_beside_a_complete_project(tmp_path: Path) -> None:
    files: Files = {"setup.cfg": SETUP_CFG, "pyproject.toml": '[project]\nname = "shop"\n'}
    dynamic: Files = {**files, "pyproject.toml": '[project]\ndynamic = ["requires-python"]\n'}
    tools: Files = {**files, "pyproject.toml": "[tool.ruff]\n"}

    assert requests_in(tmp_path / "a", files) == []
    assert len(requests_in(tmp_path / "b", dynamic)) == 1
    assert len(requests_in(tmp_path / "c", tools)) == 1


@pytest.mark.parametrize("text", ["import (", "python_requires = 3", "\0python_requires"])
def test_a_setup_py_that_cannot_be_read_has_no_range(text: str, tmp_path: Path) -> None:
    assert requests_in(tmp_path, {"setup.py": f"{text}\npython_requires"}) == []


def test_a_range_that_cannot_be_read_is_warned_of_where_it_does_not_count(tmp_path: Path) -> None:
    files: Files = {
        ".python-version": "3.13",
        "pyproject.toml": '[project]\nrequires-python = "3.12.*"\n',
    }
    app = read_app(write_files(tmp_path, files))
    message = unreadable_range(app)

    assert texts(python_requests(app, DEFAULTS)) == [("3.13", ".python-version, line 1")]
    assert message is not None
    assert message.title == "'3.12.*' is not a range of Python versions"
    assert any("==3.12.*" in line for line in message.body)
    assert unreadable_range(read_app(write_files(tmp_path / "b", {"app.py": ""}))) is None


def test_the_range_of_the_workspace_counts_with_that_of_the_app(tmp_path: Path) -> None:
    assert requests_inside(tmp_path, MEMBER) == [
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
def test_files_of_version_managers_are_also_read_above_the_app(
    name: str, text: str, tmp_path: Path
) -> None:
    files: Files = {f"services/{name}": text, name: "not this one", "services/api/app.py": ""}

    assert requests_inside(tmp_path, files) == [("3.12", f"services/{name}, line 1")]


def test_the_nearest_version_file_counts_and_is_named_from_the_top(tmp_path: Path) -> None:
    files: Files = {"services/api/.python-version": "3.13", ".python-version": "3.12"}

    assert requests_inside(tmp_path, files) == [("3.13", "services/api/.python-version, line 1")]


def test_lock_files_and_runtime_txt_above_the_app_are_not_read(tmp_path: Path) -> None:
    files: Files = {"runtime.txt": "python-3.12", "Pipfile.lock": LOCK, "services/api/app.py": ""}

    assert requests_inside(tmp_path, files) == []
