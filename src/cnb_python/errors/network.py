"""Indexes, servers and Git repositories that cannot be reached or refuse access."""

from collections.abc import Mapping
from typing import Literal, Self, override
from urllib.parse import urlsplit

from cnb_python.errors.base import AppError, Message, OutsideError

_STATUSES = {
    401: "401 Unauthorized",
    403: "403 Forbidden",
    407: "407 Proxy Authentication Required",
}
_PROXY_REFUSED = 407

_BINDING = "--volume /path/to/DIR:/platform/bindings/DIR"
_PROXY = "If builds reach the network through a proxy, set HTTPS_PROXY for them."
_CA_BINDING = (
    "Give the build the authority in a service binding, a directory with the files type "
    f"(ca-certificates) and ca.pem: {_BINDING}"
)
_GIT_LOGIN = "Write the address as git+https://${TOKEN}@HOST/... and give the build TOKEN."

type NamesIndexes = Literal["Poetry", "Pipenv", "PDM"]
"""A manager whose lock file names indexes, as users write it."""
_LOGINS: Mapping[NamesIndexes, str] = {
    "Poetry": (
        "Give the build POETRY_HTTP_BASIC_<NAME>_USERNAME and POETRY_HTTP_BASIC_<NAME>_PASSWORD, "
        "where NAME is the name in [[tool.poetry.source]], in capitals and with _ for other signs."
    ),
    "Pipenv": (
        "Write the address in [[source]] of the Pipfile as https://${USER}:${TOKEN}@HOST/simple, "
        "run pipenv lock, and give the build USER and TOKEN."
    ),
    "PDM": (
        "Write the address in [[tool.pdm.source]] as https://${USER}:${TOKEN}@HOST/simple, "
        "run pdm lock, and give the build USER and TOKEN."
    ),
}

type GitTrouble = Literal["login", "repository", "revision", "host", "certificate", "other"]

_GIT_FIXES: Mapping[GitTrouble, tuple[str, ...]] = {
    "login": (
        _GIT_LOGIN,
        (
            "Give the build the login in a service binding, a directory with the files type "
            f"(netrc) and .netrc: {_BINDING}"
        ),
        "If the build has a token, check that it may read this repository and has not expired.",
        "If the address starts with ssh, use https: the build has no SSH key.",
    ),
    "repository": (
        "Correct the owner and the name of the repository.",
        f"If it is private, give the build access. {_GIT_LOGIN}",
    ),
    "revision": (
        "Correct the branch, tag or commit behind the @.",
        "If it is a commit, push it to a branch or tag.",
    ),
    "host": ("Correct the address.", _PROXY),
    "certificate": (
        _CA_BINDING,
        "Set GIT_SSL_CAINFO to the path of a certificate bundle in the build image.",
    ),
    "other": (
        "Correct the address, and the branch, tag or commit behind the @.",
        f"If the repository is private, give the build access. {_GIT_LOGIN}",
        _PROXY,
    ),
}


class GitFailed(OutsideError):
    """A Git repository that a requirement names could not be fetched."""

    requirement: str
    trouble: GitTrouble
    problem: str
    """As Git reports it."""

    @override
    def describe(self) -> Message:
        return Message(
            title="A Git repository could not be fetched",
            body=(f"Requirement: {self.requirement}", f"Git reports: {self.problem}"),
            fixes=_GIT_FIXES[self.trouble],
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "git+https://index.example.org/401/y.git",
            "login",
            "could not read Username for 'http://index.example.org': terminal prompts disabled",
        )


