"""Private indexes with service bindings: HTTPS with a company's authority, a login for each."""

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.support import file_server, index
from tests.support.builds import Builds, Built
from tests.support.index import Authority, Index, Login
from tests.support.sdists import sdist
from tests.support.secrets import find_secrets, spellings, watch_command_lines
from tests.support.trees import App, linked_copy, write_files
from tests.support.wheels import wheel

# Each is encoded differently in a URL, and none is a part of another.
COMPANY = Login("builder", "c0mpany/of:the@index")
PARTNER = Login("partner", "p4rtner+s=pass word?")
ARCHIVE = Login("archive", "4rchive-of_old.wheels~")
LOGINS = (COMPANY, PARTNER, ARCHIVE)
UNSET = {"PIP_INDEX_URL": "", "PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": ""}

type Bindings = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Servers:
    """Three servers with a login each, and certificates of one authority."""

    company: Index
    partner: Index
    archive: Index
    authority: Authority

    def bindings(self, into: Path, **more: Mapping[str, str]) -> Path:
        """Write the bindings for the first server, and *more*."""
        given: dict[str, Mapping[str, str]] = {
            "company": {
                "type": "pypi",
                "url": f"{self.company.url}\n",
                "username": f"{COMPANY.user}\n",
                "password": f"{COMPANY.password}\n",
            },
            "authority": {
                "type": "ca-certificates",
                "company.pem": self.authority.certificate.read_text(),
            },
        }
        return mounted(into, given | more)


def mounted(into: Path, bindings: Bindings) -> Path:
    files = {
        f"{name}/{key}": value
        for name, keys in bindings.items()
        for key, value in keys.items()
        if keys
    }
    return write_files(into / "bindings", files)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    directory = tmp_path_factory.mktemp("servers")
    served = {name: directory / name for name in ("company", "partner", "archive")}
    for path in served.values():
        path.mkdir()
    wheel(served["company"], "company-tools", "2.0", {"company_tools.py": "NAME = 'company'"})
    sdist(served["company"], "company-notes", "1.1", {"company_notes.py": "NAME = 'notes'"})
    wheel(served["partner"], "partner-tools", "3.0", {"partner_tools.py": "NAME = 'partner'"})
    wheel(served["archive"], "old-tools", "0.1", {"old_tools.py": "NAME = 'old'"})
    tls = index.authority(directory / "authority")
    with (
        index.running(served["company"], login=COMPANY, tls=tls) as company,
        index.running(served["partner"], login=PARTNER, tls=tls) as partner,
        index.running(served["archive"], login=ARCHIVE, tls=tls) as archive,
    ):
        yield Servers(company, partner, archive, tls)


def with_login(url: str, login: Login) -> str:
    user, password = (quote(text, safe="") for text in (login.user, login.password))
    return url.replace("://", f"://{user}:{password}@", 1)


def old_wheel(servers: Servers) -> str:
    """Its address with another host name, since a .netrc has no ports."""
    address = servers.archive.url.replace("127.0.0.1", "localhost").removesuffix("simple/")
    return f"{address}packages/old_tools-0.1-py3-none-any.whl"


