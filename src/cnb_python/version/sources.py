"""The ordered table of places that may ask for a Python version: the first that speaks counts."""

from collections.abc import Callable

from cnb_python.project import Project
from cnb_python.settings import VERSION, Settings
from cnb_python.version.request import (
    Origin,
    PythonRequest,
    parse_version,
    parse_version_file,
)

VERSION_FILE = ".python-version"

type Source = Callable[[Project, Settings], PythonRequest | None]
"""Looks at the app and at the settings; None: it says nothing."""


def _setting(_project: Project, settings: Settings) -> PythonRequest | None:
    if not settings.python:
        return None
    given = settings.origins.get("python")
    if given is None or given.name == VERSION:
        origin = Origin(f"the setting {VERSION}")
    else:
        origin = Origin(f"the setting python of {given.name}", given.line)
    return parse_version(settings.python, origin)


def _version_file(project: Project, _settings: Settings) -> PythonRequest | None:
    text = project.text(VERSION_FILE)
    return None if text is None else parse_version_file(text, VERSION_FILE)


SOURCES: tuple[Source, ...] = (_setting, _version_file)


def asked_for(project: Project, settings: Settings) -> PythonRequest | None:
    """Return what the app or the operator asks for; None when nobody does.

    Raises what reading the file that speaks raises (`Project.text`), and the errors of `request`.
    """
    said = (source(project, settings) for source in SOURCES)
    return next((request for request in said if request), None)
