"""Decides what the image runs: what the Procfile says, else what the app turns out to serve."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from cnb_python.app import Project
from cnb_python.cnb.documents import Process
from cnb_python.errors.launch import ProcessInEnvironment
from cnb_python.launch import discovery, procfile, venv_references
from cnb_python.launch.found import Found, Target
from cnb_python.launch.procfile import Entry
from cnb_python.launch.servers import PROGRAMS, SERVERS, Server


@dataclass(frozen=True, slots=True)
class FromProcfile:
    """The Procfile names the processes."""

    processes: tuple[Process, ...]
    entries: tuple[Entry, ...]
    missing: tuple[tuple[str, str], ...]
    """Process types that start a server which is not installed, with its distribution."""


@dataclass(frozen=True, slots=True)
class FromApp:
    """There is no Procfile, and the code says what to serve."""

    processes: tuple[Process, ...]
    found: Found
    target: Target
    server: Server
    others: tuple[Found, ...]
    """What else could have been served."""
    misnamed: tuple[str, ...]
    """Files that were probably meant to be the Procfile."""


@dataclass(frozen=True, slots=True)
class NoServer:
    """The code says what to serve, and nothing that is installed can serve it."""

    processes: tuple[Process, ...]
    """Always empty."""
    found: Found
    misnamed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing says what to run."""

    processes: tuple[Process, ...]
    """Always empty."""
    misnamed: tuple[str, ...]
    has_procfile: bool
    """There is one, without a process."""


type Decision = FromProcfile | FromApp | NoServer | Unknown


def check(project: Project, removed: Collection[str] = ()) -> None:
    """Refuse a Procfile that cannot be used, before anything is installed for it.

    *removed* are the virtual environments that do not get into the image, relative to the top of
    the repository. Raises `BadProcfile`, `ProcessInEnvironment`, and what `Project.text` raises.
    """
    entries = _entries(project) or ()
    if found := tuple(venv_references.into_environments(entries, project, removed)):
        raise ProcessInEnvironment(project.shown(procfile.NAME), found)


def decide(project: Project, installed: Mapping[str, str]) -> Decision:
    """Return what the image runs and where that was found.

    *installed* maps the normalised names of the installed distributions to their versions. Raises
    `BadProcfile`, and what `Project.text` raises.
    """
    entries = _entries(project)
    if entries:
        return _from_procfile(project, entries, installed)
    misnamed = procfile.misnamed(project.names)
    found = discovery.find(project.directory, installed.keys())
    if not found:
        return Unknown((), misnamed, has_procfile=entries is not None)
    for candidate in found:
        if choice := _choose(candidate, installed):
            target, server = choice
            others = tuple(other for other in found if other is not candidate)
            process = _process(project, candidate, server.command(target))
            return FromApp((process,), candidate, target, server, others, misnamed)
    return NoServer((), found[0], misnamed)


def _entries(project: Project) -> tuple[Entry, ...] | None:
    text = project.text(procfile.NAME)
    return None if text is None else procfile.parse(text)


def _from_procfile(
    project: Project, entries: tuple[Entry, ...], installed: Mapping[str, str]
) -> FromProcfile:
    default = procfile.default_type(entry.type for entry in entries)
    processes = tuple(
        Process(
            type=entry.type,
            command=entry.launch.argv,
            default=entry.type == default,
            working_dir=_working_dir(project),
        )
        for entry in entries
    )
    missing = tuple(
        (entry.type, PROGRAMS[entry.launch.program])
        for entry in entries
        if PROGRAMS.get(entry.launch.program, "") not in {"", *installed}
    )
    return FromProcfile(processes, entries, missing)


def _process(project: Project, found: Found, command: tuple[str, ...]) -> Process:
    directory = _working_dir(project, found.directory)
    return Process(type=procfile.WEB, command=command, default=True, working_dir=directory)


def _working_dir(project: Project, below: str = "") -> str:
    """Return the directory *below* the project's; empty for the top of the app."""
    # Absolute: the launcher's own working directory is the app's only by custom.
    return str(project.directory / below) if below or project.inside else ""


def _choose(found: Found, installed: Mapping[str, str]) -> tuple[Target, Server] | None:
    candidates = [
        (target, server)
        for target in found.targets
        for server in SERVERS
        if _can_serve(server, target, installed)
    ]
    return min(candidates, key=lambda candidate: candidate[1].last_resort, default=None)


def _can_serve(server: Server, target: Target, installed: Mapping[str, str]) -> bool:
    return (
        server.interface == target.interface
        and all(name in installed for name in server.needs)
        and (server.factories or not target.factory)
        and (not server.since or _is_at_least(installed[server.needs[0]], server.since))
    )


def _is_at_least(version: str, since: str) -> bool:
    try:
        return Version(version) >= Version(since)
    except InvalidVersion:
        return False
