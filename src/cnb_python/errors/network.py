"""Indexes, hosts and repositories that do not answer as they should."""

from typing import Literal

from cnb_python.errors.kinds import AppError, OutsideError

type GitTrouble = Literal["login", "repository", "revision", "host", "certificate", "other"]


class GitFailed(OutsideError):
    """Git could not bring what a requirement names."""

    requirement: str
    trouble: GitTrouble
    problem: str
    """In Git's own words."""


class IndexRefused(OutsideError):
    """An index answered 401, 403 or 407."""

    url: str
    status: int


class SourceRefused(OutsideError):
    """An index to which a lock binds packages answered 401 or 403."""

    manager: str
    """Whose lock: `Poetry`."""
    url: str
    status: int


class IndexUnreachable(OutsideError):
    """An index gave no usable answer."""

    url: str
    reason: str


class UnknownHost(OutsideError):
    """The name of a server is not known where the build runs."""

    url: str
    host: str
    """Empty: that of the address."""


class ProxyFailed(OutsideError):
    """The proxy through which the build reaches the network does not answer."""

    url: str
    """What was to be fetched."""
    reason: str


class InsecureIndex(AppError):
    """An index without encryption that pip was not told to trust."""

    host: str


class UntrustedCertificate(OutsideError):
    """A server's certificate is signed by an authority that the build image does not trust."""

    url: str
    reason: str


class UrlNotFound(AppError):
    """A requirement names an address that does not exist."""

    url: str
    status: int


type NetworkFailure = (
    GitFailed
    | IndexRefused
    | SourceRefused
    | IndexUnreachable
    | UnknownHost
    | ProxyFailed
    | InsecureIndex
    | UntrustedCertificate
    | UrlNotFound
)
