"""The servers that can serve an app in production, and how each is told to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cnb_python.launch.procfile import in_shell, replaced_by

type Interface = Literal["WSGI", "ASGI"]


@dataclass(frozen=True, slots=True)
class Framework:
    """A library that web apps are made with."""

    title: str
    distribution: str
    """Its normalised name on an index: without it installed the code cannot be the app."""
    interface: Interface


_FLASK = Framework("Flask", "flask", "WSGI")
_QUART = Framework("Quart", "quart", "ASGI")
_FASTAPI = Framework("FastAPI", "fastapi", "ASGI")
_STARLETTE = Framework("Starlette", "starlette", "ASGI")
_LITESTAR = Framework("Litestar", "litestar", "ASGI")
DJANGO = Framework("Django", "django", "WSGI")

# A call of one of these makes an application object.
MAKERS: Mapping[str, Framework] = {
    "flask.Flask": _FLASK,
    "flask.app.Flask": _FLASK,
    "quart.Quart": _QUART,
    "fastapi.FastAPI": _FASTAPI,
    "fastapi.applications.FastAPI": _FASTAPI,
    "starlette.applications.Starlette": _STARLETTE,
    "litestar.Litestar": _LITESTAR,
    "django.core.wsgi.get_wsgi_application": DJANGO,
    "django.core.asgi.get_asgi_application": Framework("Django", "django", "ASGI"),
}
# Frameworks that others are built on come last: FastAPI installs Starlette.
FRAMEWORKS = (_FASTAPI, _LITESTAR, _QUART, _FLASK, _STARLETTE)


@dataclass(frozen=True, slots=True)
class AppObject:
    """An object that a server can serve."""

    interface: Interface
    module: str
    """Dotted: `shop.wsgi`."""
    name: str
    factory: bool = False
    """Whether *name* has to be called to get the application."""

    def __str__(self) -> str:
        return f"{self.module}:{self.name}{'()' if self.factory else ''}"


@dataclass(frozen=True, slots=True)
class DetectedApp:
    """An app that can be served, and where that is written."""

    framework: str
    targets: tuple[AppObject, ...]
    """The ways to serve it, the app's own choice first; never empty."""
    file: str
    """Relative to the app's directory."""
    line: int
    sign: str
    """What stands there: `WSGI_APPLICATION`, or the name of the object."""
    directory: str = ""
    """Where Python has to start to import the target, relative to the app; empty: the app."""


# The port when the platform names none; the launch environment has it as the default of PORT.
PORT = "8000"
_PORT = f'"${{PORT:-{PORT}}}"'
# What the image derives from its container, as gunicorn and uvicorn read it by themselves.
_WORKERS = '"${WEB_CONCURRENCY:-1}"'
# An option is stronger than granian's own variable, so that has to be looked at here.
_GRANIAN_WORKERS = '"${GRANIAN_WORKERS:-${WEB_CONCURRENCY:-1}}"'
_GRANIAN = f"--host 0.0.0.0 --port {_PORT} --workers {_GRANIAN_WORKERS}"


@dataclass(frozen=True, slots=True)
class Server:
    """A way to serve one interface."""

    title: str
    needs: tuple[str, ...]
    """Normalised names of the distributions that have to be installed, its own first."""
    interface: Interface
    command: Callable[[AppObject], tuple[str, ...]]
    factories: bool = True
    """Whether it can call a function to get the application."""
    since: str = ""
    """The first release of it that can."""
    last_resort: bool = False
    """Whether any other way to serve the app, over the other interface too, is better."""


def _gunicorn(*options: str) -> Callable[[AppObject], tuple[str, ...]]:
    # It binds 0.0.0.0:$PORT by itself, and leaves a `bind` in gunicorn.conf.py in force.
    return lambda target: ("gunicorn", *options, str(target))


def _listening(words: str, factory: str = "") -> Callable[[AppObject], tuple[str, ...]]:
    """Return the command of a server that has to be told the port, which takes a shell.

    *factory* is the option that makes it call what it is given.
    """

    def command(target: AppObject) -> tuple[str, ...]:
        served = str(target)
        if target.factory:
            served = f"{factory} {target.module}:{target.name}" if factory else f"'{target}'"
        return in_shell(replaced_by(f"{words} {served}"))

    return command


# The first that is installed serves. Gunicorn manages ASGI workers for those who installed some.
SERVERS: tuple[Server, ...] = (
    Server("gunicorn", ("gunicorn",), "WSGI", _gunicorn()),
    Server(
        "granian",
        ("granian",),
        "WSGI",
        _listening(f"granian --interface wsgi {_GRANIAN}", "--factory"),
    ),
    Server(
        "waitress",
        ("waitress",),
        "WSGI",
        _listening(f"waitress-serve --host=0.0.0.0 --port={_PORT}", "--call"),
    ),
    Server(
        "gunicorn",
        ("uvicorn-worker", "gunicorn"),
        "ASGI",
        _gunicorn("--worker-class", "uvicorn_worker.UvicornWorker"),
    ),
    Server(
        "uvicorn",
        ("uvicorn",),
        "ASGI",
        _listening(f"uvicorn --host 0.0.0.0 --port {_PORT}", "--factory"),
    ),
    Server(
        "hypercorn",
        ("hypercorn",),
        "ASGI",
        _listening(f"hypercorn --bind 0.0.0.0:{_PORT} --workers {_WORKERS}"),
    ),
    Server(
        "granian",
        ("granian",),
        "ASGI",
        _listening(f"granian --interface asgi {_GRANIAN}", "--factory"),
    ),
    Server(
        "daphne",
        ("daphne",),
        "ASGI",
        _listening(f"daphne -b 0.0.0.0 -p {_PORT}"),
        factories=False,
    ),
    Server(
        "gunicorn",
        ("gunicorn",),
        "ASGI",
        _gunicorn("--worker-class", "asgi"),
        # Its own ASGI worker is young, and a Django project with gunicorn usually means WSGI.
        since="25.0.0",
        last_resort=True,
    ),
)
# The programs of these servers, and the distributions that install them.
PROGRAMS = {
    "gunicorn": "gunicorn",
    "uvicorn": "uvicorn",
    "hypercorn": "hypercorn",
    "granian": "granian",
    "daphne": "daphne",
    "waitress-serve": "waitress",
}
