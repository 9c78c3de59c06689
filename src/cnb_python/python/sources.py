"""The ordered table of places that may ask for a Python version: the first that speaks counts."""

import re
from collections.abc import Callable, Iterator

from cnb_python.app import App
from cnb_python.config.settings import VERSION, Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.python import version_files
from cnb_python.python.origin import Origin
from cnb_python.python.request import PythonRequest, parse_version
from cnb_python.python.specifiers import PythonRange, parse_constraint
from cnb_python.python.version_files import (
    RUNTIME,
    VERSION_FILE,
    by_asdf,
    by_mise,
    by_pipenv,
    ranges,
)

_OPERATORS = frozenset("<>=~^|,!*")
_WILD = re.compile(r"[\d.]+\.\*")

type Request = PythonRequest | PythonRange
type Requests = tuple[Request, ...]
"""Of one source, which all count; empty: it says nothing."""
type Source = Callable[[App], Requests]
"""Looks at the app."""


def by_setting(settings: Settings) -> Requests:
    """Return what the setting asks for, a version or a range in either grammar, if anything.

    Raises what their parsers raise.
    """
    text, given = settings.python, settings.origins.get("python")
    origin = Origin(f"the setting {VERSION}")
    if given and given.name != VERSION:
        origin = Origin(f"the setting python of {given.name}", given.line)
    if not text:
        return ()
    if _OPERATORS.intersection(text) and not _WILD.fullmatch(text):
        return (parse_constraint(text, origin),)
    return (parse_version(text, origin, lenient=True),)


def _runtime(app: App) -> Requests:
    return _one(version_files.read(app, RUNTIME))


def _version_file(app: App) -> Requests:
    version_files.check_spelling(app)
    return _nearest(app, lambda one: version_files.read(one, VERSION_FILE))


def _pipenv(app: App) -> Requests:
    return _one(by_pipenv(app))


def _pyproject(app: App) -> Requests:
    return ranges(app)


def _asdf(app: App) -> Requests:
    return _nearest(app, by_asdf)


def _mise(app: App) -> Requests:
    return _nearest(app, by_mise)


def _nearest(app: App, read: Callable[[App], Request | None]) -> Requests:
    """Return what is said nearest to the app: version managers look upwards too."""
    said = (read(one) for one in (app, *app.above))
    return _one(next((request for request in said if request), None))


def _one(request: Request | None) -> Requests:
    return (request,) if request else ()


SOURCES: tuple[Source, ...] = (_runtime, _version_file, _pipenv, _pyproject, _asdf, _mise)
"""Of the app's own, in their order; the setting comes before them all."""


def asked_for(app: App, settings: Settings) -> Requests:
    """Return what the operator or else the app asks for; nothing when nobody does.

    Raises what reading the file that speaks raises (`App.text`), and the errors of its parser.
    """
    said = (source(app) for source in SOURCES)
    return by_setting(settings) or next((requests for requests in said if requests), ())


def also_said(app: App, asked: Requests) -> Requests:
    """Return what the app says besides *asked*, which alone counts."""
    said = (one for source in SOURCES for one in _quietly(source, app))
    return tuple(one for one in said if one not in asked)


def _quietly(source: Source, app: App) -> Iterator[Request]:
    try:
        yield from source(app)
    except BuildpackError:
        return  # what cannot be read does not count, and need not be mended for this build
