"""Has pip or uv decide and install what a `requirements.txt` asks for; explains what fails."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from cnb_python.config.settings import UV
from cnb_python.errors.base import BuildpackError, ContractBroken
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.managers import pip_settings, pylock_file, requirement_lines
from cnb_python.managers.base import InstallContext, Pin, Resolution, digest
from cnb_python.managers.index_config import Network, network_variables
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.managers.pip import errors as pip_errors
from cnb_python.managers.source_lines import OwnLines, build_options, read_own_lines
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Download, Outcome, Run
from cnb_python.system.redaction import shown

PIP = "pip"
_DOCUMENT = "the report of pip install"

type Item = Mapping[str, Any]
"""One distribution of a report, as JSON has it."""


def read_report(report: str, own: OwnLines) -> Resolution:
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
    return Resolution(tuple(pins), from_files_alone=False, by=PIP)


def _pin(item: Item, own: OwnLines) -> Pin:
    name = canonicalize_name(item["metadata"]["name"])
    version = _normalised(item["metadata"]["version"])
    extras = tuple(sorted(canonicalize_name(extra) for extra in item.get("requested_extras", ())))
    if item["is_direct"]:
        origin, line, is_cacheable = _direct(name, item["download_info"], own)
    else:
        origin, line, is_cacheable = _of_an_index(name, version, item["download_info"], own)
    return Pin(name, version, origin, line, is_cacheable, extras)


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


type Files = Sequence[str]
"""Requirements files that are read together, relative to the app."""


def try_exactly(
    pins: Sequence[Pin], network: Network, processor: str, place: InstallContext, run: Run
) -> str:
    """Have uv install *pins*; return why it did not, or nothing. Raises DiskFull or Killed."""
    try:
        outcome = run(uv.install_exactly(pins, network, place))
    except ProgramNotStarted as error:
        return f"uv does not start here: {error.reason}"
    if outcome.code:
        return uv.refusal(outcome)
    return uv.pips_own_choice(place, network, processor)


def install_exactly(
    pins: Sequence[Pin], network: Network, place: InstallContext, run: Run
) -> None:
    """Have uv install *pins* of an exact file. Raises what it says went wrong."""
    _uv(uv.install_exactly(pins, network, place), place, run)


def resolve_and_install(
    files: Files, place: InstallContext, run: Run, *, by_uv: bool
) -> Resolution:
    """Decide and install in one go. Raises what pip, or uv, says went wrong."""
    if not by_uv:
        return _pip_decides(pip_commands.resolve_and_install, files, place, run)
    decision = resolve(files, place, run, by_uv=True)
    if decision.pins:
        install_decided(files, decision, decision.pins, place, run)
    return decision


def resolve(files: Files, place: InstallContext, run: Run, *, by_uv: bool) -> Resolution:
    """Decide without installing. Raises what pip, or uv, says went wrong."""
    if not by_uv:
        return _pip_decides(pip_commands.resolve, files, place, run)
    lock = place.scratch / "pylock.toml"
    _uv(uv.compile_all(files, lock, place), place, run)
    return pylock_file.read_compiled(lock, _own_lines(files, place))


def install_decided(
    files: Files, decision: Resolution, pins: Sequence[Pin], place: InstallContext, run: Run
) -> None:
    """Install exactly *pins* of *decision*. Raises what the tool says went wrong."""
    finding = _own_lines(files, place).finding
    if decision.by == UV:
        _uv(uv.install_compiled(pins, finding, place), place, run)
        return
    for command in pip_commands.install_exactly(pins, finding, place):
        _pip(files, command, place, run)


def explain(
    files: Files, command: Command, outcome: Outcome, place: InstallContext, run: Run
) -> BuildpackError:
    """Say why pip failed. Asks it again where its first answer does not tell."""

    def finding() -> tuple[str, ...]:
        return _own_lines(files, place).finding

    return pip_errors.explain(command, outcome, finding, place, run)


def _pip_decides(
    make: Callable[[Files, InstallContext, Path], Command],
    files: Files,
    place: InstallContext,
    run: Run,
) -> Resolution:
    report = place.scratch / "report.json"
    _pip(files, make(files, place, report), place, run)
    own_lines = _own_lines(files, place)
    return read_report(report.read_text(encoding="utf-8"), own_lines)


def _pip(files: Files, command: Command, place: InstallContext, run: Run) -> None:
    outcome = run(command)
    if outcome.code:
        raise explain(files, command, outcome, place, run)


def _uv(command: Command, place: InstallContext, run: Run) -> None:
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, place)


def _own_lines(files: Files, place: InstallContext) -> OwnLines:
    paths = [place.app_dir / name for name in files]
    return read_own_lines(paths, place.app_dir, place.environ, partial(_at_address, place))


def _at_address(place: InstallContext, address: str) -> str:
    """Return the file of requirements at *address*, or nothing: pip has read it, and said so."""
    file = place.scratch / "included.txt"
    try:
        if place.fetch:
            options = pip_settings.read_pip_settings(place.environ).options
            way = network_variables(options, place.environ)
            place.fetch(Download(address, "", shown(address), way), file)
        return requirement_lines.decode(file.read_bytes(), "replace")
    except OSError, LookupError, BuildpackError:
        return ""
    finally:
        file.unlink(missing_ok=True)
