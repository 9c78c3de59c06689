"""The web frameworks that apps are detected by, and what detection finds of an app."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

type Interface = Literal["WSGI", "ASGI"]


@dataclass(frozen=True, slots=True)
class Framework:
    """A web framework."""

    title: str
    distribution: str
    """Its normalized name; code that uses it is the app only if it is installed."""
    interface: Interface


_FLASK = Framework("Flask", "flask", "WSGI")
_QUART = Framework("Quart", "quart", "ASGI")
_FASTAPI = Framework("FastAPI", "fastapi", "ASGI")
_STARLETTE = Framework("Starlette", "starlette", "ASGI")
_LITESTAR = Framework("Litestar", "litestar", "ASGI")
DJANGO = Framework("Django", "django", "WSGI")

# Calls that return an application object.
CONSTRUCTORS: Mapping[str, Framework] = {
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
# A framework that others depend on comes last: FastAPI installs Starlette.
FRAMEWORKS = (_FASTAPI, _LITESTAR, _QUART, _FLASK, _STARLETTE)


@dataclass(frozen=True, slots=True)
class AppObject:
    """An object that a server can serve."""

    interface: Interface
    module: str
    """Dotted: `shop.wsgi`."""
    name: str
    factory: bool = False
    """Whether *name* is a function that returns the application."""

    def __str__(self) -> str:
        return f"{self.module}:{self.name}{'()' if self.factory else ''}"


@dataclass(frozen=True, slots=True)
class DetectedApp:
    """An app that can be served, and the line of code that shows it."""

    framework: str
    targets: tuple[AppObject, ...]
    """The application objects that servers can use, the app's own choice first; never empty."""
    file: str
    """Relative to the app's directory."""
    line: int
    sign: str
    """The name in that line: `WSGI_APPLICATION`, or the variable of the object."""
    directory: str = ""
    """The working directory relative to the app; empty for the app itself."""
