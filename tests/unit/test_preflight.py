"""Preflight: unsupported variables, pip options and files are refused."""

import os
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.cnb import toml
from cnb_python.config.settings import TABLE
from cnb_python.errors.choosing import ForbiddenPipOptions, ForbiddenVariables
from cnb_python.errors.inputs import MergeConflict, NotAFile, UnreadableToml
from cnb_python.managers.pip.manager import Pip
from cnb_python.preflight import CONTRADICTING, MISPLACING, check_app, check_environment
from tests.support.fake_system import Log
from tests.support.messages import explained


class Warnings(Log):
    """An output that records warnings, and fails at everything else."""

    def step(self, title: str) -> None:
        raise AssertionError(title)

    def line(self, text: str) -> None:
        raise AssertionError(text)

    detail = line


REFUSED = MISPLACING | CONTRADICTING


def test_settings_for_indexes_and_certificates_pass() -> None:
    check_environment(
        {
            "PIP_INDEX_URL": "https://index.example.org",
            "PIP_EXTRA_INDEX_URL": "https://index.example.org",
            "PIP_CERT": "/ca.pem",
            "PIP_CONSTRAINT": "constraints.txt",
            "PYTHONPATH": "/app",
            "PYTHONHOME": "/nowhere",
            "VIRTUAL_ENV": "/layers/other",
        }
    )


@pytest.mark.parametrize("value", ["", "0", "false", "No", "off"])
def test_a_variable_that_is_off_passes(value: str) -> None:
    check_environment({"PIP_USER": value, "PIP_TARGET": ""})


def test_every_misplacing_variable_is_named_with_its_reason() -> None:
    with pytest.raises(ForbiddenVariables) as raised:
        check_environment(dict.fromkeys(REFUSED, "1"))

    body = "\n".join(raised.value.describe().body)
    for name, reason in REFUSED.items():
        assert f"- {name}: {reason}" in body


# Other buildpacks refuse these. Here they have no effect: the tools' directories are chosen by the
# buildpack, they get the interpreter by its path, and `PYTHON*` variables are removed.
HARMLESS = (
    *("PIP_CACHE_DIR", "POETRY_CACHE_DIR", "POETRY_DATA_DIR", "POETRY_HOME"),
    *("POETRY_VIRTUALENVS_CREATE", "POETRY_VIRTUALENVS_IN_PROJECT"),
    *("POETRY_VIRTUALENVS_USE_POETRY_PYTHON", "PYTHONHOME", "PYTHONINSPECT"),
    *("PYTHONNOUSERSITE", "PYTHONPLATLIBDIR", "PYTHONUSERBASE", "UV_CACHE_DIR", "UV_LINK_MODE"),
    *("UV_MANAGED_PYTHON", "UV_NO_CACHE", "UV_NO_MANAGED_PYTHON", "UV_PROJECT_ENVIRONMENT"),
    *("UV_PYTHON_DOWNLOADS", "UV_PYTHON_PREFERENCE", "VIRTUAL_ENV"),
)


@pytest.mark.parametrize("name", HARMLESS)
def test_a_variable_without_effect_passes(name: str) -> None:
    check_environment({name: "1"})


@pytest.mark.parametrize("name", CONTRADICTING)
def test_a_tools_own_variable_is_refused_with_the_setting_to_use(name: str) -> None:
    check_environment({name: ""})
    with pytest.raises(ForbiddenVariables) as raised:
        check_environment({name: "x"})

    ((_, reason),) = raised.value.variables
    assert any(setting.variable in reason for setting in TABLE)


def test_only_the_offenders_are_named() -> None:
    with pytest.raises(ForbiddenVariables) as raised:
        check_environment({"PIP_TARGET": "/somewhere", "PIP_INDEX_URL": "https://x"})

    assert [name for name, _ in raised.value.variables] == ["PIP_TARGET"]


def test_pip_reads_its_variables_in_any_case() -> None:
    with pytest.raises(ForbiddenVariables) as raised:
        check_environment({"PIP_target": "/somewhere"})

    assert [name for name, _ in raised.value.variables] == ["PIP_TARGET"]


