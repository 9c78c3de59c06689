"""Poetry, Pipenv and PDM with a company's index: its packages come from there and nowhere else.

Another index has the same names: the release of the lock with other contents, and a newer one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support import index
from tests.support.builds import Builds, Built
from tests.support.index import Login
from tests.support.lock_updates import Upgrade, build_upgrade
from tests.support.locked_apps import Market
from tests.support.secrets import spilled, watched
from tests.support.trees import App, write_files
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


def bound(directory: Path, market: Market) -> Path:
    pem = market.authority.certificate.read_text()
    return write_files(directory, {"ca/type": "ca-certificates", "ca/company.pem": pem})


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


def test_a_login_that_is_wrong_is_told_and_not_shown(
    builds: Builds, flask: Built, sold: Sold, market: Market, tmp_path: Path
) -> None:
    wrong = Login("builder", "wr0ng/of:the@index")
    env = {**UNSET, **replace(market, login=wrong).variables(sold.tool)}
    built = builds.phases(sold.app, flask, env=env, bindings=sold.bindings)
    assert built.error.startswith("An index of the lock refused us with 403\n")
    assert {"poetry": "POETRY_HTTP_BASIC", "pdm": "pdm lock", "pipenv": "pipenv lock"}[
        sold.tool
    ] in built.error
    assert market.company.url.removesuffix("/simple/") in built.error
    log = tmp_path / "log.txt"
    log.write_text(built.output)
    assert spilled([wrong, LOGIN], log) == []


@pytest.mark.parametrize("first", ["acme-internal", "everybody"])
def test_what_a_pipfile_binds_without_a_lock_comes_from_there_too(
    builds: Builds, flask: Built, app: App, market: Market, first: str
) -> None:
    text = str(market.files("pipenv")["Pipfile"]).replace(
        'common = "<3"', 'common = { version = "*", index = "everybody" }'
    )
    head, *tables = text.partition("[packages]")[0].split("[[source]]\n")
    tables.sort(key=lambda table: f'name = "{first}"' not in table)
    sources = "".join(f"[[source]]\n{table}" for table in tables)
    pipfile = f"{head}{sources}[packages]{text.partition('[packages]')[2]}"
    directory = app({"Pipfile": pipfile, "Procfile": "web: python -V\n"})
    bindings = bound(directory.parent / "bindings", market)
    env = {**UNSET, **market.variables("pipenv")}
    built = builds.phases(directory, flask, env=env, bindings=bindings)
    assert built.code == 0, built.output
    [module] = built.layers.glob("deps-*/tree/**/company_tools.py")
    assert "ours" in module.read_text()
    log = directory.parent / "log.txt"
    log.write_text(built.output)
    assert spilled([LOGIN], log, built.layers) == []


def test_one_newer_release_changes_one_package_and_then_nothing(
    builds: Builds, sold: Sold, market: Market, tmp_path: Path
) -> None:
    """The login comes from a binding now, the authority from another one or Poetry's settings."""
    wheel(market.company.packages, "company-tools", "2.1", {"company_tools.py": "V = 'ours 2.1'"})
    write_files(sold.app, market.files(sold.tool, with_variables=False))
    market.lock(sold.tool, sold.app)
    is_named = sold.tool == "poetry"
    pem = market.authority.certificate.read_text()
    authority = {"type": "files" if is_named else "ca-certificates", "company.pem": pem}
    address = {"name": "acme-internal"} if is_named else {"extra-index-url": market.company.url}
    login = {"type": "pypi", "username": LOGIN.user, "password": LOGIN.password, **address}
    both = {"acme": login, "files": authority}
    files = {f"{name}/{key}": text for name, keys in both.items() for key, text in keys.items()}
    second = build_upgrade(
        Upgrade("company-tools", "2.0", "2.1"),
        builds,
        sold.built,
        sold.app,
        market.company,
        env={**UNSET, "POETRY_CERTIFICATES_ACME_INTERNAL_CERT": PEM if is_named else ""},
        bindings=write_files(tmp_path / "bindings", files),
    )
    log = tmp_path / "log.txt"
    log.write_text(second.output)
    assert spilled([LOGIN], log, second.layers) == []
