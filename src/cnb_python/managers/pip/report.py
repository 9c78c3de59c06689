"""Reads what pip decided: the report of `pip install`, dry or not.

https://pip.pypa.io/en/stable/reference/installation-report/
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cnb_python.errors.bugs import ContractBroken
from cnb_python.managers.pip.pinned import digest
from cnb_python.managers.pip.source_lines import OwnLines, build_options
from cnb_python.managers.resolution import Decision, Pin
from cnb_python.system.addresses import shown

PIP = "pip"
_DOCUMENT = "the report of pip install"

type Item = Mapping[str, Any]
"""One distribution of a report, as JSON has it."""


def decision_of(report: str, own: OwnLines) -> Decision:
    """Return everything that *report* says is in the environment.

    Raises ContractBroken for what is no report of the form that we know.
    """
    try:
        found = json.loads(report)
        if found["version"] != "1":
            raise ContractBroken(_DOCUMENT, f"it is of version {found['version']}")
        pins = sorted(_pin(item, own) for item in found["install"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ContractBroken(_DOCUMENT, repr(error)) from error
    return Decision(tuple(pins), pure=False, by=PIP)


def _pin(item: Item, own: OwnLines) -> Pin:
    name = canonicalize_name(item["metadata"]["name"])
    version = _normalised(item["metadata"]["version"])
    extras = tuple(sorted(canonicalize_name(extra) for extra in item.get("requested_extras", ())))
    if item["is_direct"]:
        origin, line, keeps = _direct(name, item["download_info"], own)
    else:
        origin, line, keeps = _of_an_index(name, version, item["download_info"], own)
    return Pin(name, version, origin, line, keeps, extras)


def _of_an_index(name: str, version: str, download: Item, own: OwnLines) -> tuple[str, str, bool]:
    sha256 = _sha256(download)
    options = own.building.get(name, "")
    words = (f"{name}=={version}", f"--hash=sha256:{sha256}" if sha256 else "", options)
    origin = digest((sha256 or shown(download["url"]), options))
    return origin, " ".join(filter(None, words)), bool(sha256)


def _direct(name: str, download: Item, own: OwnLines) -> tuple[str, str, bool]:
    """Return origin, line and whether the contents are certain of what an address names."""
    url, below = download["url"], download.get("subdirectory", "")
    own_line = own.line_of(name, url)
    fragment = f"#subdirectory={below}" if below else ""
    if (directory := download.get("dir_info")) is not None:
        line = f"-e {url}{fragment}" if directory.get("editable") else f"{name} @ {url}{fragment}"
        return digest((shown(url), below)), own_line or line, False
    if (source := download.get("vcs_info")) is not None:
        commit = source["commit_id"]
        known = (commit, source.get("requested_revision", ""), shown(url), below)
        line = f"{name} @ {source['vcs']}+{url}@{commit}{fragment}"
        return digest((*known, own_line)), own_line or line, True
    sha256 = _sha256(download)
    line = f"{name} @ {url}{fragment}" + (f" --hash=sha256:{sha256}" if sha256 else "")
    origin = digest((sha256, shown(url), below, build_options(own_line)))
    return origin, own_line or line, bool(sha256)


def _sha256(download: Item) -> str:
    found = download["archive_info"].get("hashes", {}).get("sha256", "")
    if found and not re.fullmatch(r"[0-9a-f]{64}", found):
        raise ValueError(found)
    return str(found)


def _normalised(version: str) -> str:
    try:
        return str(Version(version))
    except InvalidVersion:
        return version