CONFIG_FILES = {
    "named": ({"PIP_CONFIG_FILE": "{}/named.conf"}, "named.conf"),
    "XDG": ({"XDG_CONFIG_HOME": "{}/xdg", "HOME": "{}"}, "xdg/pip/pip.conf"),
    "home": ({"HOME": "{}"}, ".config/pip/pip.conf"),
    "old path at home": ({"HOME": "{}"}, ".pip/pip.conf"),
    "system": ({}, "etc/pip.conf"),
}


def configured(directory: Path, kind: str, text: str | bytes) -> dict[str, str]:
    """Write *text* as pip's configuration of this *kind*; return the variables that name it."""
    environ, file = CONFIG_FILES[kind]
    (directory / file).parent.mkdir(parents=True, exist_ok=True)
    content = text if isinstance(text, bytes) else text.encode()
    (directory / file).write_bytes(content)
    return {name: value.format(directory) for name, value in environ.items()}


def check_below(directory: Path, environ: dict[str, str]) -> None:
    check_environment(environ, (directory / "etc/pip.conf",))


@pytest.mark.parametrize("kind", CONFIG_FILES)
def test_a_misplacing_option_of_a_configuration_file_is_refused(tmp_path: Path, kind: str) -> None:
    environ = configured(tmp_path, kind, "[global]\ntarget = /srv/x%y\n[install]\nuser = yes\n")

    with pytest.raises(ForbiddenPipOptions) as raised:
        check_below(tmp_path, environ)

    file = str(tmp_path / CONFIG_FILES[kind][1])
    assert [name for name, _ in raised.value.options] == ["target", "user"]
    message = raised.value.describe()
    assert file in message.title
    assert "  - target: pip would install outside the app's environment" in message.body


@pytest.mark.parametrize("name", MISPLACING)
def test_every_misplacing_option_is_refused_in_every_spelling(tmp_path: Path, name: str) -> None:
    option = name.removeprefix("PIP_").lower()
    for spelling in (option, option.replace("_", "-"), option.upper(), f"--{option}"):
        environ = configured(tmp_path, "home", f"[install]\n{spelling}: 1\n")

        with pytest.raises(ForbiddenPipOptions):
            check_below(tmp_path, environ)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[global]\nindex-url = https://index.example.org\nproxy = http://proxy\n",
        "[global]\nuser = false\ntarget =\ntarget\n",
        "[download]\nplatform = win32\n",
        "target = /srv\n",
        b"\xff\xfe\0[",
    ],
    ids=["empty", "welcome", "off", "another command", "no section", "no text"],
)
def test_other_configuration_files_pass(tmp_path: Path, text: str | bytes) -> None:
    check_below(tmp_path, configured(tmp_path, "home", text))


def test_an_option_before_a_broken_line_is_refused(tmp_path: Path) -> None:
    environ = configured(tmp_path, "home", "[global]\ntarget = /srv\n[global\n= 7\n")

    with pytest.raises(ForbiddenPipOptions):
        check_below(tmp_path, environ)


@pytest.mark.parametrize("file", ["/dev/null", "{}/named.conf"], ids=["no file", "another file"])
def test_pip_config_file_replaces_the_users_file(tmp_path: Path, file: str) -> None:
    environ = configured(tmp_path, "home", "[global]\ntarget = /srv\n")
    (tmp_path / "named.conf").write_text("[global]\nretries = 1\n")

    check_below(tmp_path, {**environ, "PIP_CONFIG_FILE": file.format(tmp_path)})


def test_a_directory_called_pip_conf_passes(tmp_path: Path) -> None:
    (tmp_path / ".pip/pip.conf").mkdir(parents=True)

    check_below(tmp_path, {"HOME": str(tmp_path)})


def test_an_ordinary_app_gets_no_warning(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n")
    output = Warnings()

    check_app(read_app(tmp_path), Pip(), output)

    assert output.lines == []


def test_a_lock_file_that_is_not_read_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "uv.lock").touch()
    output = Warnings()

    check_app(read_app(tmp_path), Pip(), output)

    assert len(output.lines) == 1
    assert output.lines[0].startswith("uv.lock: not read")


