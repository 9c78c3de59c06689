"""Finds workers, schedulers and bots, `release` and `console`.

Separate from `found_processes`, which puts them beside the process `web`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from cnb_python.launch.background.task_modules import load_tasks
from cnb_python.launch.code.importers import imports, starting_program
from cnb_python.launch.code.program_starts import server_lines
from cnb_python.launch.code.source_files import SourceFiles
from cnb_python.launch.django_project import DjangoProject
from cnb_python.launch.launch_plan import CONSOLE, RELEASE, Evidence, FoundProcess
from cnb_python.launch.programs import (
    IsImportable,
    Match,
    all_matches,
    best_match,
    python_command,
)
from cnb_python.launch.servers import command_text
from cnb_python.launch.tables.background import BACKGROUND_TOOLS, BackgroundTool
from cnb_python.launch.tables.frameworks import DetectedApp

_ALEMBIC = "alembic.ini"
_SCHEDULE = re.compile(
    rb"beat_schedule|CELERY_BEAT_SCHEDULE|CELERYBEAT_SCHEDULE|add_periodic_task|\bcrontab\("
)
_QUEUE = re.compile(rb"\bQueue\(\s*[\"']([\w.-]+)[\"']")
_STEMS = ("celery", "celery_app", "make_celery", "worker", "tasks", "bot", "main", "app", "clock")
_CELERY = "celery"
_CELERY_WORKERS = frozenset({"celery_worker", "worker", "run_celery", "make_celery"})
_IMPORTED_CELERY = re.compile(
    rb"^from\s+(?!celery\b)\S+\s+import\b[^\n]*\b(celery(?:_app)?)\b", re.MULTILINE
)
# Such as a Flask app beside `celery`.
_APP = re.compile(rb"^app\b|^(?:from|import)\s[^\n]*\bapp\b", re.MULTILINE)
_FLASK_MIGRATE = re.compile(rb"\bMigrate\(")
_FLASK = frozenset({"Flask", "APIFlask", "Flask-OpenAPI3"})


def find_background(
    files: SourceFiles,
    projects: Iterable[DjangoProject],
    installed: Mapping[str, str],
    importable: IsImportable,
) -> tuple[tuple[FoundProcess, BackgroundTool], ...]:
    """Return the processes of the table `BACKGROUND_TOOLS`, one for each type, in its order."""
    processes: dict[str, tuple[FoundProcess, BackgroundTool]] = {}
    for tool in BACKGROUND_TOOLS:
        if not _is_installed(tool, installed):
            continue
        kind = tool.type
        if kind in processes and tool.another_type:
            kind = tool.another_type
        if kind in processes:
            continue
        if process := _process(tool, kind, files, tuple(projects), importable):
            processes[kind] = process, tool
    return tuple(processes.values())


def _is_installed(tool: BackgroundTool, installed: Mapping[str, str]) -> bool:
    return any(name in installed for name in tool.distributions) and all(
        name in installed for name in tool.needs
    )


def _process(
    tool: BackgroundTool,
    kind: str,
    files: SourceFiles,
    projects: tuple[DjangoProject, ...],
    importable: IsImportable,
) -> FoundProcess | None:
    if tool.django_app:
        return _of_django(tool, kind, projects)
    ignored = server_lines if tool.replaces_web else None
    match = _celery_worker(tool, files) or best_match(
        files, tool.package, tool.sign, _STEMS, ignored
    )
    if match is None:
        return None
    if tool.needs_schedule and not _has_schedule(files):
        return None
    evidence = Evidence(tool.title, match.file.shown, match.line, match.name or tool.package)
    if tool.is_program:
        return _of_program(kind, match, evidence, files, importable, tool.note)
    loaded = load_tasks(tool, match, files, importable)
    match = loaded.match
    directory, module = importable(match.file)
    words = {
        "module": module,
        "name": match.name,
        "celery": _celery_app(module, match),
        "modules": " ".join(_modules(tool, files, directory, importable)),
        "queues": " ".join(_queues(files)),
    }
    command = command_text(tool.template, **words).rstrip() + loaded.words
    return FoundProcess(
        kind,
        command,
        evidence,
        directory,
        lines=loaded.lines,
        cautions=loaded.cautions,
        words=_words(tool),
    )


def _of_program(
    kind: str,
    match: Match,
    evidence: Evidence,
    files: SourceFiles,
    importable: IsImportable,
    note: str,
) -> FoundProcess | None:
    """Return the process that runs the program with *match*; None if no program runs it."""
    file = starting_program(match.file, match.line, files)
    if file is None:
        return None
    directory, command = python_command(file, importable)
    lines = (note,) if note else ()
    if file is not match.file:
        lines = (f"Running {file.shown}, which imports it", *lines)
    words = tuple(command.split()[-1:])
    return FoundProcess(
        kind, command, evidence, directory, lines=lines, words=words, program=file.shown
    )


def _words(tool: BackgroundTool) -> tuple[str, ...]:
    """Return the words by which a line of a Procfile is recognized as the same process."""
    program = tool.template.removeprefix("python -m ").split()[0].rpartition(".")[2]
    return (program, tool.type) if f" {tool.type}" in tool.template else (program,)


def _of_django(
    tool: BackgroundTool, kind: str, projects: tuple[DjangoProject, ...]
) -> FoundProcess | None:
    for project in projects:
        if any(name.startswith(tool.django_app) for name in project.installed_apps):
            command = command_text(tool.template, manage="manage.py")
            evidence = Evidence(tool.title, project.manage, project.line, tool.django_app)
            words = ("manage.py", command.split()[2])
            return FoundProcess(kind, command, evidence, project.directory, words=words)
    return None


def _celery_worker(tool: BackgroundTool, files: SourceFiles) -> Match | None:
    """Return the module that is written for Celery's worker, and imports the Celery app.

    An example is `celery_worker.py`, which gives the tasks the context of the Flask app.
    """
    if tool.package != _CELERY:
        return None
    for file in files.files:
        match = _IMPORTED_CELERY.search(file.content) if file.stem in _CELERY_WORKERS else None
        defining = all_matches(files, tool.package, tool.sign) if match else ()
        if match and any(imports(file, each.file) for each in defining):
            line = file.content.count(b"\n", 0, match.start()) + 1
            return Match(file, match[1].decode(), line)
    return None


def _has_schedule(files: SourceFiles) -> bool:
    return any(_SCHEDULE.search(file.content) for file in files.files)


def _celery_app(module: str, match: Match) -> str:
    """Return the app as Celery finds it: it looks for `app`, then `celery`, also in a package."""
    name = match.name or "app"
    if name not in {"app", "celery"} or (name == _CELERY and _APP.search(match.file.content)):
        return f"{module}:{name}"
    return module.removesuffix(".celery") if module != "celery" else module


def _modules(
    tool: BackgroundTool, files: SourceFiles, directory: str, importable: IsImportable
) -> Iterator[str]:
    for match in all_matches(files, tool.package, tool.sign):
        where, module = importable(match.file)
        if where == directory:
            yield module


def _queues(files: SourceFiles) -> tuple[str, ...]:
    names = (name.decode() for file in files.files for name in _QUEUE.findall(file.content))
    return tuple(dict.fromkeys(names))


def find_release(
    files: SourceFiles,
    projects: tuple[DjangoProject, ...],
    apps: Iterable[DetectedApp],
    installed: Mapping[str, str],
) -> FoundProcess | None:
    """Return the process that changes the database's schema, which a platform runs once."""
    if projects:
        project = projects[0]
        command = "python manage.py migrate --noinput"
        evidence = Evidence("Django", project.manage, project.line, "manage.py")
        words = ("manage.py", "migrate")
        return FoundProcess(RELEASE, command, evidence, project.directory, words=words)
    if "flask-migrate" in installed:
        flask_apps = (app for app in apps if app.framework in _FLASK)
        app = next((app for app in flask_apps if _has_migrations(files, app)), None)
        match = next(iter(files.mentioning(_FLASK_MIGRATE)), None)
        if app and match:
            evidence = Evidence("Flask-Migrate", match.shown, sign="Migrate")
            command = f"flask --app {_flask_app(app)} db upgrade"
            return FoundProcess(
                RELEASE, command, evidence, app.directory, words=("flask", "upgrade")
            )
    if "alembic" in installed:
        for directory in ("", *files.directories):
            name = f"{directory}/{_ALEMBIC}" if directory else _ALEMBIC
            if (files.directory / name).is_file():
                evidence = Evidence("Alembic", name)
                words = ("alembic", "upgrade")
                return FoundProcess(
                    RELEASE, "alembic upgrade head", evidence, directory, words=words
                )
    return None


def _has_migrations(files: SourceFiles, app: DetectedApp) -> bool:
    return (files.directory / app.directory / "migrations").is_dir()


def find_console(projects: tuple[DjangoProject, ...], apps: Iterable[DetectedApp]) -> FoundProcess:
    """Return the process that opens an interactive Python with the app."""
    if projects:
        project = projects[0]
        evidence = Evidence("Django", project.manage, project.line, "manage.py")
        return FoundProcess(CONSOLE, "python manage.py shell", evidence, project.directory)
    for app in apps:
        if app.framework in _FLASK:
            evidence = Evidence(app.framework, app.file, app.line, app.sign)
            command = f"flask --app {_flask_app(app)} shell"
            return FoundProcess(CONSOLE, command, evidence, app.directory)
    return FoundProcess(CONSOLE, "python", Evidence("", ""))


def _flask_app(app: DetectedApp) -> str:
    target = app.targets[0]
    return f"'{target}'" if target.factory else str(target)
