"""Which package manager: exactly one decides, or nobody guesses."""

from cnb_python.app import App, directories_with_python, unread_locks
from cnb_python.config.settings import AUTO, DEFAULTS, Settings
from cnb_python.errors.choosing import ChosenManagerMissing, NoRequirements, SeveralManagers
from cnb_python.managers.base import Manager
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.managers.uv.manager import UvProject


def managers(settings: Settings) -> tuple[Manager, ...]:
    """Return every manager, told *settings*, in the order in which messages list them."""
    return (
        Pip(settings),
        Pipenv(settings),
        Poetry(settings),
        UvProject(settings),
        Pdm(settings),
        Pylock(settings),
    )


def last(settings: Settings) -> tuple[Manager, ...]:
    """Return those that decide where no other does: for apps whose packages nobody has decided."""
    return (PlainProject(settings),)


MANAGERS = managers(DEFAULTS)
LAST = last(DEFAULTS)


def select(
    app: App,
    managers: tuple[Manager, ...] = MANAGERS,
    last: tuple[Manager, ...] = LAST,
    chosen: str = AUTO,
) -> Manager:
    """Return the manager whose files the app has, or the one that is *chosen* by its name.

    Raises NoRequirements where there is none, SeveralManagers where there are more, and
    ChosenManagerMissing where the app has no file of the chosen one.
    """
    if chosen != AUTO:
        return _chosen(app, (*managers, *last), chosen)
    found = _deciding(app, managers) or _deciding(app, last)
    if not found:
        raise NoRequirements(
            app.misspelt_requirements(),
            app.requirements_variants(),
            tuple(sorted(app.names)),
            () if app.inside else directories_with_python(app.directory),
        )
    if len(found) > 1:
        raise SeveralManagers(_listed(app, found))
    return found[0]


def unread(app: App, manager: Manager) -> tuple[str, ...]:
    """Return the files that others would decide by, and that nobody reads since *manager* does."""
    read = {manager.deciding_file, *manager.deciding_files(app)}
    return tuple(name for name in unread_locks(app.names) if name not in read)


def _chosen(app: App, managers: tuple[Manager, ...], chosen: str) -> Manager:
    manager = next((one for one in managers if one.name == chosen), None)
    if manager is None or not manager.deciding_files(app):
        expected = manager.deciding_file if manager else ""
        found = _listed(app, _deciding(app, managers))
        raise ChosenManagerMissing(chosen, expected, found)
    return manager


def _deciding(app: App, managers: tuple[Manager, ...]) -> list[Manager]:
    return [manager for manager in managers if manager.deciding_files(app)]


def _listed(app: App, managers: list[Manager]) -> tuple[tuple[str, str], ...]:
    """Return file and manager of each, for a message."""
    return tuple((file, one.name) for one in managers for file in one.deciding_files(app)[:1])
