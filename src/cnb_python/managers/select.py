"""Which package manager: exactly one file decides, or nobody guesses."""

from cnb_python.errors import NoRequirements, SeveralManagers
from cnb_python.managers.manager import Manager
from cnb_python.managers.pip import Pip
from cnb_python.project import Project, unread_locks
from cnb_python.settings import DEFAULTS, Settings


def managers(settings: Settings) -> tuple[Manager, ...]:
    """Return every manager, told *settings*, in the order in which messages list them."""
    return (Pip(settings),)


MANAGERS = managers(DEFAULTS)


def select(project: Project, managers: tuple[Manager, ...] = MANAGERS) -> Manager:
    """Return the manager whose deciding file the app has.

    Raises NoRequirements where there is none, SeveralManagers where there are more.
    """
    found = [manager for manager in managers if manager.deciding_file in project.names]
    if not found:
        raise NoRequirements(
            project.misspelt_requirements(),
            project.requirements_variants(),
            unread_locks(project.names),
            tuple(sorted(project.names)),
        )
    if len(found) > 1:
        raise SeveralManagers(tuple((one.deciding_file, one.name) for one in found))
    return found[0]


def unread(project: Project, managers: tuple[Manager, ...] = MANAGERS) -> tuple[str, ...]:
    """Return the files that another manager would decide by and that nobody reads here."""
    read = {manager.deciding_file for manager in managers}
    return tuple(name for name in unread_locks(project.names) if name not in read)
