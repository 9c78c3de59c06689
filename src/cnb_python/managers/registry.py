"""Chooses the app's package manager by its files: exactly one, or an error."""

import re

from cnb_python.app import App, directories_with_python, unread_locks
from cnb_python.config.settings import AUTO, DEFAULTS, Settings
from cnb_python.errors.choosing import (
    ChosenManagerMissing,
    DeclarationNotRead,
    NoRequirements,
    SeveralManagers,
    UnreadForm,
)
from cnb_python.managers.base import Manager
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.managers.standard_library.manager import StandardLibrary
from cnb_python.managers.uv.manager import UvProject

RYE_LOCK = "requirements.lock"


def managers(settings: Settings) -> tuple[Manager, ...]:
    """Return every manager with *settings*, in the order in which messages list them."""
    return (
        Pip(settings),
        Pipenv(settings),
        Poetry(settings),
        UvProject(settings),
        Pdm(settings),
        Pylock(settings),
    )


def fallbacks(settings: Settings) -> tuple[Manager, ...]:
    """Return the managers of apps without the files of any other; the first one counts."""
    # Rye writes its lock file in the form of a requirements file, beside a pyproject.toml.
    lock = Pip(settings, deciding_file=RYE_LOCK)
    return (lock, PlainProject(settings), StandardLibrary())


# The commands that add a package to the files of the managers that have such a command.
_ADD = {"uv": "uv add", "poetry": "poetry add", "pipenv": "pipenv install", "pdm": "pdm add"}
_PLACES = {
    "pyproject.toml": "`dependencies` in pyproject.toml",
    "setup.py": "install_requires in setup.py",
    RYE_LOCK: "`dependencies` in pyproject.toml, and lock again",
}

# The metadata of a script: https://packaging.python.org/en/latest/specifications/inline-script-metadata/
_SCRIPT = re.compile(rb"^# /// script\s*$", re.MULTILINE)
_MOST_SCRIPTS = 50

MANAGERS = managers(DEFAULTS)
FALLBACKS = fallbacks(DEFAULTS)


def select(
    app: App,
    managers: tuple[Manager, ...] = MANAGERS,
    fallbacks: tuple[Manager, ...] = FALLBACKS,
    chosen: str = AUTO,
) -> Manager:
    """Return the manager whose files the app has, or the one *chosen* by its name.

    *fallbacks* count only if no other manager has files. Raises NoRequirements or
    DeclarationNotRead if the app has no files of any, SeveralManagers if it has those of several,
    and ChosenManagerMissing if it lacks those of the chosen one.
    """
    if chosen != AUTO:
        return _chosen(app, (*managers, *fallbacks), chosen)
    deciding = _deciding(app, managers) or _deciding(app, fallbacks)[:1]
    if not deciding:
        if file := _unread_declaration(app):
            raise DeclarationNotRead(*file)
        raise NoRequirements(
            app.misspelt_requirements(),
            app.requirements_variants(),
            tuple(sorted(app.names)),
            () if app.inside else directories_with_python(app.directory),
        )
    if len(deciding) > 1:
        raise SeveralManagers(_listed(app, deciding))
    return deciding[0]


def with_development(manager: Manager, app: App) -> tuple[Manager, tuple[str, ...]]:
    """Return the manager that adds to the packages of *manager* those for tests and development.

    Also return the names of what it adds, such as `group dev`; empty if *app* names nothing to
    add. Raises what reading its files raises.
    """
    whole, added = manager.with_development(app)
    if not added:
        return manager, ()
    from cnb_python.managers.development.manager import DevelopmentManager  # noqa: PLC0415 - not for production

    if isinstance(whole, Pip):
        files, groups = whole.settings.requirements, whole.dependency_groups
        return DevelopmentManager(manager, whole, files, groups), added
    return DevelopmentManager(manager, whole), added


def _unread_declaration(app: App) -> tuple[str, UnreadForm] | None:
    """Return the file that names the app's packages in a form that no manager reads, and the form.

    None if there is no such file.
    """
    if "requirements.in" in app.files:
        return app.shown("requirements.in"), "pip-tools"
    if _declares_packages(app.text("setup.cfg") or ""):
        return app.shown("setup.cfg"), "setup.cfg"
    for name in ("environment.yml", "environment.yaml"):
        if name in app.files:
            return app.shown(name), "conda"
    if "pixi.toml" in app.files:
        return app.shown("pixi.toml"), "pixi"
    scripts = sorted(name for name in app.files if name.endswith(".py"))
    for name in scripts[:_MOST_SCRIPTS]:
        if _SCRIPT.search(app.bytes_of(name) or b""):
            return app.shown(name), "script"
    return None


def _declares_packages(setup_cfg: str) -> bool:
    return "[metadata]" in setup_cfg or "install_requires" in setup_cfg


def how_to_add(manager: Manager, app: App, package: str) -> tuple[str, str]:
    """Return how the author of *app* adds *package*: a sentence up to a colon, and a line."""
    if command := _ADD.get(manager.name):
        return f"Add it with {manager.name}:", f"{command} {package}"
    file = manager.deciding_files(app)[0]
    if isinstance(manager, StandardLibrary):
        return "Create requirements.txt with the line:", package
    if file.startswith("pylock."):
        return f"Add it to the requirements that {file} is made from, and lock again:", package
    return f"Add it to {_PLACES.get(file, file)}:", package


def unread(app: App, manager: Manager) -> tuple[str, ...]:
    """Return the files of other managers in *app*, which do not count beside *manager*."""
    counting = {manager.deciding_file, *manager.deciding_files(app)}
    return tuple(name for name in unread_locks(app.names) if name not in counting)


def _chosen(app: App, managers: tuple[Manager, ...], chosen: str) -> Manager:
    manager = next((each for each in managers if each.name == chosen), None)
    if manager is None or not manager.deciding_files(app):
        expected = manager.deciding_file if manager else ""
        present = _listed(app, _deciding(app, managers))
        raise ChosenManagerMissing(chosen, expected, present)
    return manager


def _deciding(app: App, managers: tuple[Manager, ...]) -> list[Manager]:
    return [manager for manager in managers if manager.deciding_files(app)]


def _listed(app: App, managers: list[Manager]) -> tuple[tuple[str, str], ...]:
    """Return the main file and the name of each manager, for a message."""
    return tuple(
        (file, manager.name) for manager in managers for file in manager.deciding_files(app)[:1]
    )
