"""Has pip or uv resolve and install requirements files, and reads what pip resolved.

https://pip.pypa.io/en/stable/reference/installation-report/
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import Version

from cnb_python.config.settings import PIP, UV
from cnb_python.errors.base import BuildpackError, ContractBroken
from cnb_python.errors.locks import UnsetVariable
from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.managers import from_source, pylock_file, requirement_lines
from cnb_python.managers.base import InstallContext, Pin, PinsRefused, Resolution, digest
from cnb_python.managers.index_config import Network, check_pip_addresses, network_variables
from cnb_python.managers.pip import commands as pip_commands
from cnb_python.managers.pip import errors as pip_errors
from cnb_python.managers.pip import excepted
from cnb_python.managers.requirement_lines import VARIABLE, option_of, read_lines, split_marker
from cnb_python.managers.source_lines import OwnLines, build_options, read_own_lines
from cnb_python.managers.tool_settings import read_pip_settings
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv.build_needs import with_needs
from cnb_python.managers.uv.required_version import with_required_uv
from cnb_python.system import json_text, regular_file
from cnb_python.system.interface import Command, Download, Outcome, Run
from cnb_python.system.redaction import shown

_NOT_STARTED = "uv does not start here: {}"
_DOCUMENT = "the report of pip install"

type Files = Sequence[str]
"""Requirements files that are read together, relative to the app."""
type Item = Mapping[str, Any]
"""One distribution of a report, as JSON has it."""


def install_pinned(
    pins: Sequence[Pin], network: Network, processor: str, context: InstallContext, run: Run
) -> frozenset[str]:
    """Have uv install *pins* of fully pinned files; return the names of those to be built.

    Raises DiskFull or Killed, and PinsRefused if that fails or may differ from pip's installation.
    """

    def command_for(chosen: Sequence[Pin]) -> Command:
        return uv.install_exactly(chosen, network, context)

    def run_or_refuse(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        outcome = run(command, on_line)
        if outcome.code and (context.builds or not uv.without_wheel(pins, outcome)):
            raise PinsRefused(uv.refusal(outcome))
        return outcome

    try:
        unbuilt = uv.install_with(pins, command_for, context, run_or_refuse)
    except ProgramNotStarted as error:
        raise PinsRefused(_NOT_STARTED.format(error.reason)) from error
    if reason := uv.preferred_by_pip(context, network, processor):
        raise PinsRefused(reason)
    return unbuilt


def resolve(files: Files, context: InstallContext, run: Run, *, by_uv: bool) -> Resolution:
    """Resolve *files* without installing. Raises the failure that pip, or uv, reports."""
    check_variables(files, context.app_dir, context.environ)
    if not by_uv:
        options = read_pip_settings(context.environ).options
        check_pip_addresses(options, context.environ)
        own = _own_lines(files, context)

        read = partial(_read_report_file, own)
        wheels = excepted.download(files, own.finding, context, run, read)
        context = wheels.added_to(context)
        report = context.scratch / "report.json"
        _run_pip(files, pip_commands.resolve(files, context, report), context, run)
        return wheels.restored(read(report))
    lock, own = context.scratch / "pylock.toml", _own_lines(files, context)
    of_uv = uv.with_indexes(context, context.app_dir, own.finding)
    run = with_required_uv(context, run)
    _run_uv(uv.compile_all(files, lock, of_uv), files, of_uv, run)
    resolution = pylock_file.read_compiled(lock, own)
    resolution = from_source.apply(from_source.of_uv(context.environ), resolution)
    return with_needs(resolution, of_uv.environ, context.app_dir)


def check_variables(files: Files, app_dir: Path, environ: Mapping[str, str]) -> None:
    """Refuse an address in *files* with a variable that is not set. Raises UnsetVariable.

    pip and uv would ask an index without login, or another one in its place.
    """
    for file, line in chain.from_iterable(read_lines(app_dir / name, environ) for name in files):
        option, value = option_of(line.text)
        requirement, marker = split_marker(line.editable or line.parts[0])
        is_index = option in {"index-url", "extra-index-url", "find-links"}
        address = value if is_index else "" if marker else requirement
        names = (name[2:-1] for name in VARIABLE.findall(address))
        if unset := tuple(dict.fromkeys(name for name in names if not environ.get(name))):
            _, mark, after = address.partition("://")
            bare = after.rpartition("@")[2] if mark else address
            kind = "index" if is_index else "source"
            raise UnsetVariable(Path(file).name, bare, unset, kind)


def install_resolved(
    files: Files, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
) -> frozenset[str]:
    """Install *pins* of *resolution*; return the names of those to be built, see `Manager`.

    Raises the failure that the tool reports.
    """
    finding = _own_lines(files, context).finding
    if resolution.by == UV:
        of_uv = uv.with_indexes(context, context.app_dir, finding)
        return uv.install_with(
            pins,
            lambda chosen: uv.install_compiled(chosen, finding, of_uv),
            of_uv,
            with_required_uv(context, run),
            partial(finding_lines, files, context),
        )
    for command in pip_commands.install_exactly(pins, finding, context):
        _run_pip(files, command, context, run)
    return frozenset()


def explain(
    files: Files, command: Command, outcome: Outcome, context: InstallContext, run: Run
) -> BuildpackError:
    """Return the failure of pip's *command*; pip runs again if its output has no reason."""
    finding = partial(finding_lines, files, context)
    return pip_errors.explain(command, outcome, finding, context, run)


