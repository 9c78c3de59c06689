"""Build environments: unusual settings, a company's network, pip's configuration files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.hostile_app import HOSTILE_FILES, HOSTILE_VARIABLES
from tests.support.trees import App
from tests.support.wheels import wheel
from tools.platforms import rootfs
from tools.platforms.sandbox import Bind

ASKED = {"requirements.txt": "company-tools==2.0\n", "Procfile": "web: python -V"}
INSTALLED = "venv/lib/python3.14/site-packages/company_tools.py"


@dataclass(frozen=True, slots=True)
class Company:
    """An index with a certificate of the company."""

    url: str
    certificate: Path


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("packages")
    wheel(directory, "company-tools", "2.0", {"company_tools.py": ""})
    return directory


@pytest.fixture(scope="module")
def company(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """An index whose certificate only the company's machines trust."""
    authority = index.authority(tmp_path_factory.mktemp("authority"))
    with index.running(packages, tls=authority) as running:
        yield Company(running.url, authority.certificate)


def test_hostile_files_and_variables_do_not_affect_the_build(
    builds: Builds, flask: Built, app: App, packages: Path
) -> None:
    hostile = app({**HOSTILE_FILES, **ASKED})
    with index.running(packages) as running:
        env = {**HOSTILE_VARIABLES, "PIP_INDEX_URL": running.url}
        homeless = {"HOME": ""}
        built = builds.phases(hostile, flask, env=env, lifecycle_env=homeless, umask=0o077)
    assert built.code == 0, built.output
    assert "a file of the app was run" not in built.output
    assert (built.layers / INSTALLED).stat().st_mode & 0o777 == 0o644
    assert {path.name for path in built.workspace.iterdir()} == {
        name.partition("/")[0] for name in (*HOSTILE_FILES, *ASKED)
    }


def test_pip_configuration_file_is_used(
    builds: Builds, flask: Built, app: App, packages: Path
) -> None:
    with index.running(packages) as running:
        configured = app({**ASKED, "pip.conf": f"[global]\nindex-url = {running.url}\n"})
        env = {"PIP_CONFIG_FILE": "/workspace/pip.conf"}
        built = builds.phases(configured, flask, env=env)
    assert built.code == 0, built.output
    assert (built.layers / INSTALLED).exists()


def test_authority_in_the_build_image_is_trusted(
    builds: Builds, flask: Built, app: App, company: Company, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(rootfs.host_bundle() + company.certificate.read_text())
    store = Bind(bundle, f"/{rootfs.BUNDLE}")
    env = {"PIP_INDEX_URL": company.url}
    built = builds.phases(app(ASKED), flask, env=env, binds=(store,))
    assert built.code == 0, built.output
    assert (built.layers / INSTALLED).exists()


def test_unknown_authority_is_an_error_that_names_the_index(
    builds: Builds, flask: Built, app: App, company: Company
) -> None:
    env = {"PIP_INDEX_URL": company.url, "PIP_RETRIES": "0"}
    built = builds.phases(app(ASKED), flask, env=env)
    title, body, steps = built.error.split("\n\n")
    assert title == "The certificate of a server is not trusted"
    assert body.startswith(
        f"Found:    a certificate of {company.url}company-tools/ that the build image does not"
        " trust: "
    )
    assert (
        steps
        == """\
To fix this:
  - Give the build the authority in a service binding, a directory with the files type\
 (ca-certificates) and ca.pem: --volume /path/to/DIR:/platform/bindings/DIR
  - Or add the authority to the certificates of the build image.
  - Or set SSL_CERT_FILE to the path of a certificate bundle in the build image."""
    )


def test_index_without_a_server_is_an_error_with_its_address(
    builds: Builds, flask: Built, app: App
) -> None:
    env = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple/", "PIP_RETRIES": "0"}
    built = builds.phases(app(ASKED), flask, env=env)
    assert built.error.startswith(
        "The package index does not answer\n\nFetching http://127.0.0.1:1"
    )
