"""Apps with packages of a private and a public index, locked by Poetry, Pipenv or PDM."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.support import lock_files
from tests.support.index import Authority, Index, Login
from tests.support.trees import Files, write_files

USER, PASSWORD = "ACME_USER", "ACME_PASSWORD"
_PROJECT = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.14,<4"
dependencies = ["company-tools<3", "common<3"]
"""
_POETRY = """\
[tool.poetry]
package-mode = false
[tool.poetry.dependencies]
company-tools = {{ source = "acme-internal" }}
[[tool.poetry.source]]
name = "public"
url = "{public}"
[[tool.poetry.source]]
name = "acme-internal"
url = "{private}"
priority = "explicit"
"""
_PDM = """\
[tool.pdm]
distribution = false
[[tool.pdm.source]]
name = "pypi"
url = "{public}"
[[tool.pdm.source]]
name = "acme-internal"
url = "{private_with_variables}"
include_packages = ["company-*"]
"""
_PIPFILE = """\
[[source]]
name = "public"
url = "{public}"
verify_ssl = true
[[source]]
name = "acme-internal"
url = "{private_with_variables}"
verify_ssl = true
[packages]
company-tools = {{ version = "<3", index = "acme-internal" }}
common = "<3"
"""


@dataclass(frozen=True)
class TwoIndexes:
    """A private index, which requires a login, and a public one."""

    private: Index
    public: Index
    authority: Authority
    login: Login

    def files(self, tool: str, *, with_variables: bool = True) -> Files:
        """Return an app of *tool* without its lock file.

        *with_variables*: the URL of the private index has its login as variables.
        """
        url = self.private.url
        with_login = url.replace("://", f"://${{{USER}}}:${{{PASSWORD}}}@")
        urls = {
            "public": self.public.url,
            "private": url,
            "private_with_variables": with_login if with_variables else url,
        }
        project = {
            "poetry": {"pyproject.toml": _PROJECT + _POETRY.format(**urls)},
            "pdm": {"pyproject.toml": _PROJECT + _PDM.format(**urls)},
            "pipenv": {"Pipfile": _PIPFILE.format(**urls)},
        }
        return {**project[tool], "Procfile": "web: python -m http.server $PORT\n"}

    def variables(self, tool: str) -> Mapping[str, str]:
        """Return the variables with the login for *tool*."""
        user, password = self.login.user, self.login.password
        if tool == "poetry":
            name = "POETRY_HTTP_BASIC_ACME_INTERNAL"
            return {f"{name}_USERNAME": user, f"{name}_PASSWORD": password}
        return {USER: user, PASSWORD: password}

    def app(self, tool: str, directory: Path) -> Path:
        """Return a new app in *directory*, locked by *tool*."""
        write_files(directory, self.files(tool))
        directory.chmod(0o755)
        self.lock(tool, directory)
        return directory

    def lock(self, tool: str, app: Path) -> None:
        """Lock *app* to the newest releases; its author has the login in a `.netrc` too."""
        home = lock_files.home_of(app)
        host, login = urlsplit(self.private.url).hostname, self.login
        netrc = f"machine {host} login {login.user} password {login.password}\n"
        (home / ".netrc").write_text(netrc)
        (home / ".netrc").chmod(0o600)
        trusted = {"REQUESTS_CA_BUNDLE": str(self.authority.certificate)}
        certificate = {**trusted, "PIP_CERT": str(self.authority.certificate)}
        more = {"PDM_PYPI_CA_CERTS": str(self.authority.certificate)} if tool == "pdm" else {}
        lock_files.lock(tool, app, {**self.variables(tool), **certificate, **more})
