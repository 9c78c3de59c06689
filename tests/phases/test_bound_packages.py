"""Poetry, Pipenv and PDM with a company's index: its packages come from there and nowhere else.

Another index has the same names: the release of the lock with other contents, and a newer one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.bumped import Bump, follow
from tests.support.index import Login
from tests.support.locked_apps import Market
from tests.support.spilled import spilled, watched
from tests.support.trees import write_files
from tests.support.wheels import wheel

LOGIN = Login("builder", "c0mpany/of:the@index")
UNSET = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
ASKED = "import common, company_tools; print(common.V, company_tools.V)"
# Where the lifecycle sees the files of a binding whose type nobody knows.
PEM = "/platform/bindings/files/company.pem"


@pytest.fixture(scope="module")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    directory = tmp_path_factory.mktemp("market")
    company, everybody = directory / "company", directory / "everybody"
    for path in (company, everybody):
        path.mkdir()
    wheel(company, "company-tools", "2.0", {"company_tools.py": "V = 'ours 2.0'"})
    for version in ("2.0", "2.9"):
        wheel(everybody, "company-tools", version, {"company_tools.py": "V = 'a stranger'"})
    wheel(everybody, "common", "1.0", {"common.py": "V = '1.0'"})
    tls = index.authority(directory / "authority")
    with (
        index.running(company, login=LOGIN, tls=tls) as private,
        index.running(everybody) as public,
    ):
        yield Market(private, public, tls, LOGIN)


@dataclass(frozen=True)
class Sold:
    """An app of one tool, and the image of it."""

    tool: str
    app: Path
    built: Built
    env: Mapping[str, str]
    bindings: Path
    seen: list[str]
    """Command lines of the build with the login in them."""


@pytest.fixture(scope="module", params=["poetry", "pipenv", "pdm"])
def sold(
    request: pytest.FixtureRequest,
    builds: Builds,
    flask: Built,
    market: Market,
    tmp_path_factory: pytest.TempPathFactory,
) -> Sold:
    for newer in market.company.packages.glob("company_tools-2.1-*"):
        newer.unlink()  # of another tool's test
    directory = tmp_path_factory.mktemp(request.param)
    directory.chmod(0o755)
    app = market.app(request.param, directory / "app")
    env = {**UNSET, **market.variables(request.param)}
    bindings = bound(directory / "bindings", market)
    with watched([LOGIN]) as seen:
        built = builds.image(app, flask, env=env, bindings=bindings)
    assert built.code == 0, built.output
    return Sold(request.param, app, built, env, bindings, seen)


def bound(directory: Path, market: Market, **more: str) -> Path:
    pem = market.authority.certificate.read_text()
    return write_files(directory, {"ca/type": "ca-certificates", "ca/company.pem": pem, **more})


def test_each_package_comes_from_the_index_it_is_locked_to(sold: Sold) -> None:
    assert sold.built.run("python", "-c", ASKED) == "1.0 ours 2.0\n"


def test_no_secret_is_anywhere(sold: Sold) -> None:
    built = sold.built
    log = built.work / "log.txt"
    log.write_text(built.output + json.dumps(built.labels()))
    blobs = [built.image.blob(layer) for layer in built.image.layers]
    files = [path for path in built.directory.rglob("*") if path.is_file()]
    documents = [path for path in files if path.read_bytes()[:1] == b"{"]
    places = (log, built.layers, built.workspace, built.work / "cache", *blobs, *documents)
    assert spilled([LOGIN], *places) == []
    assert sold.seen == []
    assert [name for name in built.scratch if name.startswith("cnb-python")] == []


def test_one_newer_release_changes_one_package_and_then_nothing(
    builds: Builds, sold: Sold, market: Market, tmp_path: Path
) -> None:
    wheel(market.company.packages, "company-tools", "2.1", {"company_tools.py": "V = 'ours 2.1'"})
    before = sold.built
    market.lock(sold.tool, sold.app)
    env, bindings = sold.env, sold.bindings
    if sold.tool == "poetry":  # the same login and authority, told in other ways
        env = {**UNSET, "POETRY_CERTIFICATES_ACME_INTERNAL_CERT": PEM}
        bindings = of_poetry(tmp_path / "bindings", market)
    bump = Bump("company-tools", "2.0", "2.1")
    second = follow(bump, builds, before, sold.app, market.company, env=env, bindings=bindings)
    log = tmp_path / "log.txt"
    log.write_text(second.output)
    assert spilled([LOGIN], log, second.layers) == []


def of_poetry(directory: Path, market: Market) -> Path:
    keys = {"type": "pypi", "name": "acme-internal", "username": LOGIN.user}
    binding = {**keys, "password": LOGIN.password}
    files = {f"acme/{key}": value for key, value in binding.items()}
    pem = market.authority.certificate.read_text()
    return write_files(directory, {**files, "files/type": "files", "files/company.pem": pem})
