"""Readers of an app's files: everything of a build that runs no process, with one file mutated."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType

from cnb_python import preflight
from cnb_python.app import App, python_signs, read_app
from cnb_python.cnb import disk, toml
from cnb_python.cnb.context import Target
from cnb_python.config.loading import effective, read_settings
from cnb_python.config.settings import PIP, UV, Settings
from cnb_python.errors.base import AppError, OutsideError
from cnb_python.launch import (
    command_checks,
    listening,
    named_processes,
    processes,
    single_worker,
    tasks,
    unstartable,
)
from cnb_python.layers import process_defaults
from cnb_python.managers import pylock_file, source_lines, tool_settings
from cnb_python.managers.base import InstallContext, Pin
from cnb_python.managers.pdm import export as pdm
from cnb_python.managers.pipenv import export as pipenv
from cnb_python.managers.poetry import export as poetry
from cnb_python.managers.poetry import pyproject as poetry_project
from cnb_python.managers.pylock_file import Choice
from cnb_python.managers.registry import fallbacks, managers, select
from cnb_python.managers.schema import TYPES, check_types, read_json
from cnb_python.managers.source_lines import OwnLines
from cnb_python.python import mirror, resolver
from cnb_python.python.sources import python_requests, unused_requests
from tools.fuzz import seeds
from tools.fuzz.engine import Reader

PYTHON, PROCESSOR = "3.14.6", "x86_64"
FAILURES = (AppError, OutsideError)
"""What a reader may raise for a file of the app: the errors that the user sees."""
_TODAY = date(2026, 11, 1)
_TARGET = Target("linux", "amd64", "", "debian", "13")
_INSTALLED = dict.fromkeys(
    (
        *("django", "flask", "fastapi", "gunicorn", "uvicorn"),
        *("discord-py", "celery", "huey", "dash", "mcp", "aiohttp", "slack-bolt"),
    ),
    "1.0",
)
_ENVIRON = {"USER": "me", "PASSWORD": "secret"}
_SIX = Pin("six", "1.17.0", "", f"six==1.17.0 --hash=sha256:{'a' * 64}")
_PYPROJECT: Mapping[str, bytes] = {"pyproject.toml": b'[project]\nname = "shop"\nversion = "1"\n'}
_PACKAGE: Mapping[str, bytes] = {"package/pyproject.toml": seeds.PYPROJECT}
_DJANGO: Mapping[str, bytes] = {
    "requirements.txt": b"django==5.2.1\n",
    "manage.py": seeds.MANAGE,
    "shop/__init__.py": b"",
    "shop/asgi.py": b"",
    "shop/settings/__init__.py": b"",
    "shop/settings/base.py": seeds.SETTINGS,
    "shop/settings/production.py": seeds.SETTINGS,
}


def readers() -> tuple[Reader, ...]:
    """Return a reader for each file of an app that the build reads."""
    return (
        _app(
            "requirements.txt", seeds.REQUIREMENTS, seeds.PINNED, beside={"more.txt": seeds.MORE}
        ),
        _app("more.txt", seeds.MORE, beside={"requirements.txt": seeds.REQUIREMENTS}),
        _app("pyproject.toml", seeds.PYPROJECT, beside=_PACKAGE),
        _app("uv.lock", seeds.UV_LOCK, beside=_PYPROJECT),
        _app("poetry.lock", seeds.POETRY_LOCK, beside=_PYPROJECT),
        _app("pdm.lock", seeds.PDM_LOCK, beside={**_PYPROJECT, **_PACKAGE}),
        _app("Pipfile", seeds.PIPFILE, beside={"Pipfile.lock": seeds.PIPFILE_LOCK, **_PACKAGE}),
        _app("Pipfile.lock", seeds.PIPFILE_LOCK, beside={"Pipfile": seeds.PIPFILE, **_PACKAGE}),
        _app("pylock.toml", seeds.PYLOCK, beside=_PACKAGE),
        *(
            _app(name, content, beside={"requirements.txt": b"gunicorn==23.0\n"})
            for name, content in (
                ("Procfile", seeds.PROCFILE),
                ("runtime.txt", seeds.RUNTIME),
                (".python-version", seeds.VERSION_FILE),
                (".tool-versions", seeds.TOOL_VERSIONS),
                ("mise.toml", seeds.MISE),
                ("nltk.txt", seeds.NLTK),
                ("gunicorn.conf.py", seeds.GUNICORN),
                ("app.py", seeds.APP),
                ("bot.py", seeds.BOT),
            )
        ),
        _app("manage.py", seeds.MANAGE, beside=_DJANGO),
        _app("shop/settings/production.py", seeds.SETTINGS, beside=_DJANGO),
        _app("uv.toml", seeds.UV_TOML, beside={"requirements.txt": seeds.PINNED}),
        _app(
            "pdm.toml",
            b'[pypi]\nurl = "https://x"\n[pypi.own]\nusername = "a"\n',
            beside={"pdm.lock": seeds.PDM_LOCK, "pyproject.toml": seeds.PYPROJECT},
        ),
        _app(
            "poetry.toml",
            b'[certificates.own]\ncert = false\nclient-cert = "x.pem"\n',
            beside={"poetry.lock": seeds.POETRY_LOCK, "pyproject.toml": seeds.PYPROJECT},
        ),
        *(
            _app(name, content, beside={"requirements.txt": b"gunicorn==23.0\n"})
            for name, content in (
                ("setup.py", seeds.SETUP_PY),
                ("setup.cfg", seeds.SETUP_CFG),
                (".gitmodules", seeds.GITMODULES),
            )
        ),
        _app(
            "bin/post_compile",
            b"#!/usr/bin/env bash\nset -e\n",
            beside={**_DJANGO, "Procfile": b"web: bin/post_compile\n"},
        ),
    )


class Silent:
    """An output that prints nothing."""

    def step(self, title: str) -> None:
        """Print nothing."""

    def line(self, text: str) -> None:
        """Print nothing."""

    def detail(self, text: str) -> None:
        """Print nothing."""

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        """Print nothing."""

    def progress(self, _title: str) -> AbstractContextManager[None]:
        """Show nothing."""
        return nullcontext()


def _app(
    name: str, *contents: bytes, beside: Mapping[str, bytes] = MappingProxyType({})
) -> Reader:
    return Reader(name, contents, partial(_read, name, beside), FAILURES)


def _read(name: str, beside: Mapping[str, bytes], content: bytes, directory: Path) -> None:
    app_dir = directory / "workspace"
    disk.remove(app_dir)
    for path, text in {**beside, name: content}.items():
        file = app_dir / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text)
    for part in _PARTS:
        _attempt(part, app_dir)


def _attempt(part: Callable[[Path], None], app_dir: Path) -> None:
    """Call *part*, whose error must not hide those of the others; every error has its words."""
    try:
        part(app_dir)
    except FAILURES as failure:
        failure.describe()


def read_as_a_build(app_dir: Path) -> None:
    """Read the app in *app_dir* in the order in which a build does."""
    python_signs(app_dir)
    settings = read_settings({}, app_dir)
    effective(settings)
    app = read_app(app_dir)
    manager = select(app, managers(settings), fallbacks(settings), settings.decider)
    preflight.check_app(app, manager, Silent())
    given = named_processes.in_settings(settings, app)
    command_checks.check_commands(app, given)
    _attempt(_choose_python, app_dir)
    resolver.manager_requests(app, manager.deciding_file)
    for each in {UV, PIP, "auto"}:
        _resolve(app, settings._replace(installer=each))
    plan = processes.plan_launch(app, _INSTALLED, given)
    available = unstartable.Programs((), None, _INSTALLED, single_worker.own_programs(app))
    unstartable.warnings(plan.named, app.directory, available)
    listening.warnings(plan.named)
    process_defaults.launch_environment(app_dir, Path("/layers/x/venv"), _INSTALLED)


def _choose_python(app_dir: Path) -> None:
    app, inventory = read_app(app_dir), mirror.own_inventory()
    requests = python_requests(app, Settings())
    resolved = resolver.resolve(requests, inventory, _TARGET, _TODAY)
    resolver.contradictions(resolved, unused_requests(app, requests))


def _context(app_dir: Path) -> InstallContext:
    environment = Path("/layers/x/venv")
    uv, scratch = Path("/uv"), app_dir.parent
    return InstallContext(app_dir, environment, uv, None, scratch, _ENVIRON, PYTHON, uv)


def _resolve(app: App, settings: Settings) -> None:
    for manager in (*managers(settings), *fallbacks(settings)):
        if manager.deciding_files(app):
            manager.resolve_from_files(app, PYTHON, _ENVIRON)


def _tasks(app_dir: Path) -> None:
    for manager in tasks.MANAGERS:
        for name in ("serve", "prod:serve", ""):
            tasks.command_of(manager, name, app_dir)


def _requirements(app_dir: Path) -> None:
    own = source_lines.read_own_lines([app_dir / "requirements.txt"], app_dir, _ENVIRON)
    own.line_of("six", "https://example.org/six")
    tool_settings.settings_digest({"PIP_BUILD_CONSTRAINT": "requirements.txt"}, app_dir)


def _pylock(app_dir: Path) -> None:
    choice = Choice(PYTHON, PROCESSOR, ("x",), ("dev",))
    for pin in pylock_file.read_lock(app_dir / "pylock.toml", choice).pins:
        pylock_file.packages_of(pin.line, app_dir / "pylock.toml")


def _compiled(app_dir: Path) -> None:
    pylock_file.read_compiled(app_dir / "pylock.toml", OwnLines((), {}, {}, {}))


def _poetry(app_dir: Path) -> None:
    lines = ["-i https://index.example.org/simple"]
    poetry.read_sources(app_dir / "poetry.lock", lines).indexes_of(_SIX)
    poetry.certificate_variables(_context(app_dir))
    poetry_project.read(app_dir).program(Settings())


def _pdm(app_dir: Path) -> None:
    lines = ("-i https://index.example.org/simple",)
    pdm.read_sources(app_dir, lines, _ENVIRON).indexes_of(_SIX)


def _pipenv(app_dir: Path) -> None:
    _, lock = read_json(app_dir / "Pipfile.lock")
    check_types(app_dir, "Pipfile.lock", "Pipfile")
    pipfile = toml.read(app_dir / "Pipfile")
    lines = ("-i https://index.example.org/simple",)
    pipenv.read_sources(
        lock if isinstance(lock, dict) else {}, pipfile, lines, _ENVIRON
    ).indexes_of(_SIX)


def _types(app_dir: Path) -> None:
    for name in TYPES:
        if (app_dir / name).exists():
            check_types(app_dir, name)


_PARTS = (
    *(read_as_a_build, _requirements, _pylock, _compiled, _poetry, _pdm, _pipenv, _types),
    *(_choose_python, _tasks),
)