def finding_lines(files: Files, context: InstallContext) -> tuple[str, ...]:
    """Return the options of *files* that say where packages are."""
    return _own_lines(files, context).finding


def _run_pip(files: Files, command: Command, context: InstallContext, run: Run) -> None:
    outcome = run(command)
    if outcome.code:
        raise explain(files, command, outcome, context, run)


def _run_uv(command: Command, files: Files, context: InstallContext, run: Run) -> None:
    """Run *command*, which installs *files*; none: it has the options of the files itself."""
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, context, run, partial(finding_lines, files, context))


def _own_lines(files: Files, context: InstallContext) -> OwnLines:
    paths = [context.app_dir / name for name in files]
    return read_own_lines(paths, context.app_dir, context.environ, partial(_download, context))


def _download(context: InstallContext, address: str) -> str:
    """Return the requirements file at *address*; empty if it cannot be read: pip reports that."""
    file = context.scratch / "included.txt"
    try:
        if context.fetch:
            options = read_pip_settings(context.environ).options
            variables = network_variables(options, context.environ)
            largest = regular_file.LIMIT
            context.fetch(Download(address, "", shown(address), variables, largest=largest), file)
        return requirement_lines.decode(regular_file.read(file), "replace")
    except OSError, LookupError, BuildpackError:
        return ""
    finally:
        file.unlink(missing_ok=True)


def _read_report_file(own: OwnLines, report: Path) -> Resolution:
    return read_report(report.read_text(encoding="utf-8"), own)


def read_report(report: str, own: OwnLines) -> Resolution:
    """Return everything that *report* lists; *own* are the lines of the app's files.

    Raises ContractBroken if the report does not have the expected form.
    """
    try:
        document: Any = json_text.parse(report)
        if document["version"] != "1":
            raise ContractBroken(_DOCUMENT, f"it is of version {document['version']}")
        pins = sorted(_pin(item, own) for item in document["install"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ContractBroken(_DOCUMENT, repr(error)) from error
    return Resolution(tuple(pins), from_files_alone=False, by=PIP)


def _pin(item: Item, own: OwnLines) -> Pin:
    name = canonicalize_name(item["metadata"]["name"])
    version = _normalized_version(item["metadata"]["version"])
    extras = tuple(sorted(canonicalize_name(extra) for extra in item.get("requested_extras", ())))
    if item["is_direct"]:
        origin, line, is_cacheable = _of_address(name, item["download_info"], own)
    else:
        origin, line, is_cacheable = _of_index(name, version, item["download_info"], own)
    address = urlsplit(item["download_info"]["url"])
    by_itself = bool(item["is_direct"]) or not address.path.endswith(".whl")
    files = () if by_itself else (unquote(address.path.rpartition("/")[2]),)
    url = "" if item["is_direct"] else str(item["download_info"]["url"])
    return Pin(
        name, version, origin, line, is_cacheable, extras, by_itself, files=files, address=url
    )


def _of_index(name: str, version: str, download: Item, own: OwnLines) -> tuple[str, str, bool]:
    """Return origin, line and whether a hash fixes the contents."""
    sha256 = _sha256(download)
    options = own.building.get(name, "")
    words = (f"{name}=={version}", f"--hash=sha256:{sha256}" if sha256 else "", options)
    origin = digest((sha256 or shown(download["url"]), options))
    return origin, " ".join(filter(None, words)), bool(sha256)


def _of_address(name: str, download: Item, own: OwnLines) -> tuple[str, str, bool]:
    """Return origin, line and whether a hash or commit fixes the contents."""
    url, below = download["url"], download.get("subdirectory", "")
    own_line = own.line_of(name, url)
    fragment = f"#subdirectory={below}" if below else ""
    if (directory := download.get("dir_info")) is not None:
        line = f"-e {url}{fragment}" if directory.get("editable") else f"{name} @ {url}{fragment}"
        return digest((shown(url), below)), own_line or line, False
    if (source := download.get("vcs_info")) is not None:
        commit = source["commit_id"]
        parts = (commit, source.get("requested_revision", ""), shown(url), below)
        line = f"{name} @ {source['vcs']}+{url}@{commit}{fragment}"
        return digest((*parts, own_line)), own_line or line, True
    sha256 = _sha256(download)
    line = f"{name} @ {url}{fragment}" + (f" --hash=sha256:{sha256}" if sha256 else "")
    origin = digest((sha256, shown(url), below, build_options(own_line)))
    return origin, own_line or line, bool(sha256)


def _sha256(download: Item) -> str:
    sha256 = download["archive_info"].get("hashes", {}).get("sha256", "")
    if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError(sha256)
    return str(sha256)


def _normalized_version(version: str) -> str:
    try:
        return str(Version(version))
    except ValueError:  # also for thousands of digits
        return version
