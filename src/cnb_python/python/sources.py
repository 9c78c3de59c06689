"""The version sources in their order: the first one that names a Python version counts.

The ranges of the project are bounds, and choose only where no source names a version.
"""

import re
from collections.abc import Callable, Iterator
from itertools import chain

from cnb_python.app import App
from cnb_python.config.settings import VERSION, Settings
from cnb_python.errors.base import BuildpackError, Message
from cnb_python.errors.python_requests import InvalidPythonRange
from cnb_python.python.origin import Origin
from cnb_python.python.project_ranges import project_ranges
from cnb_python.python.request import PythonRequest, parse_version
from cnb_python.python.setup_metadata import PYTHON_REQUIRES
from cnb_python.python.specifiers import PythonRange, parse_constraint
from cnb_python.python.version_files import (
    RUNTIME,
    VERSION_FILE,
    asdf_request,
    check_spelling,
    mise_request,
    pipenv_request,
    read_version_file,
)

_OPERATORS = frozenset("<>=~^|,!*")
_WILD = re.compile(r"[\d.]+\.\*")

type Request = PythonRequest | PythonRange
type Requests = tuple[Request, ...]
"""All requests of one source; empty if it names no version."""
type Source = Callable[[App], Requests]
"""Reads the requests of one source from the app."""


def setting_requests(settings: Settings) -> Requests:
    """Return the request of the setting `python`: a version, or a range in Poetry's grammar.

    Empty if the setting is not given. Raises what `parse_version` and `parse_constraint` raise.
    """
    text, source = settings.python, settings.origins.get("python")
    origin = Origin(f"the setting {VERSION}")
    if source and source.name != VERSION:
        origin = Origin(f"the setting python of {source.name}", source.line)
    if not text:
        return ()
    if _OPERATORS.intersection(text) and not _WILD.fullmatch(text):
        return (parse_constraint(text, origin),)
    return (parse_version(text, origin, lenient=True),)


def _runtime(app: App) -> Requests:
    return _requests(read_version_file(app, RUNTIME))


def _version_file(app: App) -> Requests:
    check_spelling(app)
    return _nearest(app, lambda directory: read_version_file(directory, VERSION_FILE))


def _pipenv(app: App) -> Requests:
    return _requests(pipenv_request(app))


def _asdf(app: App) -> Requests:
    return _nearest(app, asdf_request)


def _mise(app: App) -> Requests:
    return _nearest(app, mise_request)


def _nearest(app: App, read: Callable[[App], Request | None]) -> Requests:
    """Return the request nearest to the app: version managers also read the directories above."""
    requests = (read(directory) for directory in (app, *app.above))
    return _requests(next((request for request in requests if request), None))


def _requests(request: Request | None) -> Requests:
    return (request,) if request else ()


SOURCES: tuple[Source, ...] = (_runtime, _version_file, _pipenv, _asdf, _mise)
"""The files that name a version, in their order; the setting wins over all of them."""


def python_requests(app: App, settings: Settings) -> Requests:
    """Return the requests of the setting, of the first file that has any, or else the ranges.

    Raises what reading that file raises (`App.text`), and the errors of its parser.
    """
    requests = (source(app) for source in SOURCES)
    first = setting_requests(settings) or next(filter(None, requests), ())
    return first or _choosing_ranges(app)


def _choosing_ranges(app: App) -> Requests:
    """Return the ranges of the project, without one of setuptools that is not valid.

    Requirements are installed without setuptools' files, where old releases accepted `>=3.6.*`. A
    manager that builds the project refuses it (`resolver.manager_requests`).
    """
    try:
        return project_ranges(app)
    except InvalidPythonRange:
        return project_ranges(app, lambda origin: origin.field != PYTHON_REQUIRES)


def unused_requests(app: App, used: Requests) -> Requests:
    """Return the requests in the app's files other than those that are *used*."""
    readable = (_readable(source, app) for source in (*SOURCES, project_ranges))
    return tuple(request for request in chain.from_iterable(readable) if request not in used)


def _readable(source: Source, app: App) -> Iterator[Request]:
    try:
        yield from source(app)
    except BuildpackError:
        return  # a file that is not used need not be valid


def unreadable_range(app: App) -> Message | None:
    """Return a warning about a range of the project that its tools may not understand either."""
    try:
        project_ranges(app)
    except InvalidPythonRange as error:
        message = error.describe()
        return Message(message.title, (*message.body, *message.fixes))
    except BuildpackError:
        return None
    return None
