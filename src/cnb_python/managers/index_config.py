"""What pip's settings say of the network, in uv's words; nothing else that they say is alike."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.pip.config import read_pip_settings
from cnb_python.managers.pip.requirements_txt import is_index

_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")


def told(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* with what pip would be told of indexes; uv's own settings are stronger."""
    if any(environ.get(name) for name in _INDEXES):
        return dict(environ)
    return {**dict(_translated(read_pip_settings(environ).options)), **environ}


def _translated(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if index := options.get("index-url"):
        yield "UV_DEFAULT_INDEX", index
    if more := options.get("extra-index-url", "").split():
        # pip takes the best of all indexes, and who wrote this counts on it.
        yield from (("UV_INDEX", " ".join(more)), ("UV_INDEX_STRATEGY", "unsafe-best-match"))
    if links := options.get("find-links", "").split():
        yield "UV_FIND_LINKS", ",".join(links)
    if (bundle := options.get("cert")) and Path(bundle).is_file():
        yield "SSL_CERT_FILE", bundle
    if hosts := options.get("trusted-host"):
        yield "UV_INSECURE_HOST", " ".join(hosts.split())


# They change nothing about what is installed here: bytecode and caches are ours, the rest is talk.
_WITHOUT_EFFECT = frozenset(
    {
        *("break-system-packages", "cache-dir", "compile", "debug", "disable-pip-version-check"),
        *("exists-action", "log", "log-file", "local-log", "no-cache-dir", "no-color"),
        *("no-compile", "no-input", "no-python-version-warning", "no-warn-conflicts"),
        *("no-warn-script-location", "progress-bar", "quiet", "report", "require-virtualenv"),
        *("require-venv", "root-user-action", "verbose"),
    }
)
_OF_THE_NETWORK = frozenset(
    {
        *("cert", "client-cert", "default-timeout", "index-url", "proxy", "pypi-url", "retries"),
        *("timeout", "trusted-host"),
    }
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# What the library that pip uses reads when pip itself is told nothing.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Network(NamedTuple):
    """How uv is to reach the one index that pip would ask."""

    index_url: str
    """Empty: the usual one."""
    variables: Mapping[str, str]
    """For uv. An empty value: the variable must not reach it."""


def network_of(
    options: Mapping[str, str], environ: Mapping[str, str], index_url: str
) -> Network | NeedsResolving:
    """Return how uv reaches what pip would with *options* and *environ*.

    *index_url* is what the app's file says, which is stronger. Undecided where uv cannot do the
    same.
    """
    others = sorted(options.keys() - _WITHOUT_EFFECT - _OF_THE_NETWORK)
    if others:
        return NeedsResolving(f"pip is configured with {' and '.join(others)}")
    index = index_url or options.get("index-url", "") or options.get("pypi-url", "")
    trusted = tuple(options.get("trusted-host", "").split())
    if index and not (is_index(index) and _is_allowed(index, trusted)):
        return NeedsResolving("the index is one that pip alone judges")
    try:
        found = dict(_variables(options, environ))
    except ValueError, OverflowError:
        return NeedsResolving("pip is configured with something that is no number")
    certificates = found.get("SSL_CERT_FILE") or found.get("SSL_CERT_DIR")
    if certificates and not Path(certificates).exists():
        return NeedsResolving(
            f"there is nothing at {certificates}, where pip looks for certificates"
        )
    return Network(index, found)


def way_of_pip(options: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables that have others take pip's way, as far as they can.

    *options* are pip's own. For what pip reads by itself and so do we.
    """
    try:
        return dict(_variables(options, environ))
    except ValueError, OverflowError:
        return {}  # pip says what is no number


def _variables(
    options: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    bundle = options.get("cert") or next(filter(None, map(environ.get, _BUNDLES)), "")
    if bundle:
        is_directory = Path(bundle).is_dir()
        yield "SSL_CERT_DIR" if is_directory else "SSL_CERT_FILE", bundle
        yield "SSL_CERT_FILE" if is_directory else "SSL_CERT_DIR", ""
    # For both one file with certificate and key; what pip is not told of, uv does not show either.
    client = options.get("client-cert", "")
    if client or environ.get("SSL_CLIENT_CERT"):
        yield "SSL_CLIENT_CERT", client
    if proxy := options.get("proxy"):
        # pip asks the environment for nothing then, not even for exceptions.
        for name in _PROXIES:
            yield from ((name, ""), (name.lower(), ""))
        yield from (("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy))
    if timeout := options.get("timeout") or options.get("default-timeout"):
        yield "UV_HTTP_TIMEOUT", str(max(1, ceil(float(timeout))))
    if retries := options.get("retries"):
        yield "UV_HTTP_RETRIES", str(max(0, int(retries)))
    if hosts := options.get("trusted-host"):
        yield "UV_INSECURE_HOST", " ".join(hosts.split())


def _is_allowed(index: str, trusted: tuple[str, ...]) -> bool:
    """Whether pip asks *index*: one without encryption only where its host is trusted or local."""
    address = urlsplit(index)
    host = address.hostname or ""
    return (
        address.scheme == "https"
        or host == "localhost"
        or _is_loopback(host)
        or bool({host, address.netloc.rpartition("@")[2]} & set(trusted))
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