class IndexRefused(OutsideError):
    """An index or a proxy answered 401, 403 or 407."""

    url: str
    status: int

    @override
    def describe(self) -> Message:
        status = _STATUSES.get(self.status, self.status)
        if self.status == _PROXY_REFUSED:
            return Message(
                title=f"The proxy rejected the request: {status}",
                body=(f"{self.url} was requested through a proxy that needs a login.",),
                fixes=("Add the login to HTTPS_PROXY: http://USER:PASSWORD@HOST:PORT",),
            )
        return Message(
            title=f"The package index rejected the request: {status}",
            body=_refused(self.url, self.status),
            fixes=(
                (
                    "Give the build the address with the login: "
                    "--env PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/"
                ),
                (
                    "Give the build the login in a service binding, a directory with the files type "
                    f"(pypi), url, username and password: {_BINDING}"
                ),
                (
                    "Write --index-url https://${USER}:${TOKEN}@HOST/simple/ in requirements.txt, and "
                    "give the build USER and TOKEN, with special characters percent-encoded."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("https://index.example.org/simple/", 401)


class SourceRefused(OutsideError):
    """An index that a lock file names answered 401 or 403."""

    manager: NamesIndexes
    """The manager of the lock file."""
    url: str
    status: int

    @override
    def describe(self) -> Message:
        return Message(
            title="An index of the lock file rejected the request: "
            f"{_STATUSES.get(self.status, self.status)}",
            body=_refused(self.url, self.status),
            fixes=(
                _LOGINS[self.manager],
                (
                    "Give the build the login in a service binding, a directory with the files type "
                    f"(pypi), extra-index-url, username and password: {_BINDING}"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Poetry", "https://ours.example/simple/six/", 401)


class IndexUnreachable(OutsideError):
    """An index gave no usable answer."""

    url: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The package index does not answer",
            body=(f"Fetching {self.url} failed: {self.reason}.",),
            fixes=(
                "Build again: the failure may have been temporary.",
                "Correct the address of the index (PIP_INDEX_URL, pip.conf, --index-url).",
                _PROXY,
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "https://index.example.org/500/simple/good/",
            "it answered 500 Internal Server Error",
        )


class UnknownHost(OutsideError):
    """The name of a server cannot be resolved."""

    url: str
    host: str
    """Empty: the host of the address."""

    @override
    def describe(self) -> Message:
        host = self.host or _host(self.url) or self.url
        return Message(
            title=f"There is no server named {host}",
            body=(f"Fetching {self.url} failed: the build cannot resolve the name {host}.",),
            fixes=(
                "Correct the address (PIP_INDEX_URL, pip.conf, --index-url, the lock file).",
                (
                    "If only your own network resolves the name, run the build in that network: "
                    "pack build --network host"
                ),
                _PROXY,
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("https://index.example.invalid/simple/goodpkg/", "index.example.invalid")


class ProxyFailed(OutsideError):
    """The proxy does not answer."""

    url: str
    """The address that was requested through it."""
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The proxy does not answer",
            body=(
                f"Fetching {self.url} through the proxy failed: {self.reason}.",
                (
                    "The proxy is set in HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or PIP_PROXY. pack passes "
                    "those of your machine to the build."
                ),
            ),
            fixes=(
                "Correct its address: in a build, 127.0.0.1 is the build container.",
                "If that server is reached without the proxy, add its host to NO_PROXY.",
                "If there is no proxy, remove these variables.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("https://index.example.org/simple/good/", "its name is not known")


class InsecureIndex(AppError):
    """pip does not use an index without encryption."""

    host: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The index on {self.host} is not encrypted",
            body=(
                f"Found:    an index on {self.host} whose address starts with http://.",
                "Expected: https://, since others on the network can change what http:// sends.",
            ),
            fixes=(
                "Use its https:// address, if it has one.",
                f"If you trust the network, set PIP_TRUSTED_HOST={self.host} for the build.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("index.example.org")


class UntrustedCertificate(OutsideError):
    """The build image does not trust the authority that signed a server's certificate."""

    url: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The certificate of a server is not trusted",
            body=(
                (
                    f"Found:    a certificate of {self.url} that the build image does not trust: "
                    f"{self.reason}."
                ),
                (
                    "Expected: an authority that the build trusts. A proxy that decrypts TLS has an "
                    "authority of its own."
                ),
            ),
            fixes=(
                _CA_BINDING,
                "Add the authority to the certificates of the build image.",
                "Set SSL_CERT_FILE to the path of a certificate bundle in the build image.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("https://index.example.org/simple/good/", "self-signed certificate")


class UrlNotFound(AppError):
    """The address that a requirement names does not exist."""

    url: str
    status: int

    @override
    def describe(self) -> Message:
        return Message(
            title="The address of a requirement does not exist",
            body=(f"{self.url} answered {self.status}.",),
            fixes=(
                "Correct the address in the app's files.",
                "Use name==version in its place.",
                "If the address is in a lock file, update the lock file.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("https://index.example.org/gone/good-1.0-py3-none-any.whl", 404)


def _refused(url: str, status: int) -> tuple[str, ...]:
    return (
        f"{url} answered {status}.",
        "The build has no login for it, or the login is wrong, expired or not allowed to read.",
        f"To test the login on your machine: curl -u USER:TOKEN {url.replace('****@', '')}",
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a part of an IPv6 address
        return ""
