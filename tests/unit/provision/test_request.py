"""Digests and keys of a provision request."""

from pathlib import Path

import pytest

from cnb_python.cnb.layer import LAUNCH, EnvDelta
from cnb_python.managers.base import Pin, Resolution
from cnb_python.provision.request import env_digest, resolution_digest
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import FakeManager, resolution_of

PIN = Pin("six", "1.17.0", "origin", "six==1.17.0")


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    return fake_build(tmp_path, FakeManager({}))


def of(*pins: Pin, from_files_alone: bool = True) -> str:
    return resolution_digest(Resolution(pins, from_files_alone=from_files_alone, by="uv"))


@pytest.mark.parametrize(
    "other",
    [
        PIN._replace(name="seven"),
        PIN._replace(version="1.17.1"),
        PIN._replace(origin="another"),
        PIN._replace(line="six==1.17.0 --hash=sha256:00"),
        PIN._replace(is_cacheable=False),
        PIN._replace(extras=("more",)),
    ],
)
def test_resolution_digest_covers_every_field_of_a_pin(other: Pin) -> None:
    assert of(other) != of(PIN)


def test_resolution_digest_of_equal_resolutions_is_equal() -> None:
    assert of(PIN) == of(Pin(*PIN))
    assert of() != of(PIN) != of(PIN, PIN)


def test_resolution_digest_separates_lines() -> None:
    lists = [("a==1\0", "b==1"), ("a==1", "\0b==1"), ("a==1\nb==1",), ("a==1", "b==1")]

    assert len({resolution_digest(resolution_of(*lines)) for lines in lists}) == len(lists)


def test_env_digest_covers_every_field_of_a_variable() -> None:
    variable = EnvDelta(LAUNCH, "PORT", "default", "8080")
    variants = [
        (),
        (variable, variable),
        (EnvDelta(LAUNCH, "PORT", "override", "8080"),),
        (EnvDelta(LAUNCH, "PORT", "default", "80"),),
        (EnvDelta(LAUNCH, "PORTS", "default", "8080"),),
    ]

    assert len({env_digest(each) for each in [(variable,), *variants]}) == 6
    assert env_digest((variable,)) == env_digest((EnvDelta(LAUNCH, "PORT", "default", "8080"),))


def test_keys_come_from_release_tools_and_settings(app: FakeBuild) -> None:
    request = app.request()

    assert request.release == app.release
    assert request.package_key.python == "3.14"
    assert (request.environment_key.manager, request.environment_key.layout) == ("pip", "linked")


def test_env_has_the_final_path_of_venv(app: FakeBuild) -> None:
    env = {delta.name: delta.value for delta in app.request().env({})}

    assert env["VIRTUAL_ENV"] == str(app.layers / "venv")
    assert "GUNICORN_CMD_ARGS" not in env
    with_server = {delta.name for delta in app.request().env({"gunicorn": "26.0"})}
    assert "GUNICORN_CMD_ARGS" in with_server
