"""An image that pack has pushed to a registry is reproducible, and runs when pulled."""

import http.client
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_docker.plugin import Services, get_docker_services

from tests.images.containers import started
from tests.images.pack_builds import PackBuilds
from tests.support.builds import fixture
from tools.platforms import debian_packages
from tools.platforms.manifests import DEPLOY
from tools.processes import Unavailable, run


@pytest.fixture(scope="session")
def docker_compose_command(pack_builds: PackBuilds) -> str:
    """The Compose that is installed, with variables for the engine and the registry program."""
    program = debian_packages.program("docker-registry", "docker-registry")
    compose = _compose()
    variables = {**pack_builds.engine.env, "DOCKER_REGISTRY": str(program)}
    settings = [f"{name}={value}" for name, value in variables.items()]
    return shlex.join(["env", *settings, *compose])


def _compose() -> list[str]:
    try:
        run("docker", "compose", "version")
    except Unavailable:
        return [str(debian_packages.program("docker-compose", "docker-compose"))]
    return ["docker", "compose"]


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    return str(Path(__file__).with_name("compose.yml"))


@pytest.fixture(scope="session")
def docker_compose_project_name(pack_builds: PackBuilds) -> str:
    return pack_builds.token


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    # Not `--wait`, which Debian's Compose does not support.
    return ["up --detach"]


@pytest.fixture(scope="module")
def docker_services(
    docker_compose_command: str,
    docker_compose_file: str,
    docker_compose_project_name: str,
    docker_setup: list[str],
    docker_cleanup: list[str],
) -> Iterator[Services]:
    """Like the plugin's fixture, but ends with this module, before the test of leftovers."""
    with get_docker_services(
        docker_compose_command,
        docker_compose_file,
        docker_compose_project_name,
        docker_setup,
        docker_cleanup,
    ) as services:
        yield services


@pytest.fixture(scope="module")
def registry(docker_services: Services) -> str:
    """Address of a registry: `localhost:32768`."""
    port = docker_services.port_for("registry", 5000)

    def answers() -> bool:
        connection = http.client.HTTPConnection("localhost", port, timeout=5)
        try:
            connection.request("GET", "/v2/")
            return connection.getresponse().status == 200
        except OSError, http.client.HTTPException:
            return False
        finally:
            connection.close()

    docker_services.wait_until_responsive(answers, timeout=30, pause=0.2)
    return f"localhost:{port}"


def test_published_image_is_reproducible_and_runs_when_pulled(
    pack_builds: PackBuilds, registry: str, tmp_path: Path
) -> None:
    base = f"{registry}/{pack_builds.name('run-base')}"
    pack_builds.engine.docker("tag", "cnb-python/run-base", base)
    pack_builds.engine.docker("push", "--quiet", base)
    image = f"{registry}/{pack_builds.name('published')}"

    digests = [_published(pack_builds, image, base, tmp_path / number) for number in ("1", "2")]

    assert digests[0] == digests[1]
    pulled = f"{image}@{digests[0]}"
    pack_builds.engine.docker("pull", "--quiet", pulled)
    with started(pack_builds.engine, pulled) as container:
        assert "Hello" in container.fetch("/")


def test_script_builds_phase_by_phase_with_an_engine_alone(
    pack_builds: PackBuilds, registry: str, tmp_path: Path
) -> None:
    base = f"{registry}/{pack_builds.name('run-base')}"
    pack_builds.engine.docker("tag", "cnb-python/run-base", base)
    pack_builds.engine.docker("push", "--quiet", base)
    variables = tmp_path / "env"
    variables.mkdir()
    for name, value in pack_builds.settings.items():
        (variables / name).write_text(value)
    image = f"{registry}/{pack_builds.name('phases')}"
    env = {
        **pack_builds.engine.env,
        "APP": str(fixture("pip_flask")),
        "IMAGE": f"{image}:latest",
        "TAG": f"{image}:3f1c2ab",
        "BUILDER": pack_builds.builder,
        "RUN_IMAGE": base,
        "NETWORK": "host",
        "PLATFORM_ENV": str(variables),
        "CACHE": f"{pack_builds.token}-phases",
        "CNB_REGISTRY_AUTH": "{}",
    }

    first, second = (run("sh", DEPLOY / "docker/build.sh", env=env) for _ in range(2))

    assert "Adding layer 'cnb-python/python:venv'" in first
    assert "Reusing layer 'cnb-python/python:venv'" in second
    assert "Adding layer 'cnb-python/python:" not in second
    pack_builds.engine.docker("pull", "--quiet", env["TAG"])
    with started(pack_builds.engine, env["TAG"]) as container:
        assert "Hello" in container.fetch("/")


def _published(pack_builds: PackBuilds, image: str, base: str, reports: Path) -> str:
    """Build the Flask app into the registry; return the digest of the image's manifest."""
    reports.mkdir()
    flags = ("--publish", "--run-image", base, "--report-output-dir", reports)
    packed = pack_builds.pack_build(fixture("pip_flask"), image, *flags)
    assert packed.code == 0, packed.output
    digest: str = tomllib.loads((reports / "report.toml").read_text())["image"]["digest"]
    return digest
