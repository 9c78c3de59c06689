"""Pipenv: its inputs, the commands that it runs, and its failures."""

import json
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableJson
from cnb_python.errors.locks import LockWithoutProject, StaleLock, UnexpectedType, UnknownGroup
from cnb_python.errors.packages.install import InstallFailed
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.pipenv.manager import Pipenv
from tests.support.fake_tools import PYTHON, FakeTools, context_of, installed_lines, write_app
from tests.support.installing import resolve_and_install

HASH = "a" * 64
INDEX = "https://${USER}:${WORD}@ours.example/simple"
SIX = f"six==1.17.0; python_version >= '2.7' --hash=sha256:{HASH}"


def lock(**entries: object) -> str:
    default = {"six": {"version": "==1.17.0"}, **entries}
    return json.dumps({"_meta": {}, "default": default, "develop": {}, "docs": {}}, indent=4)


def shop(directory: Path, **entries: object) -> Path:
    files = [("Pipfile", "[packages]\nsix = '*'\n"), ("Pipfile.lock", lock(**entries))]
    return write_app(directory, files)


def inputs(directory: Path, settings: Settings | None = None) -> str:
    manager = Pipenv(settings or Settings(), processor="x86_64")
    needs = manager.resolve_from_files(read_app(directory), PYTHON, {})
    assert isinstance(needs, NeedsResolving)
    return needs.fingerprint


def test_pipfile_lock_comes_before_pipfile(tmp_path: Path) -> None:
    directory = shop(tmp_path)

    assert Pipenv().deciding_files(read_app(directory)) == ("Pipfile.lock", "Pipfile")
    (directory / "Pipfile.lock").unlink()
    assert Pipenv().deciding_files(read_app(directory)) == ("Pipfile",)


def test_pipfile_lock_without_pipfile_is_refused(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    (directory / "Pipfile").unlink()

    with pytest.raises(LockWithoutProject):
        Pipenv().check(read_app(directory))


def test_pipfile_without_lock_is_resolved_each_time_with_a_warning(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    assert Pipenv().check(read_app(directory)) == ()

    (directory / "Pipfile.lock").unlink()

    (warning,) = Pipenv().check(read_app(directory))
    assert "pipenv lock" in warning.body[0]
    assert warning.title == "Pipfile pins nothing"
    assert inputs(directory) == ""


def test_inputs_depend_on_what_pipenv_reads(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    before = inputs(directory)

    (directory / "app.py").write_text("new")
    assert inputs(directory) == before
    assert inputs(directory, Settings(groups=("docs",))) != before
    (directory / "Pipfile").write_text("[packages]\n")
    assert inputs(directory) != before


def test_lock_is_verified_and_exported(tmp_path: Path) -> None:
    tools, context = FakeTools(), context_of(shop(tmp_path))
    tools.answer("requirements", f"-i {INDEX}\n{SIX}\ntomli; python_version < '3.11'\n")

    decision = Pipenv(processor="x86_64").resolve(context, tools)

    assert [pin.line for pin in decision.pins] == [f"six==1.17.0 --hash=sha256:{HASH}"]
    assert tools.words("pipenv") == [("verify",), ("requirements", "--hash")]
    assert tools.ran[0].env["PIPENV_IGNORE_VIRTUALENVS"] == "1"


def test_lock_of_a_newer_form_is_refused(
    tmp_path: Path,
) -> None:
    directory = shop(tmp_path)
    text = lock().replace('"_meta": {}', '"_meta": {"pipfile-spec": 7}')
    (directory / "Pipfile.lock").write_text(text)

    with pytest.raises(LockTooNew) as raised:
        Pipenv().resolve(context_of(directory), FakeTools())

    assert raised.value.output == ('"pipfile-spec": 7',)


def test_uv_gets_the_sources_with_logins_as_variables(tmp_path: Path) -> None:
    tools = FakeTools()
    context = context_of(shop(tmp_path), USER="me", WORD="secret")
    tools.answer("requirements", f"-i {INDEX}\n{SIX}\n")

    resolve_and_install(Pipenv(), context, tools)

    assert installed_lines(tools) == [f"six==1.17.0 --hash=sha256:{HASH}"]
    assert tools.ran[-1].env["UV_DEFAULT_INDEX"] == "https://me:secret@ours.example/simple"
    assert not any("secret" in word for command in tools.ran for word in command.argv)


def test_index_of_the_user_replaces_the_usual_one(tmp_path: Path) -> None:
    tools = FakeTools()

    Pipenv().resolve(context_of(shop(tmp_path), PIP_INDEX_URL="https://mirror.example/"), tools)

    assert tools.ran[0].env["PIPENV_PYPI_MIRROR"] == "https://mirror.example/"


def test_directories_files_and_repositories_get_their_names(tmp_path: Path) -> None:
    commit = "b" * 40
    directory = shop(
        tmp_path,
        core={"path": "libs/core", "editable": True},
        local={"file": "./local-1.0.whl"},
        far={"file": "https://files.example/far-1.0.whl"},
        cloned={"git": "https://git.example/cloned"},
    )
    lines = (
        "-e libs/core",
        "./local-1.0.whl",
        f"https://files.example/far-1.0.whl --hash=sha256:{HASH}",
        f"-e git+https://git.example/cloned@{commit}#egg=cloned",
    )
    tools = FakeTools()
    tools.answer("requirements", "\n".join(lines))

    decision = Pipenv().resolve(context_of(directory), tools)

    assert {pin.name: pin.line for pin in decision.pins} == {
        "core": f"-e {directory}/libs/core",
        "local": f"local @ {(directory / 'local-1.0.whl').as_uri()}",
        "far": f"far @ https://files.example/far-1.0.whl --hash=sha256:{HASH}",
        "cloned": f"cloned @ git+https://git.example/cloned@{commit}",
    }
    assert {pin.name for pin in decision.pins if pin.is_cacheable} == {"far", "cloned"}


def test_chosen_groups_are_categories_of_the_export(tmp_path: Path) -> None:
    tools = FakeTools()

    Pipenv(Settings(groups=("docs", "dev"))).resolve(context_of(shop(tmp_path)), tools)

    assert tools.words("pipenv")[-1] == (
        *("requirements", "--hash"),
        *("--categories", "packages docs dev-packages"),
    )


def test_unknown_group_is_refused_with_the_locked(tmp_path: Path) -> None:
    with pytest.raises(UnknownGroup) as raised:
        Pipenv(Settings(groups=("dosc",))).resolve(context_of(shop(tmp_path)), FakeTools())

    assert raised.value.available == ("develop", "docs")


@pytest.mark.parametrize(
    ("output", "kind"),
    [
        ("Pipfile.lock is out-of-date. Run $ pipenv lock to update.", StaleLock),
        ("something else", InstallFailed),
    ],
)
def test_failure_of_pipenv_is_recognised(
    tmp_path: Path, output: str, kind: type[Exception]
) -> None:
    tools = FakeTools()
    tools.answer("verify", output, code=1)

    with pytest.raises(kind):
        Pipenv().resolve(context_of(shop(tmp_path)), tools)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("<<<<<<< HEAD", UnreadableJson),
        ("[]", UnexpectedType),
        ('"six"', UnexpectedType),
        # Pipenv takes it for a lock that asks for nothing.
        ("{}", UnexpectedType),
    ],
)
def test_lock_of_another_form_is_refused(tmp_path: Path, text: str, kind: type[Exception]) -> None:
    directory = shop(tmp_path)
    (directory / "Pipfile.lock").write_text(text)

    with pytest.raises(kind):
        Pipenv().resolve(context_of(directory), FakeTools())
