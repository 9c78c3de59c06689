"""Indexes, hosts and repositories that do not answer as they should."""

from collections.abc import Mapping
from typing import Literal, override
from urllib.parse import urlsplit

from cnb_python.errors.base import AppError, Message, OutsideError

_UNAUTHORIZED = 401

# How each manager is told of one, for the index that its files name.
_LOGINS: Mapping[str, str] = {
    "Poetry": (
        "Give the build POETRY_HTTP_BASIC_<NAME>_USERNAME and POETRY_HTTP_BASIC_<NAME>_PASSWORD; "
        "NAME is that of [[tool.poetry.source]] in capitals, with _ for other signs."
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

_MOUNTED = 'Mount it: --volume "$PWD/DIR:/platform/bindings/DIR"'

_GIT_STEPS: Mapping[GitTrouble, tuple[str, ...]] = {
    "login": (
        "Give the build a token: write git+https://${TOKEN}@HOST/... and --env TOKEN=...",
        "Check that the token may read this repository, and has not expired.",
        (
            "Or give it the login as a service binding: a directory with the files type (netrc) "
            f"and .netrc. {_MOUNTED}"
        ),
        "By SSH it works only where the build has a key: https with a token is simpler.",
    ),
    "repository": (
        "Check the address: is the owner's and the repository's name spelt right?",
        (
            "A private one is said not to exist to whoever has no access: write "
            "git+https://${TOKEN}@HOST/... and give the build TOKEN."
        ),
    ),
    "revision": (
        "Check the branch, tag or commit behind the @: was it renamed, deleted or not pushed?",
        "A commit is found only where a branch or tag still leads to it.",
    ),
    "host": (
        "Check the address; builds reach the network as the machine does that runs them.",
        "If builds reach the network through a proxy, give them HTTPS_PROXY.",
    ),
    "certificate": (
        (
            "Give the build a service binding with the authority: a directory with the files "
            f"type (ca-certificates) and ca.pem. {_MOUNTED}"
        ),
        "Or give the build GIT_SSL_CAINFO, the path of a bundle inside the image.",
    ),
    "other": (
        "Check the address, and the branch, tag or commit behind the @.",
        (
            "If the repository is private, write git+https://${TOKEN}@HOST/... and give the "
            "build TOKEN."
        ),
        "If builds reach the network through a proxy, give them HTTPS_PROXY.",
    ),
}


type GitTrouble = Literal["login", "repository", "revision", "host", "certificate", "other"]


class GitFailed(OutsideError):
    """Git could not bring what a requirement names."""

    requirement: str
    trouble: GitTrouble
    problem: str
    """In Git's own words."""

    @override
    def describe(self) -> Message:
        return Message(
            title="A Git repository could not be fetched",
            body=(f"The app asks for {self.requirement}.", f"Git says: {self.problem}"),
            steps=_GIT_STEPS[self.trouble],
        )


class IndexRefused(OutsideError):
    """An index answered 401, 403 or 407."""

    url: str
    status: int

    @override
    def describe(self) -> Message:
        asked = "proxy" if self.status == 407 else "index"
        return Message(
            title=f"The package {asked} refused us with {self.status}",
            body=(
                f"{self.url} answered {self.status}: "
                + ("it wants credentials." if self.status in (401, 407) else "no access."),
                "No credentials reached it, or they are wrong, expired or not allowed to read.",
            ),
            steps=(
                (
                    "Give the build the index with its credentials: "
                    "--env PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/"
                ),
                (
                    "Or give it a service binding: a directory with the files type (pypi), url, "
                    f"username and password. {_MOUNTED}"
                ),
                (
                    "In requirements.txt write --index-url https://${USER}:${TOKEN}@HOST/simple/ and "
                    "give the build USER and TOKEN; percent-encode special characters."
                ),
                "Try them: curl -u USER:TOKEN " + self.url.replace("****@", ""),
            ),
        )


class SourceRefused(OutsideError):
    """An index to which a lock binds packages answered 401 or 403."""

    manager: str
    """Whose lock: `Poetry`."""
    url: str
    status: int

    @override
    def describe(self) -> Message:
        return Message(
            title=f"An index of the lock refused us with {self.status}",
            body=(
                f"{self.url} answered {self.status}: "
                + ("it wants credentials." if self.status == _UNAUTHORIZED else "no access."),
                "No credentials reached it, or they are wrong, expired or not allowed to read.",
            ),
            steps=(
                _LOGINS[self.manager],
                (
                    "Or give it a service binding: a directory with the files type (pypi), "
                    f"extra-index-url, username and password. {_MOUNTED}"
                ),
                "Try them: curl -u USER:TOKEN " + self.url.replace("****@", ""),
            ),
        )


class IndexUnreachable(OutsideError):
    """An index gave no usable answer."""

    url: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The package index does not answer",
            body=(f"Fetching {self.url} failed: {self.reason}.",),
            steps=(
                "Build again: such faults often pass.",
                "Check the address of the index (PIP_INDEX_URL, pip.conf, --index-url).",
                "If builds reach the network through a proxy, give them HTTPS_PROXY.",
            ),
        )


class UnknownHost(OutsideError):
    """The name of a server is not known where the build runs."""

    url: str
    host: str
    """Empty: that of the address."""

    @override
    def describe(self) -> Message:
        host = self.host or urlsplit(self.url).hostname or self.url
        return Message(
            title=f"There is no server named {host}",
            body=(
                f"Asking {self.url} failed: the name {host} is not known where the build runs.",
            ),
            steps=(
                "Check how it is spelt (PIP_INDEX_URL, pip.conf, --index-url, the lock file).",
                (
                    "A name that only your own network knows needs a build that runs in it: "
                    "pack build --network host, or the resolver of the machine that builds."
                ),
                "If builds reach the network through a proxy, give them HTTPS_PROXY.",
            ),
        )


class ProxyFailed(OutsideError):
    """The proxy through which the build reaches the network does not answer."""

    url: str
    """What was to be fetched."""
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The proxy does not answer",
            body=(
                f"{self.url} was to be asked through a proxy, which failed: {self.reason}.",
                "The proxy is what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or PIP_PROXY says.",
            ),
            steps=(
                "Check its address and port, as the build sees them: 127.0.0.1 is its own container.",
                "For a server that needs none, add its host to NO_PROXY.",
                "Without a proxy, remove these variables; pack hands on those of your machine.",
            ),
        )


