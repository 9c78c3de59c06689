"""Which certificates Poetry's settings name for the sources of an app, in uv's variables.

https://python-poetry.org/docs/configuration/#certificatesnamecert
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.managers.base import Workplace
from cnb_python.system.certificates import bundle_with

_CERTIFICATE = re.compile(r"POETRY_CERTIFICATES_(\w+?)_(CLIENT_CERT|CERT)")


def trusting(place: Workplace) -> dict[str, str]:
    """Return what has uv trust, and show, those of all sources. Raises UnreadableToml."""
    said = tuple(_certificates(place))
    files = [place.app_dir / one.value for one in said if one.kind == "cert" and one.value]
    clients = [place.app_dir / one.value for one in said if one.kind == "client-cert"]
    refused = {one.name for one in said if one.kind == "cert" and not one.value}
    found = {}
    if files:
        bundle = place.scratch / "poetry.certificates.pem"
        bundle.write_text(bundle_with((), files, place.environ), encoding="utf-8")
        found["SSL_CERT_FILE"] = str(bundle)
    if clients and not place.environ.get("SSL_CLIENT_CERT"):
        found["SSL_CLIENT_CERT"] = str(clients[0])
    if hosts := [host for name, host in _hosts(place) if _variable(name) in refused]:
        found["UV_INSECURE_HOST"] = " ".join(hosts)
    return found


class _Certificate(NamedTuple):
    name: str
    """Of the source, as variables have it."""
    kind: str
    value: str
    """A path; empty: nobody is to be asked for any."""


def _certificates(place: Workplace) -> Iterator[_Certificate]:
    """Yield what variables say, then what the app's own settings say besides."""
    seen = set()
    for name, value in sorted(place.environ.items()):
        if value and (found := _CERTIFICATE.fullmatch(name)):
            kind = found[2].lower().replace("_", "-")
            seen.add((found[1], kind))
            yield _Certificate(found[1], kind, "" if value.lower() == "false" else value)
    for name, said in _settings(place.app_dir).items():
        table = said if isinstance(said, dict) else {}
        for kind in ("cert", "client-cert"):
            if kind in table and (_variable(name), kind) not in seen:
                path = table[kind]
                yield _Certificate(_variable(name), kind, path if isinstance(path, str) else "")


def _settings(directory: Path) -> TomlTable:
    file = directory / "poetry.toml"
    return toml.table_at(toml.read(file), "certificates") if file.is_file() else {}


def _hosts(place: Workplace) -> Iterator[tuple[str, str]]:
    """Yield name and host of each source of the app."""
    tools = toml.table_at(toml.read(place.app_dir / "pyproject.toml"), "tool")
    for source in toml.tables_at(toml.table_at(tools, "poetry"), "source"):
        if host := urlsplit(str(source.get("url", ""))).netloc.rpartition("@")[2]:
            yield str(source.get("name", "")), host


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
