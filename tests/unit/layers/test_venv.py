"""Layer `venv`."""

from pathlib import Path

import pytest

from cnb_python.cnb.env import BOTH, EnvDelta
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.errors import InstallFailed
from cnb_python.layers import venv
from cnb_python.managers.pip import Pip
from cnb_python.project import read_project
from cnb_python.system.outside import Command, Outcome
from tests.unit.environment.worlds import world


def request(directory: Path) -> EnvironmentRequest:
    pip = directory / "pip"
    pip.mkdir()
    (directory / "requirements.txt").touch()
    (pip / "__pip-runner__.py").touch()
    return EnvironmentRequest(
        project=read_project(directory),
        manager=Pip(),
        interpreter=Path("/layers/python/bin/python3.14"),
        python="3.14.6",
        tool=pip,
        cache=None,
        environ={},
    )


def virtual_env(made: Environment) -> tuple[EnvDelta, ...]:
    return (EnvDelta(BOTH, "VIRTUAL_ENV", "override", str(made.directory)),)


def succeed(command: Command) -> Outcome:
    return Outcome(0, "" if "install" in command.argv else "0 0\n")


def test_it_is_filled_under_its_final_name_and_trusted_only_then(tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    layers.mkdir()
    trusted: list[bool] = []

    def answer(command: Command) -> Outcome:
        assert (layers / "venv/pyvenv.cfg").is_file()
        trusted.append((layers / "venv.toml").exists())
        return succeed(command)

    system, _, _ = world(answer)
    environment = venv.install(layers, request(tmp_path), virtual_env, system)

    assert trusted == [False, False]
    assert environment.directory == layers / "venv"
    assert (layers / "venv/pyvenv.cfg").is_file()
    assert "launch = true" in (layers / "venv.toml").read_text()
    assert (layers / "venv/env/VIRTUAL_ENV.override").read_text() == str(layers / "venv")
    assert sorted(path.name for path in layers.iterdir()) == ["venv", "venv.toml"]


def test_what_an_earlier_build_left_does_not_stay(tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    (layers / "venv/lib").mkdir(parents=True)
    (layers / "venv/lib/old.py").touch()
    (layers / "venv.toml").write_text("[types]\nlaunch = true\n")
    system, _, _ = world(succeed)

    venv.install(layers, request(tmp_path), virtual_env, system)

    assert not (layers / "venv/lib/old.py").exists()


def test_a_failure_leaves_no_layer(tmp_path: Path) -> None:
    layers = tmp_path / "layers"
    (layers / "venv").mkdir(parents=True)
    (layers / "venv.toml").write_text("[types]\nlaunch = true\n")
    system, _, _ = world(lambda _: Outcome(1, "ERROR: gremlins"))

    with pytest.raises(InstallFailed):
        venv.install(layers, request(tmp_path), virtual_env, system)

    assert not (layers / "venv.toml").exists()