class InsecureIndex(AppError):
    """An index without encryption that pip was not told to trust."""

    host: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The index on {self.host} is not encrypted, so it is not asked",
            body=(
                f"The address of the index on {self.host} begins with http://.",
                "What comes over such a connection can be changed by anyone on the way.",
            ),
            steps=(
                "Use its https:// address, if it has one.",
                f"Or trust it all the same: --env PIP_TRUSTED_HOST={self.host}",
            ),
        )


class UntrustedCertificate(OutsideError):
    """A server's certificate is signed by an authority that the build image does not trust."""

    url: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The certificate of a server is not trusted",
            body=(
                (
                    f"{self.url} shows a certificate that the build image does not trust: "
                    f"{self.reason}."
                ),
                "Behind a proxy that opens TLS, the proxy's authority must be known to the build.",
            ),
            steps=(
                (
                    "Give the build a service binding with the authority: a directory with the files "
                    f"type (ca-certificates) and ca.pem. {_MOUNTED}"
                ),
                (
                    "Or add the certificate to the build image's system store, or name a bundle "
                    "inside the image in SSL_CERT_FILE."
                ),
            ),
        )


class UrlNotFound(AppError):
    """A requirement names an address that does not exist."""

    url: str
    status: int

    @override
    def describe(self) -> Message:
        return Message(
            title="A requirement's address does not exist",
            body=(f"{self.url} answered {self.status}.",),
            steps=(
                "Correct the address where the app names it, or use name==version instead.",
                "If an index or a lock file names it, that is out of date: write the lock anew.",
            ),
        )
