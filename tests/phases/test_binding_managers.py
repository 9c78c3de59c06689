"""Poetry, Pipenv and PDM with a private index: its packages come from there alone.

A public index has the same names: the locked release with other contents, and a newer one.
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
from tests.support.locked_apps import TwoIndexes
from tests.support.secrets import find_secrets, watch_command_lines
from tests.support.trees import App, write_files
from tests.support.wheels import wheel

LOGIN = Login("builder", "c0mpany/of:the@index")
UNSET = {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}
PRINT_VERSIONS = "import common, company_tools; print(common.V, company_tools.V)"
# The file of a binding whose type the buildpack does not know.
PEM = "/platform/bindings/files/company.pem"


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoIndexes]:
    directory = tmp_path_factory.mktemp("indexes")
    private, public = directory / "private", directory / "public"
    for path in (private, public):
        path.mkdir()
    wheel(private, "company-tools", "2.0", {"company_tools.py": "V = 'private 2.0'"})
    for version in ("2.0", "2.9"):
        wheel(public, "company-tools", version, {"company_tools.py": "V = 'public'"})
    wheel(public, "common", "1.0", {"common.py": "V = '1.0'"})
    tls = index.authority(directory / "authority")
    with (
        index.running(private, login=LOGIN, tls=tls) as private_index,
        index.running(public) as public_index,
    ):
        yield TwoIndexes(private_index, public_index, tls, LOGIN)


@dataclass(frozen=True)
class LockedApp:
    """An app locked by one tool, and its image."""

    tool: str
    app: Path
    built: Built
    env: Mapping[str, str]
    bindings: Path
    seen: list[str]
    """Command lines of the build with the login in them."""


@pytest.fixture(scope="module", params=["poetry", "pipenv", "pdm"])
def locked_app(
    request: pytest.FixtureRequest,
    builds: Builds,
    flask: Built,
    indexes: TwoIndexes,
    tmp_path_factory: pytest.TempPathFactory,
) -> LockedApp:
    for newer in indexes.private.packages.glob("company_tools-2.1-*"):
        newer.unlink()  # of another tool's test
    directory = tmp_path_factory.mktemp(request.param)
    directory.chmod(0o755)
    app = indexes.app(request.param, directory / "app")
    env = {**UNSET, **indexes.variables(request.param)}
    bindings = ca_binding(directory / "bindings", indexes)
    with watch_command_lines([LOGIN]) as seen:
        built = builds.image(app, flask, env=env, bindings=bindings)
    assert built.code == 0, built.output
    return LockedApp(request.param, app, built, env, bindings, seen)


def ca_binding(directory: Path, indexes: TwoIndexes) -> Path:
    pem = indexes.authority.certificate.read_text()
    return write_files(directory, {"ca/type": "ca-certificates", "ca/company.pem": pem})


def test_each_package_comes_from_its_locked_index(locked_app: LockedApp) -> None:
    assert locked_app.built.run("python", "-c", PRINT_VERSIONS) == "1.0 private 2.0\n"


def test_no_secret_is_in_image_cache_or_log(locked_app: LockedApp) -> None:
    built = locked_app.built
    log = built.work / "log.txt"
    log.write_text(built.output + json.dumps(built.labels()))
    blobs = [built.image.blob(layer) for layer in built.image.layers]
    files = [path for path in built.directory.rglob("*") if path.is_file()]
    documents = [path for path in files if path.read_bytes()[:1] == b"{"]
    paths = (log, built.layers, built.workspace, built.work / "cache", *blobs, *documents)
    assert find_secrets([LOGIN], *paths) == []
    assert locked_app.seen == []
    assert [name for name in built.scratch if name.startswith("cnb-python")] == []


def test_wrong_login_is_reported_without_secrets(
    builds: Builds, flask: Built, locked_app: LockedApp, indexes: TwoIndexes, tmp_path: Path
) -> None:
    wrong = Login("builder", "wr0ng/of:the@index")
    env = {**UNSET, **replace(indexes, login=wrong).variables(locked_app.tool)}
    built = builds.phases(locked_app.app, flask, env=env, bindings=locked_app.bindings)
    title = built.error.partition("\n")[0]
    assert title == "An index of the lock file rejected the request: 403 Forbidden"
    assert {"poetry": "POETRY_HTTP_BASIC", "pdm": "pdm lock", "pipenv": "pipenv lock"}[
        locked_app.tool
    ] in built.error
    assert indexes.private.url.removesuffix("/simple/") in built.error
    log = tmp_path / "log.txt"
    log.write_text(built.output)
    assert find_secrets([wrong, LOGIN], log) == []


@pytest.mark.parametrize("first", ["acme-internal", "public"])
def test_pipfile_without_lock_installs_from_the_named_index(
    builds: Builds, flask: Built, app: App, indexes: TwoIndexes, first: str
) -> None:
    text = str(indexes.files("pipenv")["Pipfile"]).replace(
        'common = "<3"', 'common = { version = "*", index = "public" }'
    )
    head, *tables = text.partition("[packages]")[0].split("[[source]]\n")
    tables.sort(key=lambda table: f'name = "{first}"' not in table)
    sources = "".join(f"[[source]]\n{table}" for table in tables)
    pipfile = f"{head}{sources}[packages]{text.partition('[packages]')[2]}"
    directory = app({"Pipfile": pipfile, "Procfile": "web: python -V\n"})
    bindings = ca_binding(directory.parent / "bindings", indexes)
    env = {**UNSET, **indexes.variables("pipenv")}
    built = builds.phases(directory, flask, env=env, bindings=bindings)
    assert built.code == 0, built.output
    [module] = built.layers.glob("deps-*/tree/**/company_tools.py")
    assert "private" in module.read_text()
    log = directory.parent / "log.txt"
    log.write_text(built.output)
    assert find_secrets([LOGIN], log, built.layers) == []


def test_upgrade_changes_one_package_and_then_nothing(
    builds: Builds, locked_app: LockedApp, indexes: TwoIndexes, tmp_path: Path
) -> None:
    """The login comes from a binding now, the CA from another one or from Poetry's settings."""
    wheel(
        indexes.private.packages, "company-tools", "2.1", {"company_tools.py": "V = 'private 2.1'"}
    )
    write_files(locked_app.app, indexes.files(locked_app.tool, with_variables=False))
    indexes.lock(locked_app.tool, locked_app.app)
    is_named = locked_app.tool == "poetry"
    pem = indexes.authority.certificate.read_text()
    authority = {"type": "files" if is_named else "ca-certificates", "company.pem": pem}
    address = {"name": "acme-internal"} if is_named else {"extra-index-url": indexes.private.url}
    login = {"type": "pypi", "username": LOGIN.user, "password": LOGIN.password, **address}
    both = {"acme": login, "files": authority}
    files = {f"{name}/{key}": text for name, keys in both.items() for key, text in keys.items()}
    second = build_upgrade(
        Upgrade("company-tools", "2.0", "2.1"),
        builds,
        locked_app.built,
        locked_app.app,
        indexes.private,
        env={**UNSET, "POETRY_CERTIFICATES_ACME_INTERNAL_CERT": PEM if is_named else ""},
        bindings=write_files(tmp_path / "bindings", files),
    )
    log = tmp_path / "log.txt"
    log.write_text(second.output)
    assert find_secrets([LOGIN], log, second.layers) == []
