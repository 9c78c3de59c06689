"""The variables of the app's code, and the digest over them."""

from pathlib import Path

import pytest

from cnb_python.app_steps import run
from cnb_python.install import process_env
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_system import world

VENV, PYTHON, APP = Path("/layers/venv"), Path("/layers/python/bin/python3.14"), Path("/workspace")
SALT = bytes(16)


def app_variables(**environ: str) -> dict[str, str]:
    return process_env.app_environ(environ, VENV, PYTHON, APP, bundles=())


def test_path_starts_with_packages_and_python() -> None:
    path = app_variables(PATH="/usr/bin")["PATH"]
    assert path == "/layers/venv/bin:/layers/python/bin:/usr/bin"


def test_missing_path_gets_the_default() -> None:
    assert app_variables()["PATH"].endswith(":/usr/sbin:/usr/bin:/sbin:/bin")


@pytest.mark.parametrize("name", ["SECRET_KEY", "DJANGO_SETTINGS_MODULE", "HTTPS_PROXY", "LANG"])
def test_platform_variables_are_inherited(name: str) -> None:
    assert app_variables(**{name: "value"})[name] == "value"


def test_set_variable_overrides_the_default() -> None:
    variables = app_variables(PYTHONPATH="src", HOME="/home/cnb", PYTHONHASHSEED="1")
    assert [variables[name] for name in ("PYTHONPATH", "HOME", "PYTHONHASHSEED")] == [
        *("src", "/home/cnb", "1")
    ]


def test_pythonhome_is_not_inherited() -> None:
    assert "PYTHONHOME" not in app_variables(PYTHONHOME="/usr")


def test_bytecode_is_not_written() -> None:
    assert app_variables(PYTHONDONTWRITEBYTECODE="")["PYTHONDONTWRITEBYTECODE"] == "1"


BASE = {"SECRET_KEY": "secret", "DEBUG": "0", "HOSTNAME": "4f2a", "CNB_BP_PLAN_PATH": "/tmp/1"}


@pytest.mark.parametrize(
    "other", [{"SECRET_KEY": "other"}, {"DEBUG": ""}, {"NEW": ""}, {"DEBUG": "0\0NEW="}]
)
def test_digest_covers_every_value(other: dict[str, str]) -> None:
    changed = run.variables_digest({**BASE, **other}, "rest", SALT)
    assert changed != run.variables_digest(BASE, "rest", SALT)


def test_digest_ignores_machine_variables() -> None:
    machine = {"HOSTNAME": "91bc", "CNB_BP_PLAN_PATH": "/tmp/2", "SHLVL": "2"}
    machine["CNB_BUILDPACK_DIR"] = "/cnb/buildpacks/cnb-python_python/0.2.0"
    other = {**BASE, **machine, "BP_PYTHON_MIRROR": "https://mirror.example.org/python"}
    assert run.variables_digest(other, "rest", SALT) == run.variables_digest(BASE, "rest", SALT)


def test_digest_covers_text_and_salt() -> None:
    variables = {
        run.variables_digest(BASE, "rest", SALT),
        run.variables_digest(BASE, "other", SALT),
        run.variables_digest(BASE, "rest", bytes(15) + b"1"),
    }
    assert len(variables) == 3
    assert all(len(digest) == 64 for digest in variables)


def test_command_is_foreign_and_what_it_leaves_is_logged(tmp_path: Path) -> None:
    system, programs, log = world(lambda _: Outcome(0, "", ended=1))

    run.run(Command(("/bin/sh", "x"), {}, APP, "bin/post_compile"), tmp_path, system)

    assert programs.ran[0].foreign
    assert log.lines == [
        "Running `bin/post_compile`",
        "Ended 1 background process that bin/post_compile left running",
    ]


def test_entries_that_it_adds_to_the_layers_directory_are_removed(tmp_path: Path) -> None:
    def answer(_: Command) -> Outcome:
        (tmp_path / "evil.toml").touch()
        return Outcome(0, "")

    system, _, log = world(answer)

    run.run(Command(("/bin/sh", "x"), {}, APP, "bin/post_compile"), tmp_path, system)

    assert list(tmp_path.iterdir()) == []
    assert "evil.toml" in log.lines[-1]
