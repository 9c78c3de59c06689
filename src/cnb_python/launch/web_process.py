"""Chooses how the process `web` starts: a server, a framework's own command, or the program.

Separate from `found_processes`, which puts workers and others beside it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.launch.code.importers import runs
from cnb_python.launch.code.source_files import SOURCE, ModuleFile, SourceFiles
from cnb_python.launch.discovery import only_started
from cnb_python.launch.django_project import DjangoProject
from cnb_python.launch.entry_program import find_entry_program, find_listening_program
from cnb_python.launch.launch_plan import Evidence, FoundProcess
from cnb_python.launch.listening import ALL_ADDRESSES
from cnb_python.launch.procfile import WEB
from cnb_python.launch.programs import (
    IsImportable,
    find_web_programs,
    first_of,
    port_options,
    python_command,
)
from cnb_python.launch.servers import SERVERS, Server, command_text
from cnb_python.launch.tables.frameworks import DJANGO, AppObject, DetectedApp
from cnb_python.python.versions import is_at_least

_WSGI_SERVER = "gunicorn"
_ASGI_SERVER = "uvicorn"
_RUNSERVER = "python manage.py runserver --noreload {address}:{port}"
# Its WebSockets need one process with threads, or gevent or eventlet:
# https://flask-socketio.readthedocs.io/en/latest/deployment.html
_SOCKETS = "flask-socketio"
_SOCKET_OPTIONS = (("eventlet", "--worker-class eventlet"), ("gevent", "--worker-class gevent"))
_THREADS = "--threads 100"


@dataclass(frozen=True, slots=True)
class WebChoice:
    """The process `web`, and what else it could be."""

    process: FoundProcess | None
    also_found: tuple[Evidence, ...] = ()
    unserved: DetectedApp | None = None
    """The app that no installed package can serve."""


def choose_web(
    app: App,
    files: SourceFiles,
    projects: Iterable[DjangoProject],
    apps: tuple[DetectedApp, ...],
    installed: Mapping[str, str],
    importable: IsImportable,
) -> WebChoice:
    """Return how `web` starts. Raises what reading `pyproject.toml` raises."""
    served = [
        (candidate, process)
        for candidate in apps
        if (process := _served(candidate, files, installed, importable)) is not None
    ]
    processes = [process for _, process in served]
    served_files = {process.evidence.file for process in processes}
    programs = [
        each
        for each in find_web_programs(files, installed, importable)
        if not served_files & only_started(each.evidence.file, files, installed)
    ]
    candidates = [*processes, *(each for each in programs if not each.fixed_port)]
    is_django = bool(served) and served[0][0].framework == DJANGO.title
    best = (processes[0] if is_django else min(candidates, key=_place, default=None)) or first_of(
        programs
    )
    if best is None and apps:
        best = _development(apps, tuple(projects), installed) or _own_server(
            apps, files, importable
        )
    if best is None and not apps:
        best = find_entry_program(app, files, installed, importable)
    elif best and _is_deep(best):
        best = find_listening_program(files, importable) or best
    if best is None:
        return WebChoice(None, unserved=apps[0] if apps else None)
    evidence = [*(_evidence(each) for each in apps), *(each.evidence for each in programs)]
    alternatives = dict.fromkeys(each for each in evidence if each.file != best.evidence.file)
    return WebChoice(best, tuple(alternatives))


def _is_deep(process: FoundProcess) -> bool:
    """Whether *process* starts in a directory where much else can be: an example, a mock."""
    parts = process.directory.removeprefix(f"{SOURCE}/").split("/")
    return len(parts) > 1


def _place(process: FoundProcess) -> int:
    """Sort by the directory of the evidence: what is at the top of the app starts it."""
    parts = process.evidence.file.split("/")
    return 0 if len(parts) == 1 else 1


def _served(
    app: DetectedApp,
    files: SourceFiles,
    installed: Mapping[str, str],
    importable: IsImportable,
) -> FoundProcess | None:
    choice = choose_server(app, installed)
    if choice is None:
        return None
    target, server = choice
    command = server.command(target)
    if app.started_at and not app.ignored_run:
        return _started_by_itself(app, files, importable)
    if app.started_at:
        command = f"{app.ignored_run} {command}"
    if server.title == _WSGI_SERVER and _SOCKETS in installed and app.framework == "Flask":
        options = next((words for name, words in _SOCKET_OPTIONS if name in installed), _THREADS)
        command = command.replace("gunicorn ", f"gunicorn --workers 1 {options} ", 1)
    using = f"Using {server.needs[0]}, which is installed and serves {target.interface} apps"
    preferred = app.targets[0]
    if preferred.interface != target.interface:
        using = (
            f"Using {server.needs[0]}: no installed package can serve {preferred}, an "
            f"{preferred.interface} app, which needs {server_to_add(app)}"
        )
    return FoundProcess(
        WEB,
        command,
        _evidence(app),
        app.directory,
        title=f"{server.title} serves {target}",
        lines=(using, *app.notes),
        cautions=(*app.cautions, *((_starts_on_import(app),) if app.started_at else ())),
        words=(server.needs[0],),
    )


def _started_by_itself(
    app: DetectedApp, files: SourceFiles, importable: IsImportable
) -> FoundProcess | None:
    """Return the process that runs the file of *app*, which starts a server on import."""
    file = files.at(app.file)
    if file is None:
        return None
    line = f"Running the program itself: line {app.started_at} starts its server"
    process = run_program(file, _evidence(app), line, files, importable)
    return replace(process, cautions=(*app.cautions, _starts_on_import(app)))


def run_program(
    file: ModuleFile,
    evidence: Evidence,
    line: str,
    files: SourceFiles,
    importable: IsImportable,
) -> FoundProcess:
    """Return the process `web` that runs *file*, which starts the server that *evidence* shows."""
    directory, command = python_command(file, importable)
    options, is_fixed = port_options(file, files)
    return FoundProcess(
        WEB,
        command_text(f"{command}{options}"),
        evidence,
        directory,
        lines=(line,),
        fixed_port=is_fixed,
        program=file.shown,
    )


def _own_server(
    apps: tuple[DetectedApp, ...], files: SourceFiles, importable: IsImportable
) -> FoundProcess | None:
    """Return the process that runs the file of a WSGI app: `make_server(...)`, `app.run()`.

    Other apps need a server that is not installed.
    """
    app = apps[0]
    file = files.at(app.file)
    if app.targets[0].interface != "WSGI" or file is None or not runs(file):
        return None
    line = "No server for production is installed: running the program itself"
    process = run_program(file, _evidence(app), line, files, importable)
    return replace(process, development=server_to_add(app))


def _starts_on_import(app: DetectedApp) -> Message:
    return Message(
        title=f"{app.file} starts a server when it is imported",
        body=(
            f"See line {app.started_at}. A server for production imports the file, and the import",
            "would start another server. Move that line below this one:",
            "    if __name__ == '__main__':",
        ),
    )


def _evidence(app: DetectedApp) -> Evidence:
    return Evidence(app.framework, app.file, app.line, app.sign)


def choose_server(
    app: DetectedApp, installed: Mapping[str, str]
) -> tuple[AppObject, Server] | None:
    """Return the object of *app* to serve and the first installed server that can."""
    candidates = [
        (target, server)
        for target in app.targets
        for server in SERVERS
        if _can_serve(server, target, installed)
    ]
    return min(candidates, key=lambda candidate: candidate[1].last_resort, default=None)


def _can_serve(server: Server, target: AppObject, installed: Mapping[str, str]) -> bool:
    return (
        server.interface == target.interface
        and all(name in installed for name in server.needs)
        and (server.calls_factories or not target.factory)
        and (bool(server.attribute) or "." not in target.name)
        and (not server.min_version or is_at_least(installed[server.needs[0]], server.min_version))
    )


def server_to_add(app: DetectedApp) -> str:
    """Return the distribution of a server for production that can serve *app*."""
    return _WSGI_SERVER if app.targets[0].interface == "WSGI" else _ASGI_SERVER


def command_to_add(app: DetectedApp) -> str:
    """Return the command that serves *app* with that server."""
    name = server_to_add(app)
    target = app.targets[0]
    server = next(
        each for each in SERVERS if each.needs == (name,) and each.interface == target.interface
    )
    return server.command(target).replace(command_text("{host}"), ALL_ADDRESSES)


def _development(
    apps: tuple[DetectedApp, ...],
    projects: tuple[DjangoProject, ...],
    installed: Mapping[str, str],
) -> FoundProcess | None:
    """Return the process that runs a development server, since no other is installed."""
    app = apps[0]
    if projects and app.framework == DJANGO.title:
        template = _RUNSERVER
    elif app.development and "flask" in installed:
        template = app.development
    else:
        return None
    return FoundProcess(
        WEB,
        command_text(template),
        _evidence(app),
        app.directory,
        lines=("No server for production is installed: using the framework's development server",),
        development=server_to_add(app),
    )


def without_web(choice: WebChoice, process: FoundProcess) -> WebChoice:
    """Return *choice* without `web`, of an app that is the bot *process*."""
    alternatives = (choice.process.evidence,) if choice.process else ()
    also_found = (*alternatives, *choice.also_found)
    return replace(
        choice,
        process=None,
        unserved=None,
        also_found=tuple(
            each
            for each in also_found
            if each.file not in {process.evidence.file, process.program}
        ),
    )
