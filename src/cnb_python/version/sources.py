"""The ordered table of places that may ask for a Python version: the first that speaks counts."""

from collections.abc import Callable, Mapping

from cnb_python.project import Project
from cnb_python.version.request import (
    Origin,
    PythonRequest,
    parse_version,
    parse_version_file,
)

VERSION_SETTING = "BP_PYTHON_VERSION"
VERSION_FILE = ".python-version"

type Source = Callable[[Project, Mapping[str, str]], PythonRequest | None]
"""Looks at the app and at the settings; None: it says nothing."""


def _setting(_project: Project, settings: Mapping[str, str]) -> PythonRequest | None:
    text = settings.get(VERSION_SETTING, "").strip()
    return parse_version(text, Origin(f"the setting {VERSION_SETTING}")) if text else None


def _version_file(project: Project, _settings: Mapping[str, str]) -> PythonRequest | None:
    text = project.text(VERSION_FILE)
    return None if text is None else parse_version_file(text, VERSION_FILE)


SOURCES: tuple[Source, ...] = (_setting, _version_file)


def asked_for(project: Project, settings: Mapping[str, str]) -> PythonRequest | None:
    """Return what the app or the operator asks for; None when nobody does.

    Raises what reading the file that speaks raises (`Project.text`), and the errors of `request`.
    """
    said = (source(project, settings) for source in SOURCES)
    return next((request for request in said if request), None)