@pytest.fixture(scope="module")
def everything(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A binding of each type."""
    conf = f"[global]\nextra-index-url = {with_login(servers.partner.url, PARTNER)}\n"
    toml = f'[[index]]\nname = "partner"\nurl = "{with_login(servers.partner.url, PARTNER)}"\n'
    netrc = f"machine localhost login {ARCHIVE.user} password {ARCHIVE.password}\n"
    return servers.bindings(
        tmp_path_factory.mktemp("everything"),
        conf={"type": "pip", "pip.conf": conf},
        settings={"type": "uv", "uv.toml": toml},
        logins={"type": "netrc", ".netrc": netrc},
        database={"type": "postgresql", "password": COMPANY.password},
    )


@pytest.fixture(scope="module")
def source(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An app that needs all three servers, and pip as resolver."""
    requirements = (
        f"company-tools>=2\ncompany-notes\npartner-tools\nold-tools @ {old_wheel(servers)}\n"
    )
    files = {"requirements.txt": requirements, "Procfile": "web: python -m http.server $PORT"}
    return write_files(tmp_path_factory.mktemp("source") / "app", files)


@pytest.fixture(scope="module")
def seen() -> list[str]:
    """Command lines of the build that contain a login."""
    return []


@pytest.fixture(scope="module")
def built(builds: Builds, flask: Built, source: Path, everything: Path, seen: list[str]) -> Built:
    with watch_command_lines(LOGINS) as lines:
        built = builds.image(source, flask, env=UNSET, bindings=everything)
    seen += lines
    assert built.code == 0, built.output
    return built


def test_packages_of_each_bound_index_are_installed(built: Built) -> None:
    code = (
        "import company_tools, company_notes, partner_tools, old_tools;"
        "print(company_tools.NAME, company_notes.NAME, partner_tools.NAME, old_tools.NAME)"
    )
    assert built.run("python", "-c", code) == "company notes partner old\n"
    assert f"company: the usual index, {'https://127.0.0.1'}" in built.output


def test_no_secret_is_in_image_cache_or_log(built: Built) -> None:
    log = built.work / "log.txt"
    log.write_text(built.output + json.dumps(built.labels()))
    places = (log, built.layers, built.workspace, built.work / "cache")
    blobs = [built.image.blob(layer) for layer in built.image.layers]
    documents = [path for path in built.directory.rglob("*") if is_document(path)]
    assert len(blobs) > 3
    assert documents
    assert find_secrets(LOGINS, *places, *blobs, *documents) == []


def is_document(path: Path) -> bool:
    """Return whether it is the image's index, manifest or configuration, not a layer."""
    return path.is_file() and path.stat().st_size < 1_000_000 and path.read_bytes()[:1] == b"{"


def test_no_secret_is_in_a_command_line(built: Built, seen: list[str]) -> None:
    assert built.code == 0
    assert seen == []


def test_watch_command_lines_reports_a_login() -> None:
    with watch_command_lines([PARTNER]) as lines:
        subprocess.run(["/bin/sh", "-c", "sleep 1; :", PARTNER.password], check=True)
    assert [line.split(" ", 1)[0] for line in lines] == ["/bin/sh"]


def test_find_secrets_reports_each_form_of_a_login(built: Built, tmp_path: Path) -> None:
    [layer, *_] = [each for each in built.image.layers if each.title.endswith(":venv")]
    assert find_secrets([Login("x", "site-packages")], built.image.blob(layer))
    for form, text in spellings(PARTNER).items():
        (tmp_path / "found").write_bytes(b"<" + text + b">")
        assert any(each.endswith(f": {form}") for each in find_secrets(LOGINS, tmp_path)), form


def test_temporary_files_of_bindings_are_removed(built: Built) -> None:
    assert [name for name in built.scratch if name.startswith("cnb-python")] == []


def test_uv_uses_the_bindings_and_an_unchanged_build_requests_nothing(
    builds: Builds, flask: Built, app: App, servers: Servers
) -> None:
    source = app({"requirements.txt": "company-tools==2.0\n"})
    bindings = servers.bindings(source.parent)
    first = builds.phases(source, flask, env=UNSET, bindings=bindings)
    assert first.code == 0, first.output
    assert "Running `uv pip install` (1 pinned package)" in first.output
    count = len(servers.company.requests)
    again = builds.phases(source, first, env=UNSET, bindings=bindings)
    assert "Nothing changed: reusing 1 packages from the previous image" in again.output
    assert len(servers.company.requests) == count


def test_uv_settings_come_from_a_binding(
    builds: Builds, flask: Built, app: App, everything: Path
) -> None:
    source = app({"requirements.txt": "company-tools>=2\npartner-tools\n"})
    env = {**UNSET, "BP_PYTHON_INSTALLER": "uv"}
    built = builds.phases(source, flask, env=env, bindings=everything)
    assert built.code == 0, built.output
    assert "Running `uv pip compile requirements.txt`" in built.output
    log = app({}).parent / "log.txt"
    log.write_text(built.output)
    assert find_secrets(LOGINS, log, built.layers) == []


def test_container_of_the_app_trusts_bound_authorities(
    flask: Built, servers: Servers, tmp_path: Path
) -> None:
    pem = servers.authority.certificate.read_text()
    files = {"bindings/ca/type": "ca-certificates\n", "bindings/ca/company.pem": pem}
    root = linked_copy(flask.root, tmp_path / "root", files)
    code = f"""\
import os, ssl, urllib.error, urllib.request
try:
    urllib.request.urlopen("{servers.company.url}")
except urllib.error.HTTPError as error:
    print(error.code, os.environ["REQUESTS_CA_BUNDLE"] == os.environ["SSL_CERT_FILE"])
except urllib.error.URLError as error:
    print(error.reason.verify_message)
"""
    given = {"SERVICE_BINDING_ROOT": "/bindings"}
    assert flask.run("python", "-c", code, env=given, root=root) == "401 True\n"
    alone = flask.run("python", "-c", code, root=root)
    assert alone == "unable to get local issuer certificate\n"


@contextmanager
def table(builds: Builds, directory: Path, authority: Authority) -> Iterator[str]:
    """Serve the table of Pythons over HTTPS, to clients with a certificate of the authority."""
    directory.mkdir()
    url = builds.settings["BP_PYTHON_MIRROR"]
    with urllib.request.urlopen(url) as answer:
        (directory / "python.toml").write_bytes(answer.read())
    tls = index.server_context(authority, for_known_clients=True)
    with file_server.running(directory, tls) as server:
        yield f"{server.url}/python.toml"


def test_downloads_of_python_use_bound_certificates(
    builds: Builds, flask: Built, app: App, servers: Servers, tmp_path: Path
) -> None:
    client = {
        "type": "pypi",
        "name": "company",
        "client-cert": servers.authority.client.read_text(),
    }
    source = app({"requirements.txt": ""})
    bindings = servers.bindings(tmp_path, company=client)
    with table(builds, tmp_path / "table", servers.authority) as mirror:
        built = builds.phases(source, flask, env={"BP_PYTHON_MIRROR": mirror}, bindings=bindings)
        assert built.code == 0, built.output
        without_binding = builds.phases(source, flask, env={"BP_PYTHON_MIRROR": mirror})
    assert without_binding.error.startswith("The certificate of a server is not trusted\n")


@pytest.mark.parametrize("installer", ["pip", "auto"])
def test_index_gets_the_bound_client_certificate(
    builds: Builds, flask: Built, app: App, servers: Servers, installer: str
) -> None:
    client = servers.authority.client.read_text()
    packages = servers.company.packages
    with index.running(packages, tls=servers.authority, for_known_clients=True) as served:
        binding = {"type": "pypi", "url": served.url, "client-cert": client}
        source = app({"requirements.txt": "company-tools==2.0\n"})
        bindings = servers.bindings(source.parent, company=binding)
        env = {**UNSET, "BP_PYTHON_INSTALLER": installer}
        built = builds.phases(source, flask, env=env, bindings=bindings)
    assert built.code == 0, built.output
    assert ("Running `uv pip install` (1 pinned package)" in built.output) == (installer == "auto")
    assert client.splitlines()[-3] not in built.output


@pytest.mark.parametrize("installer", ["pip", "uv"])
@pytest.mark.parametrize("login", [{}, {"username": "builder", "password": "a-w0rd:of@old"}])
def test_index_that_refuses_is_named_with_its_status(
    builds: Builds, flask: Built, app: App, servers: Servers, installer: str, login: dict[str, str]
) -> None:
    source = app({"requirements.txt": "company-tools==2.0\n"})
    binding = {"type": "pypi", "url": servers.company.url, **login}
    bindings = servers.bindings(source.parent, company=binding)
    env = {**UNSET, "BP_PYTHON_INSTALLER": installer}
    built = builds.phases(source, flask, env=env, bindings=bindings)
    assert ("403" if login else "401") in built.error
    assert servers.company.url.removesuffix("/simple/") in built.error
    assert "of@old" not in built.output
    assert "of%40old" not in built.output


def test_unknown_key_of_a_binding_stops_the_build_before_any_layer(
    builds: Builds, flask: Built, app: App
) -> None:
    source = app({"requirements.txt": "company-tools==2.0\n"})
    keys = {"type": "pypi", "uri": "https://h.example/simple/", "password": "s3cret-of-it"}
    built = builds.phases(source, flask, bindings=mounted(source.parent, {"company": keys}))
    assert built.error.startswith("Service binding company has the unknown key uri\n")
    assert "Did you mean url?" in built.error
    assert "s3cret-of-it" not in built.output


def test_uv_lock_is_installed_with_the_login_of_its_index(
    builds: Builds, flask: Built, app: App, servers: Servers
) -> None:
    named = f'[[tool.uv.index]]\nname = "acme-internal"\nurl = "{servers.company.url}"\n'
    project = {"name": "app", "version": "1", "requires-python": ">=3.14"}
    lines = "\n".join(f'{key} = "{value}"' for key, value in project.items())
    text = '[project]\n{}\ndependencies = ["company-tools", "company-notes"]\n{}default = true\n'
    source = app({"pyproject.toml": text.format(lines, named)})
    login = {
        "UV_INDEX_ACME_INTERNAL_USERNAME": COMPANY.user,
        "UV_INDEX_ACME_INTERNAL_PASSWORD": COMPANY.password,
    }
    uv_lock(source, {**login, "SSL_CERT_FILE": str(servers.authority.certificate)})
    binding = {"type": "pypi", "name": "acme-internal", "username": COMPANY.user}
    bindings = servers.bindings(
        source.parent, company={**binding, "password": f"{COMPANY.password}\n"}
    )
    env = {**UNSET, "UV_INDEX_URL": "", "UV_DEFAULT_INDEX": ""}
    first = builds.phases(source, flask, env=env, bindings=bindings)
    assert first.code == 0, first.output
    assert (first.layers / "deps-00").is_dir()
    log = source.parent / "log.txt"
    log.write_text(first.output)
    assert find_secrets(LOGINS, log, first.layers) == []
    again = builds.phases(source, first, env=env, bindings=bindings)
    assert "Nothing changed: reusing 2 packages from the previous image" in again.output
    # With variables of the platform in place of the binding.
    bindings = servers.bindings(source.parent / "other", company={})
    given = builds.phases(source, flask, env={**env, **login}, bindings=bindings)
    assert given.code == 0, given.output
    log.write_text(given.output)
    assert find_secrets(LOGINS, log, given.layers) == []


def uv_lock(app: Path, env: Mapping[str, str]) -> None:
    """Have uv decide, where its user is."""
    uv = Path(sys.executable).with_name("uv")
    variables = {"PATH": os.environ["PATH"], "HOME": str(app.parent), **env}
    command: list[str | Path] = [uv, "lock", "--no-cache", "--python", sys.executable]
    locked = subprocess.run(
        command, cwd=app, env=variables, check=False, capture_output=True, text=True
    )
    assert locked.returncode == 0, locked.stderr
