"""The words for servers that do not give what they are asked for."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from cnb_python.errors.network import (
    GitFailed,
    GitTrouble,
    IndexRefused,
    IndexUnreachable,
    InsecureIndex,
    ProxyFailed,
    SourceRefused,
    UnknownHost,
    UntrustedCertificate,
    UrlNotFound,
)
from cnb_python.wording.message import Message

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


def index_refused(failure: IndexRefused) -> Message:
    """401, 403, 407."""
    asked = "proxy" if failure.status == 407 else "index"
    return Message(
        title=f"The package {asked} refused us with {failure.status}",
        body=(
            f"{failure.url} answered {failure.status}: "
            + ("it wants credentials." if failure.status in (401, 407) else "no access."),
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
            "Try them: curl -u USER:TOKEN " + failure.url.replace("****@", ""),
        ),
    )


def source_refused(failure: SourceRefused) -> Message:
    """The ways in which the lock's own tool is told of a login, which count here too."""
    return Message(
        title=f"An index of the lock refused us with {failure.status}",
        body=(
            f"{failure.url} answered {failure.status}: "
            + ("it wants credentials." if failure.status == _UNAUTHORIZED else "no access."),
            "No credentials reached it, or they are wrong, expired or not allowed to read.",
        ),
        steps=(
            _LOGINS[failure.manager],
            (
                "Or give it a service binding: a directory with the files type (pypi), "
                f"extra-index-url, username and password. {_MOUNTED}"
            ),
            "Try them: curl -u USER:TOKEN " + failure.url.replace("****@", ""),
        ),
    )


def index_unreachable(failure: IndexUnreachable) -> Message:
    """No answer, or none that helps."""
    return Message(
        title="The package index does not answer",
        body=(f"Fetching {failure.url} failed: {failure.reason}.",),
        steps=(
            "Build again: such faults often pass.",
            "Check the address of the index (PIP_INDEX_URL, pip.conf, --index-url).",
            "If builds reach the network through a proxy, give them HTTPS_PROXY.",
        ),
    )


def unknown_host(failure: UnknownHost) -> Message:
    """DNS."""
    host = failure.host or urlsplit(failure.url).hostname or failure.url
    return Message(
        title=f"There is no server named {host}",
        body=(f"Asking {failure.url} failed: the name {host} is not known where the build runs.",),
        steps=(
            "Check how it is spelt (PIP_INDEX_URL, pip.conf, --index-url, the lock file).",
            (
                "A name that only your own network knows needs a build that runs in it: "
                "pack build --network host, or the resolver of the machine that builds."
            ),
            "If builds reach the network through a proxy, give them HTTPS_PROXY.",
        ),
    )


def proxy_failed(failure: ProxyFailed) -> Message:
    """Between us and the network."""
    return Message(
        title="The proxy does not answer",
        body=(
            f"{failure.url} was to be asked through a proxy, which failed: {failure.reason}.",
            "The proxy is what HTTPS_PROXY, HTTP_PROXY, ALL_PROXY or PIP_PROXY says.",
        ),
        steps=(
            "Check its address and port, as the build sees them: 127.0.0.1 is its own container.",
            "For a server that needs none, add its host to NO_PROXY.",
            "Without a proxy, remove these variables; pack hands on those of your machine.",
        ),
    )


def insecure_index(failure: InsecureIndex) -> Message:
    """An address that begins with http://."""
    return Message(
        title=f"The index on {failure.host} is not encrypted, so it is not asked",
        body=(
            f"The address of the index on {failure.host} begins with http://.",
            "What comes over such a connection can be changed by anyone on the way.",
        ),
        steps=(
            "Use its https:// address, if it has one.",
            f"Or trust it all the same: --env PIP_TRUSTED_HOST={failure.host}",
        ),
    )


def untrusted_certificate(failure: UntrustedCertificate) -> Message:
    """A corporate proxy, most often."""
    return Message(
        title="The certificate of a server is not trusted",
        body=(
            (
                f"{failure.url} shows a certificate that the build image does not trust: "
                f"{failure.reason}."
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


def git_failed(failure: GitFailed) -> Message:
    """A repository that does not answer, refuses, or lacks the branch."""
    return Message(
        title="A Git repository could not be fetched",
        body=(f"The app asks for {failure.requirement}.", f"Git says: {failure.problem}"),
        steps=_GIT_STEPS[failure.trouble],
    )


def url_not_found(failure: UrlNotFound) -> Message:
    """A requirement by address."""
    return Message(
        title="A requirement's address does not exist",
        body=(f"{failure.url} answered {failure.status}.",),
        steps=(
            "Correct the address where the app names it, or use name==version instead.",
            "If an index or a lock file names it, that is out of date: write the lock anew.",
        ),
    )
