"""Translates pip's settings for indexes, proxies and certificates to uv's variables.

pip's settings are variables (`PIP_INDEX_URL`), files (`pip.conf`) and lines of requirements files.
Every module that runs uv for an app gets the variables for it here.
https://docs.astral.sh/uv/reference/environment/
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from math import ceil
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import urlsplit

from cnb_python.managers.base import NeedsResolving
from cnb_python.managers.requirement_lines import option_of
from cnb_python.managers.tool_settings import read_pip_settings

# uv's settings of which index to ask: with one of them, those of pip do not count.
_UV_INDEXES = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"),
)
# uv's settings of where to look, but not of what to take or where to put it.
_UV_NETWORK = re.compile(
    r"UV_(DEFAULT_INDEX|INDEX|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|OFFLINE|INSECURE_HOST"
    r"|KEYRING_PROVIDER|NATIVE_TLS|SYSTEM_CERTS|HTTP_\w+|INDEX_\w+_(USERNAME|PASSWORD))"
)
# Variables for the user's own use of uv, pip and conda; those that count are translated.
_FOREIGN = ("UV_", "PIP_", "CONDA_")
# pip's network options, each with the same meaning for uv.
_PIP_NETWORK = frozenset(
    {
        *("cert", "client-cert", "default-timeout", "index-url", "proxy", "pypi-url", "retries"),
        *("timeout", "trusted-host"),
    }
)
# pip's options without effect on what is installed: bytecode and caches are the buildpack's own.
_WITHOUT_EFFECT = frozenset(
    {
        *("break-system-packages", "cache-dir", "compile", "debug", "disable-pip-version-check"),
        *("exists-action", "log", "log-file", "local-log", "no-cache-dir", "no-color"),
        *("no-compile", "no-input", "no-python-version-warning", "no-warn-conflicts"),
        *("no-warn-script-location", "progress-bar", "quiet", "report", "require-virtualenv"),
        *("require-venv", "root-user-action", "verbose"),
    }
)
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# What pip's HTTP library reads where pip itself has no setting.
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


class Network(NamedTuple):
    """How uv reaches the single index that pip would ask."""

    index_url: str
    """Empty: PyPI."""
    variables: Mapping[str, str]
    """For uv. An empty value: the variable must not reach it."""


NO_NETWORK = Network("", MappingProxyType({}))


def with_pip_indexes(environ: Mapping[str, str]) -> dict[str, str]:
    """Return *environ* with pip's settings of indexes as uv's, for a uv that resolves.

    uv's own settings of indexes replace those of pip.
    """
    if any(environ.get(name) for name in _UV_INDEXES):
        return dict(environ)
    options = read_pip_settings(environ).options
    translated = dict(_further_sources(options))
    if index := options.get("index-url"):
        translated["UV_DEFAULT_INDEX"] = index
    if "UV_INDEX" in translated:
        # pip takes the best release of all indexes.
        translated["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if (bundle := options.get("cert")) and Path(bundle).is_file():
        translated["SSL_CERT_FILE"] = bundle
    return {**translated, **dict(_trusted_hosts(options)), **environ}


def index_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of *environ* for a uv that installs exact releases.

    uv's own settings of indexes are stronger than pip's. With hashes for everything it does not
    matter which index has a file, so all of them are asked.
    """
    own = {name: value for name, value in environ.items() if value and _UV_NETWORK.fullmatch(name)}
    options = read_pip_settings(environ).options
    chosen = {name: options[name] for name in _PIP_NETWORK.intersection(options)}
    network = network_of(chosen, environ, "")
    usable = network if isinstance(network, Network) else NO_NETWORK
    return {**clean_variables(environ, usable), **dict(_further_sources(options)), **own}


