"""The groups, extras and files that hold what tests and development need.

A setting names them, else their usual names count.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.config.settings import Settings
from cnb_python.managers.requirement_lines import normalized_name

NAMES = ("dev", "develop", "development", "test", "tests", "testing")
"""The usual names, normalized: of groups, extras, and in names of requirements files."""
_FILES = ("requirements{}{}.txt", "{1}{0}requirements.txt")
_SEPARATORS = ("-", "_", ".")
# The lock files of Rye: https://rye.astral.sh/guide/sync/
_RYE, _OF_RYE = ("requirements.lock",), ("requirements-dev.lock",)


class Chosen(NamedTuple):
    """The groups and extras of an image for tests or development."""

    settings: Settings
    added: tuple[str, ...]
    """Those that production does not have: `group dev`, `extra test`."""


def with_groups(
    settings: Settings,
    groups: Iterable[str],
    extras: Iterable[str],
    default_groups: Iterable[str] = (),
) -> Chosen:
    """Return *settings* with those of the declared *groups* and *extras* that development needs.

    *default_groups*: those that the app's tool installs for development by itself.
    """
    usual = (*_usual(groups), *default_groups)
    new_groups = _new(settings.groups, settings.dev_groups or usual)
    new_extras = _new(settings.extras, settings.dev_extras or _usual(extras))
    added = (*(f"group {name}" for name in new_groups), *(f"extra {name}" for name in new_extras))
    return Chosen(
        settings._replace(
            groups=(*settings.groups, *new_groups), extras=(*settings.extras, *new_extras)
        ),
        added,
    )


def requirements_files(settings: Settings, production: Iterable[str], app: App) -> tuple[str, ...]:
    """Return the requirements files for development that are not among those of *production*."""
    own = tuple(production)
    usual = _OF_RYE if own == _RYE else _usual_files()
    chosen = settings.dev_requirements or tuple(name for name in usual if _is_file(app, name))
    return tuple(name for name in chosen if name not in own)


def _usual(names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if normalized_name(name) in NAMES)


def _new(names: tuple[str, ...], added: Iterable[str]) -> tuple[str, ...]:
    """Return those of *added*, each once, that are not among *names* in another spelling."""
    by_name = {normalized_name(name): name for name in reversed([*added])}
    present = {normalized_name(name) for name in names}
    return tuple(reversed([name for key, name in by_name.items() if key not in present]))


def _is_file(app: App, name: str) -> bool:
    return name in app.files or ("/" in name and (app.directory / name).is_file())


def _usual_files() -> Iterator[str]:
    for name in NAMES:
        yield from (form.format(mark, name) for mark in _SEPARATORS for form in _FILES)
        yield f"requirements/{name}.txt"
