"""How connections are made: certificates, proxies and headers. Loads no HTTP client."""

import os
import ssl
from collections.abc import Iterable, Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from cnb_python.system.certificates import BUNDLES, certifi_bundle, system_bundle

# `identity`: the hash is that of the file on the server, without a transfer encoding.
HEADERS = {"Accept-Encoding": "identity", "User-Agent": "cnb-python"}
_DEFAULT_PORTS = {"http": 80, "https": 443}


def tls_context(
    environ: Mapping[str, str], candidates: Iterable[Path] = BUNDLES
) -> ssl.SSLContext:
    """Return a context that trusts SSL_CERT_FILE, else the system's bundle, else certifi's.

    It also trusts SSL_CERT_DIR (directories, separated by colons). SSL_CLIENT_CERT, one file with
    a certificate and its key as for uv, is sent to servers that request it. Raises OSError, also
    as ssl.SSLError, if a file that the user chose cannot be read.
    """
    chosen = environ.get("SSL_CERT_FILE")
    bundle = Path(chosen) if chosen else system_bundle(candidates)
    context = ssl.create_default_context(cafile=bundle or certifi_bundle())
    # Companies' authorities often lack an extension that Python requires since 3.13; pip and uv do
    # not require it: https://docs.python.org/3/whatsnew/3.13.html#ssl
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    for directory in environ.get("SSL_CERT_DIR", "").split(os.pathsep):
        if directory:
            context.load_verify_locations(capath=directory)
    if client := environ.get("SSL_CLIENT_CERT"):
        context.load_cert_chain(client)
    return context


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the URL of the proxy for *url*, None for a direct connection.

    HTTP_PROXY or HTTPS_PROXY by the scheme, then ALL_PROXY, unless NO_PROXY names the host. Lower
    case wins, as in curl. https://everything.curl.dev/usingcurl/proxies/env.html
    """
    address = urlsplit(url)
    proxy = _either(environ, f"{address.scheme}_proxy") or _either(environ, "all_proxy")
    if not proxy or _is_direct(address.hostname or "", _port(url), environ):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _either(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _port(url: str) -> int | None:
    address = urlsplit(url)
    return address.port or _DEFAULT_PORTS.get(address.scheme)


def _is_direct(host: str, port: int | None, environ: Mapping[str, str]) -> bool:
    entries = (entry.strip() for entry in _either(environ, "no_proxy").split(","))
    return any(_names(entry, host.lower(), port) for entry in entries if entry)


def _names(entry: str, host: str, port: int | None) -> bool:
    """Whether *entry* of NO_PROXY names *host*: itself, its domain, its network, or all hosts."""
    if entry == "*":
        return True
    if _in_network(entry, host):
        return True
    name, _, entry_port = entry.lower().partition(":")
    if entry_port and entry_port != str(port):
        return False
    domain = name.removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")


def _in_network(entry: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False
