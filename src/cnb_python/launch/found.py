"""What an app directory turns out to serve, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

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
class Target:
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
class Found:
    """An app that can be served, and where that is written."""

    framework: str
    targets: tuple[Target, ...]
    """The ways to serve it, the app's own choice first; never empty."""
    file: str
    """Relative to the app's directory."""
    line: int
    sign: str
    """What stands there: `WSGI_APPLICATION`, or the name of the object."""
    directory: str = ""
    """Where Python has to start to import the target, relative to the app; empty: the app."""
