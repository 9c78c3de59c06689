"""Apps with a `Pipfile`: what Pipenv is asked, and what is made of its answers."""

import json
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import Settings
from cnb_python.errors.inputs import UnreadableJson
from cnb_python.errors.install import InstallFailed
from cnb_python.errors.locks import LockWithoutProject, StaleLock, UnexpectedType, UnknownGroup
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.pipenv.manager import Pipenv
from tests.support.fake_tools import PYTHON, Programs, app, installed, place

HASH = "a" * 64
INDEX = "https://${USER}:${WORD}@ours.example/simple"
SIX = f"six==1.17.0; python_version >= '2.7' --hash=sha256:{HASH}"


def lock(**entries: object) -> str:
    default = {"six": {"version": "==1.17.0"}, **entries}
    return json.dumps({"_meta": {}, "default": default, "develop": {}, "docs": {}}, indent=4)


def shop(directory: Path, **entries: object) -> Path:
    files = [("Pipfile", "[packages]\nsix = '*'\n"), ("Pipfile.lock", lock(**entries))]
    return app(directory, files)


def inputs(directory: Path, settings: Settings | None = None) -> str:
    manager = Pipenv(settings or Settings(), processor="x86_64")
    found = manager.resolve_from_files(read_app(directory), PYTHON, {})
    assert isinstance(found, NeedsResolving)
    return found.fingerprint


def test_its_lock_comes_before_its_pipfile(tmp_path: Path) -> None:
    directory = shop(tmp_path)

    assert Pipenv().deciding_files(read_app(directory)) == ("Pipfile.lock", "Pipfile")
    (directory / "Pipfile.lock").unlink()
    assert Pipenv().deciding_files(read_app(directory)) == ("Pipfile",)


def test_a_lock_alone_is_refused(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    (directory / "Pipfile").unlink()

    with pytest.raises(LockWithoutProject):
        Pipenv().check(read_app(directory))


def test_a_missing_lock_is_warned_of_and_asked_about_each_time(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    assert Pipenv().check(read_app(directory)) == ()

    (directory / "Pipfile.lock").unlink()

    (warning,) = Pipenv().check(read_app(directory))
    assert "pipenv lock" in warning.body[0]
    assert warning.title == "Pipfile pins nothing"
    assert inputs(directory) == ""


def test_only_what_pipenv_reads_needs_another_answer(tmp_path: Path) -> None:
    directory = shop(tmp_path)
    before = inputs(directory)

    (directory / "app.py").write_text("new")
    assert inputs(directory) == before
    assert inputs(directory, Settings(groups=("docs",))) != before
    (directory / "Pipfile").write_text("[packages]\n")
    assert inputs(directory) != before


def test_the_lock_is_checked_and_read(tmp_path: Path) -> None:
    programs, where = Programs(), place(shop(tmp_path))
    programs.answer("requirements", f"-i {INDEX}\n{SIX}\ntomli; python_version < '3.11'\n")

    decision = Pipenv(processor="x86_64").resolve(where, programs)

    assert [pin.line for pin in decision.pins] == [f"six==1.17.0 --hash=sha256:{HASH}"]
    assert programs.words("pipenv") == [("verify",), ("requirements", "--hash")]
    assert programs.ran[0].env["PIPENV_IGNORE_VIRTUALENVS"] == "1"


def test_a_lock_of_a_later_form_is_refused_by_the_pipenv_that_does_not_look(
    tmp_path: Path,
) -> None:
    directory = shop(tmp_path)
    text = lock().replace('"_meta": {}', '"_meta": {"pipfile-spec": 7}')
    (directory / "Pipfile.lock").write_text(text)

    with pytest.raises(LockTooNew) as raised:
        Pipenv().resolve(place(directory), Programs())

    assert raised.value.said == ('"pipfile-spec": 7',)


def test_uv_is_told_the_sources_with_their_logins(tmp_path: Path) -> None:
    programs = Programs()
    where = place(shop(tmp_path), USER="me", WORD="secret")
    programs.answer("requirements", f"-i {INDEX}\n{SIX}\n")

    Pipenv().resolve_and_install(where, programs)

    assert installed(programs) == [f"six==1.17.0 --hash=sha256:{HASH}"]
    assert programs.ran[-1].env["UV_DEFAULT_INDEX"] == "https://me:secret@ours.example/simple"
    assert not any("secret" in word for one in programs.ran for word in one.argv)


def test_the_users_own_index_stands_in_for_the_usual_one(tmp_path: Path) -> None:
    programs = Programs()

    Pipenv().resolve(place(shop(tmp_path), PIP_INDEX_URL="https://mirror.example/"), programs)

    assert programs.ran[0].env["PIPENV_PYPI_MIRROR"] == "https://mirror.example/"


def test_directories_files_and_repositories_get_their_names(tmp_path: Path) -> None:
    commit = "b" * 40
    directory = shop(
        tmp_path,
        core={"path": "libs/core", "editable": True},
        kept={"file": "./kept-1.0.whl"},
        far={"file": "https://files.example/far-1.0.whl"},
        cloned={"git": "https://git.example/cloned"},
    )
    lines = (
        "-e libs/core",
        "./kept-1.0.whl",
        f"https://files.example/far-1.0.whl --hash=sha256:{HASH}",
        f"-e git+https://git.example/cloned@{commit}#egg=cloned",
    )
    programs = Programs()
    programs.answer("requirements", "\n".join(lines))

    decision = Pipenv().resolve(place(directory), programs)

    assert {pin.name: pin.line for pin in decision.pins} == {
        "core": f"-e {directory}/libs/core",
        "kept": f"kept @ {(directory / 'kept-1.0.whl').as_uri()}",
        "far": f"far @ https://files.example/far-1.0.whl --hash=sha256:{HASH}",
        "cloned": f"cloned @ git+https://git.example/cloned@{commit}",
    }
    assert {pin.name for pin in decision.pins if pin.is_cacheable} == {"far", "cloned"}


def test_a_category_is_added_by_its_name(tmp_path: Path) -> None:
    programs = Programs()

    Pipenv(Settings(groups=("docs", "dev"))).resolve(place(shop(tmp_path)), programs)

    assert programs.words("pipenv")[-1] == (
        *("requirements", "--hash"),
        *("--categories", "packages docs dev-packages"),
    )


def test_a_category_that_the_lock_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownGroup) as raised:
        Pipenv(Settings(groups=("dosc",))).resolve(place(shop(tmp_path)), Programs())

    assert raised.value.known == ("develop", "docs")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Pipfile.lock is out-of-date. Run $ pipenv lock to update.", StaleLock),
        ("something else", InstallFailed),
    ],
)
def test_what_pipenv_refuses_is_explained(
    tmp_path: Path, said: str, kind: type[Exception]
) -> None:
    programs = Programs()
    programs.answer("verify", said, code=1)

    with pytest.raises(kind):
        Pipenv().resolve(place(shop(tmp_path)), programs)


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
def test_a_lock_that_makes_no_sense_is_refused(
    tmp_path: Path, text: str, kind: type[Exception]
) -> None:
    directory = shop(tmp_path)
    (directory / "Pipfile.lock").write_text(text)

    with pytest.raises(kind):
        Pipenv().resolve(place(directory), Programs())
