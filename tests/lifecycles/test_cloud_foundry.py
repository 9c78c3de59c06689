"""Cloud Foundry stages an app, and starts it from the droplet.

Its own program cannot be built here: the proxy of Go modules does not serve it.
"""

import json
from copy import replace

import pytest

from tests.lifecycles.conftest import ADDED, APP, PINNED, platform_of
from tests.lifecycles.droplets import process_types, started
from tests.lifecycles.registry_builds import RegistryBuild, RegistryPlatform
from tests.support.bindings import certificates
from tests.support.builds import Builds

# The user of Cloud Foundry's containers, and a password that no output may contain.
VCAP, PASSWORD = 2000, "sw0rdf1sh-of-the-database"
HOME = "/home/vcap"


def variables() -> dict[str, str]:
    """Return what Cloud Foundry sets, in the staging and in the app's container."""
    credentials = {"type": "ca-certificates", "company.pem": certificates(2)}
    database = {"uri": f"postgres://app:{PASSWORD}@db.example.org/app", "password": PASSWORD}
    services = {
        "user-provided": [{"name": "company", "credentials": credentials}],
        "postgresql": [{"name": "db", "credentials": database}],
    }
    return {"VCAP_SERVICES": json.dumps(services), "VCAP_APPLICATION": "{}"}


@pytest.fixture(name="staged", scope="module")
def _staged(
    builds: Builds, images: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RegistryPlatform, RegistryBuild]:
    own = platform_of(builds, PINNED, VCAP)
    work = tmp_path_factory.mktemp("staged")
    staging = RegistryPlatform(
        builds, own, work, images, "0.14", home=HOME, env=variables(), tag="staged"
    )
    return staging, staging.build(APP)


def test_staging_has_services_and_no_image(
    staged: tuple[RegistryPlatform, RegistryBuild],
) -> None:
    """A droplet is no image, so each build finds the cache alone.

    The first image here has another name than the second.
    """
    staging, first = staged
    second = replace(staging, tag="again").build(APP)

    for output in (first.output, second.output):
        assert "company: 2 CA certificates" in output
        assert "Making every layer again" not in output
        assert PASSWORD not in output
    assert second.layers == first.layers
    assert ADDED in second.output
    assert "Using cached Python" in second.output
    assert "Running `" not in second.output


@pytest.mark.parametrize("command", ["", "gunicorn --bind 0.0.0.0:$PORT --workers 1 app:app"])
def test_app_starts_by_its_type_or_by_the_manifests_command(
    staged: tuple[RegistryPlatform, RegistryBuild], command: str
) -> None:
    staging, _ = staged

    with started(staging, command or process_types(staging)["web"], variables()) as served:
        assert "Hello, world!" in served.fetch()
        assert served.stop() == 0
        assert PASSWORD not in served.output


def test_task_has_the_environment_of_the_app(
    staged: tuple[RegistryPlatform, RegistryBuild],
) -> None:
    staging, _ = staged

    with started(staging, "flask count", variables(), task=True) as served:
        assert served.process.wait(30) == 0
        assert served.output.strip() == "3"
