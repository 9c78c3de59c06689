"""A requirements file at a URL that only pip can read with its settings."""

from pathlib import Path

import pytest

from tests.support import file_server, index
from tests.support.builds import Builds, Built
from tests.support.sdists import checkout
from tests.support.trees import App, write_files
from tests.support.wheels import wheel

# No index settings of this machine: the included file names the index.
UNSET = {"PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}


def test_index_option_of_an_included_url_is_used_in_every_build(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("alpha", "beta"):
        wheel(packages, name, "1.0", {f"{name}.py": ""})
    authority = index.authority(tmp_path / "authority")
    bindings = write_files(
        tmp_path / "bindings",
        {
            "conf/type": "pip\n",
            "conf/pip.conf": "[global]\ncert = /platform/bindings/ca/company.pem\n",
            "ca/type": "files\n",
            "ca/company.pem": authority.certificate.read_bytes(),
        },
    )
    shared = tmp_path / "shared"
    with (
        index.running(packages, tls=authority) as company,
        file_server.running(shared, index.server_context(authority)) as server,
    ):
        write_files(shared, {"base.txt": f"--index-url {company.url}\nalpha\n"})
        source = app({"requirements.txt": f"-r {server.url}/base.txt\n"})
        first = builds.phases(source, flask, env=UNSET, bindings=bindings)
        write_files(shared, {"base.txt": f"--index-url {company.url}\nalpha\nbeta\n"})
        second = builds.phases(source, first, env=UNSET, bindings=bindings)

    assert first.code == 0, first.output
    assert second.code == 0, second.output
    assert "Changed: + beta 1.0" in second.output


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_pwd_is_the_directory_of_the_project(
    builds: Builds, flask: Built, app: App, installer: str
) -> None:
    """Not that of the repository, in which the build starts."""
    project = checkout("one", "1.0", {"one.py": "V = 1"})
    files = {f"services/api/libs/one/{name}": content for name, content in project.items()}
    lines = "one @ file://${PWD}/libs/one\n"
    source = app({**files, "services/api/requirements.txt": lines})
    settings = {"BP_PYTHON_PROJECT": "services/api", "BP_PYTHON_INSTALLER": installer}

    built = builds.phases(source, flask, env=settings)

    assert built.code == 0, built.output
    assert list(built.layers.glob("deps-*/**/one.py"))