def exported_index_variables(lines: Iterable[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Return `index_variables` with the indexes that *lines* of an export name, logins included.

    The default index of an export is stronger than that of the user; an export names none if it is
    PyPI.
    """
    variables = index_variables(environ)
    for line in lines:
        match option_of(line):
            case "index-url", address:
                variables["UV_DEFAULT_INDEX"] = address
            case "extra-index-url", address:
                variables["UV_INDEX"] = f"{variables.get('UV_INDEX', '')} {address}".strip()
            case "find-links", page:
                links = f"{variables.get('UV_FIND_LINKS', '')},{page}".strip(",")
                variables["UV_FIND_LINKS"] = links
            case "trusted-host", host:
                hosts = f"{variables.get('UV_INSECURE_HOST', '')} {host}".strip()
                variables["UV_INSECURE_HOST"] = hosts
            case _:
                pass
    return variables


def network_of(
    options: Mapping[str, str], environ: Mapping[str, str], index_url: str
) -> Network | NeedsResolving:
    """Return how uv reaches what pip would reach with *options* and *environ*.

    *index_url* is that of the app's requirements file, which is stronger than *options*.
    NeedsResolving where uv cannot do the same.
    """
    untranslated = sorted(options.keys() - _WITHOUT_EFFECT - _PIP_NETWORK)
    if untranslated:
        return NeedsResolving(f"pip is configured with {' and '.join(untranslated)}")
    index = index_url or options.get("index-url", "") or options.get("pypi-url", "")
    trusted = tuple(options.get("trusted-host", "").split())
    if index and not (is_index(index) and _is_allowed(index, trusted)):
        return NeedsResolving("only pip can use the index")
    try:
        variables = dict(_network_variables(options, environ))
    except ValueError, OverflowError:
        return NeedsResolving("pip is configured with a value that is not a number")
    certificates = variables.get("SSL_CERT_FILE") or variables.get("SSL_CERT_DIR")
    if certificates and not Path(certificates).exists():
        return NeedsResolving(
            f"pip looks for certificates at {certificates}, which does not exist"
        )
    return Network(index, variables)


def network_variables(options: Mapping[str, str], environ: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables with which another HTTP client reaches servers as pip does.

    *options* are pip's. Empty where one of them is not the number that it has to be: pip reports
    that.
    """
    try:
        return dict(_network_variables(options, environ))
    except ValueError, OverflowError:
        return {}


def clean_variables(environ: Mapping[str, str], network: Network) -> dict[str, str]:
    """Return *environ* for uv: nothing that uv reads by itself, everything that pip reads."""
    kept = {name: value for name, value in environ.items() if not name.startswith(_FOREIGN)}
    # By a variable: every process of the machine can see arguments.
    index = {"UV_DEFAULT_INDEX": network.index_url} if network.index_url else {}
    variables = kept | index | dict(network.variables)
    return {name: value for name, value in variables.items() if value}


def is_index(url: str) -> bool:
    """Whether *url* is the address of an index on the web, not of a directory."""
    try:
        address = urlsplit(url)
        return address.scheme in {"http", "https"} and bool(address.hostname)
    except ValueError:
        return False


def _further_sources(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if indexes := options.get("extra-index-url", "").split():
        yield "UV_INDEX", " ".join(indexes)
    if links := options.get("find-links", "").split():
        yield "UV_FIND_LINKS", ",".join(links)


def _trusted_hosts(options: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if hosts := options.get("trusted-host"):
        yield "UV_INSECURE_HOST", " ".join(hosts.split())


def _network_variables(
    options: Mapping[str, str], environ: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield uv's variables. Raises ValueError or OverflowError for what is not a number."""
    bundle = options.get("cert") or next(filter(None, map(environ.get, _BUNDLES)), "")
    if bundle:
        is_directory = Path(bundle).is_dir()
        yield "SSL_CERT_DIR" if is_directory else "SSL_CERT_FILE", bundle
        yield "SSL_CERT_FILE" if is_directory else "SSL_CERT_DIR", ""
    # Both take one file with certificate and key. Without pip's option uv shows none either.
    client = options.get("client-cert", "")
    if client or environ.get("SSL_CLIENT_CERT"):
        yield "SSL_CLIENT_CERT", client
    if proxy := options.get("proxy"):
        # pip then ignores the environment, even its exceptions.
        for name in _PROXIES:
            yield from ((name, ""), (name.lower(), ""))
        yield from (("HTTP_PROXY", proxy), ("HTTPS_PROXY", proxy))
    if timeout := options.get("timeout") or options.get("default-timeout"):
        yield "UV_HTTP_TIMEOUT", str(max(1, ceil(float(timeout))))
    if retries := options.get("retries"):
        yield "UV_HTTP_RETRIES", str(max(0, int(retries)))
    yield from _trusted_hosts(options)


def _is_allowed(index: str, trusted: tuple[str, ...]) -> bool:
    """Whether pip asks *index*: without encryption only a trusted or local host."""
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
