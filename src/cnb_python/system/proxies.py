"""Which proxy a request takes, by the variables that curl, pip and the rest understand. Pure."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy for *url*, None for a direct connection.

    HTTP_PROXY or HTTPS_PROXY by the scheme, then ALL_PROXY, unless NO_PROXY names the host; small
    letters win, as in curl. https://everything.curl.dev/usingcurl/proxies/env.html
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
    """Whether one *entry* of NO_PROXY names *host*: itself, its domain, its network, or all."""
    if entry == "*":
        return True
    if _in_network(entry, host):
        return True
    name, _, wanted = entry.lower().partition(":")
    if wanted and wanted != str(port):
        return False
    domain = name.removeprefix("*").removeprefix(".")
    return host == domain or host.endswith(f".{domain}")


def _in_network(entry: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return False