@pytest.mark.parametrize("project", ["", "services/api"])
def test_empty_submodules_are_warned_of(tmp_path: Path, project: str) -> None:
    paths = ("libs/one", "libs/two", "libs/three", "../outside")
    text = "".join(f'[submodule "{path}"]\n\tpath = {path}\n\turl = ../x\n' for path in paths)
    app = tmp_path / "app"
    (app / project).mkdir(parents=True)
    (app / ".gitmodules").write_text(text)
    (app / project / "requirements.txt").touch()
    (app / "libs/one").mkdir(parents=True)
    (app / "libs/two").mkdir()
    (app / "libs/two/setup.py").touch()
    output = Warnings()

    check_app(read_app(app, project), Pip(), output)

    assert len(output.lines) == 1
    assert output.lines[0].startswith("Git submodules are empty: libs/one, libs/three")
    assert "git submodule update --init" in output.lines[0]


def test_a_profile_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    (tmp_path / ".profile").write_text("export A=1\n")
    output = Warnings()

    check_app(read_app(tmp_path), Pip(), output)

    assert len(output.lines) == 1
    assert output.lines[0].startswith(".profile is not run")


def test_a_file_from_powershell_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask\n", encoding="utf-16")
    output = Warnings()

    check_app(read_app(tmp_path), Pip(), output)

    assert "saved as UTF-16" in output.lines[0]


def test_a_file_that_the_manager_refuses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").mkdir()

    with pytest.raises(NotAFile):
        check_app(read_app(tmp_path), Pip(), Warnings())


@pytest.mark.parametrize("name", ["uv.toml", "setup.cfg", "poetry.toml"])
def test_a_pipe_that_a_tool_would_read_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "requirements.txt").touch()
    os.mkfifo(tmp_path / name)

    with pytest.raises(NotAFile) as raised:
        check_app(read_app(tmp_path), Pip(), Warnings())

    assert raised.value.name == name


def test_a_broken_link_that_a_tool_ignores_passes(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "uv.toml").symlink_to("gone")

    check_app(read_app(tmp_path), Pip(), Warnings())


CONFLICT = "<<<<<<< HEAD\nx\n=======\ny\n>>>>>>> branch\n"


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "uv.lock", "poetry.lock", "Pipfile", "Pipfile.lock", "pdm.lock"),
        *("pyproject.toml", "Procfile", ".python-version", "runtime.txt", "mise.toml", "nltk.txt"),
        *(".tool-versions", "pylock.toml", "pylock.web.toml"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_merge_conflict_is_named_in_every_file_that_decides(
    tmp_path: Path, name: str, newline: str
) -> None:
    text = f"a\nb\nc\n{CONFLICT}".replace("\n", newline)
    (tmp_path / name).write_bytes(text.encode())

    with pytest.raises(MergeConflict) as raised:
        check_app(read_app(tmp_path), Pip(), Log())

    assert (raised.value.file, raised.value.line) == (name, 4)
    assert "uv lock" in explained(raised.value)
    assert vars(MergeConflict.example()) == vars(MergeConflict("uv.lock", 4))


@pytest.mark.parametrize(
    "text", ["six\n=======\n", "# <<<<<<< HEAD\n# >>>>>>> b\n", "<<<<<<< HEAD\n", ">>>>>>> b\n"]
)
def test_lines_like_half_a_conflict_pass(tmp_path: Path, text: str) -> None:
    (tmp_path / "Procfile").write_text(text)
    (tmp_path / "requirements.txt").write_text("six\n")

    check_app(read_app(tmp_path), Pip(), Log())


def test_conflict_in_toml_is_named_where_it_is_read_first(tmp_path: Path) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(f"[project]\n{CONFLICT}")

    with pytest.raises(UnreadableToml) as raised:
        toml.read(file)

    assert "line 2 starts with <<<<<<<, the marker of a merge conflict" in explained(raised.value)
