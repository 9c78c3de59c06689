"""The web frameworks whose application objects a server can serve: a table.

`docs/processes.md` is generated from it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from cnb_python.errors.base import Message
from cnb_python.launch.tables.cautions import Caution
from cnb_python.python.versions import is_at_least

type Interface = Literal["WSGI", "ASGI", "Sanic", "aiohttp"]
"""What a server has to speak; Sanic and aiohttp have protocols of their own."""


@dataclass(frozen=True, slots=True)
class Framework:
    """A web framework, and the code by which its applications are recognized."""

    title: str
    distribution: str
    """Its normalized name; code that uses it is the app only if it is installed. Empty: none."""
    interface: Interface
    constructors: tuple[str, ...] = ()
    """Full names of classes and functions that return an application."""
    methods: tuple[str, ...] = ()
    """Names of methods that return an application: `make_wsgi_app`."""
    attributes: tuple[str, ...] = ()
    """Names of attributes of its objects that are the application: `server` of Dash."""
    is_served: bool = True
    """Whether its object itself can be served, not only one of *attributes*."""
    older: tuple[str, Interface] | None = None
    """A release, and the interface of the releases before it."""
    development: str = ""
    """The command that starts its development server; `{target}` is `module:name`."""
    ignored_run: str = ""
    """The variable, with its value, that makes `run` of its objects do nothing."""
    caution: Caution | None = None
    documentation: str = ""

    def interface_of(self, version: str) -> Interface:
        """Return the interface that release *version* has."""
        if self.older and version and not is_at_least(version, self.older[0]):
            return self.older[1]
        return self.interface

    @property
    def package(self) -> str:
        """The name that code imports."""
        names = (*self.constructors, self.distribution.replace("-", "_"))
        return names[0].partition(".")[0]


# https://flask.palletsprojects.com/en/stable/api/#flask.Flask.run: `flask run` sets it.
_IGNORED_RUN = "FLASK_RUN_FROM_CLI=true"
_FLASK_RUN = "flask --app {target} run --host {host} --port {port}"
DJANGO = Framework(
    "Django",
    "django",
    "WSGI",
    ("django.core.wsgi.get_wsgi_application", "configurations.wsgi.get_wsgi_application"),
    documentation="https://docs.djangoproject.com/en/stable/howto/deployment/",
)
FLASK = Framework(
    "Flask",
    "flask",
    "WSGI",
    ("flask.Flask", "flask.app.Flask"),
    development=_FLASK_RUN,
    ignored_run=_IGNORED_RUN,
    documentation="https://flask.palletsprojects.com/en/stable/deploying/",
)

# A framework that others depend on comes after them: FastAPI installs Starlette.
FRAMEWORKS: tuple[Framework, ...] = (
    DJANGO,
    Framework(
        "Django",
        "django",
        "ASGI",
        ("django.core.asgi.get_asgi_application", "configurations.asgi.get_asgi_application"),
        documentation="https://docs.djangoproject.com/en/stable/howto/deployment/asgi/",
    ),
    Framework(
        "Channels",
        "channels",
        "ASGI",
        ("channels.routing.ProtocolTypeRouter", "channels.routing.get_default_application"),
        documentation="https://channels.readthedocs.io/en/stable/deploying.html",
    ),
    Framework(
        "nanodjango",
        "nanodjango",
        "WSGI",
        ("nanodjango.Django",),
        documentation="https://nanodjango.readthedocs.io/",
    ),
    Framework(
        "FastHTML",
        "python-fasthtml",
        "ASGI",
        (
            *("fasthtml.common.fast_app", "fasthtml.common.FastHTML"),
            *("fasthtml.FastHTML", "fasthtml.fastapp.fast_app", "fasthtml.core.FastHTML"),
        ),
        caution=Caution(
            r"\b(?:secret_key|key_fname)\s*=",
            "FastHTML cannot write its key",
            (
                "Without a key for sessions it writes .sesskey into the app's directory, which",
                "containers may not write to, and does not start then. Give it one in {file}:",
                '    secret_key=os.environ["SECRET_KEY"]',
            ),
            ".sesskey",
        ),
        documentation="https://www.fastht.ml/docs/",
    ),
    Framework(
        "FastMCP",
        "fastmcp",
        "ASGI",
        methods=("http_app",),
        documentation="https://gofastmcp.com/deployment/http",
    ),
    Framework(
        "MCP",
        "mcp",
        "ASGI",
        methods=("streamable_http_app", "sse_app"),
        documentation="https://github.com/modelcontextprotocol/python-sdk",
    ),
    Framework(
        "FastAPI",
        "fastapi",
        "ASGI",
        ("fastapi.FastAPI", "fastapi.applications.FastAPI"),
        documentation="https://fastapi.tiangolo.com/deployment/",
    ),
    Framework(
        "Litestar",
        "litestar",
        "ASGI",
        ("litestar.Litestar", "litestar.app.Litestar"),
        documentation="https://docs.litestar.dev/latest/topics/deployment/",
    ),
    Framework(
        "APIFlask",
        "apiflask",
        "WSGI",
        ("apiflask.APIFlask", "apiflask.app.APIFlask"),
        development=_FLASK_RUN,
        ignored_run=_IGNORED_RUN,
        documentation="https://apiflask.com/",
    ),
    Framework(
        "Flask-OpenAPI3",
        "flask-openapi3",
        "WSGI",
        ("flask_openapi3.OpenAPI",),
        development=_FLASK_RUN,
        ignored_run=_IGNORED_RUN,
        documentation="https://luolingchun.github.io/flask-openapi3/",
    ),
    Framework(
        "Quart",
        "quart",
        "ASGI",
        ("quart.Quart", "quart.app.Quart"),
        documentation="https://quart.palletsprojects.com/en/latest/tutorials/deployment.html",
    ),
    Framework(
        "Connexion",
        "connexion",
        "ASGI",
        (
            *("connexion.App", "connexion.FlaskApp", "connexion.AsyncApp"),
            *("connexion.FlaskApi", "connexion.AioHttpApp"),
        ),
        attributes=("app",),
        older=("3", "WSGI"),
        documentation="https://connexion.readthedocs.io/en/latest/quickstart.html",
    ),
    Framework(
        "Dash",
        "dash",
        "WSGI",
        ("dash.Dash", "dash.dash.Dash", "dash_extensions.enrich.DashProxy"),
        attributes=("server",),
        is_served=False,
        ignored_run=_IGNORED_RUN,
        documentation="https://dash.plotly.com/deployment",
    ),
    FLASK,
    Framework(
        "Sanic",
        "sanic",
        "Sanic",
        ("sanic.Sanic", "sanic.app.Sanic"),
        documentation="https://sanic.dev/en/guide/running/running.html",
    ),
    Framework(
        "aiohttp",
        "aiohttp",
        "aiohttp",
        ("aiohttp.web.Application",),
        documentation="https://docs.aiohttp.org/en/stable/deployment.html",
    ),
    Framework(
        "Falcon",
        "falcon",
        "WSGI",
        ("falcon.App", "falcon.API"),
        documentation="https://falcon.readthedocs.io/en/stable/deploy/",
    ),
    Framework(
        "Falcon",
        "falcon",
        "ASGI",
        ("falcon.asgi.App",),
        documentation="https://falcon.readthedocs.io/en/stable/deploy/",
    ),
    Framework(
        "Bottle",
        "bottle",
        "WSGI",
        ("bottle.Bottle", "bottle.default_app", "bottle.app"),
        documentation="https://bottlepy.org/docs/stable/deployment.html",
    ),
    Framework(
        "Pyramid",
        "pyramid",
        "WSGI",
        ("pyramid.paster.get_app",),
        methods=("make_wsgi_app",),
        documentation="https://docs.pylonsproject.org/projects/pyramid/en/latest/",
    ),
    Framework(
        "CherryPy",
        "cherrypy",
        "WSGI",
        ("cherrypy.Application", "cherrypy.tree.mount"),
        documentation="https://docs.cherrypy.dev/en/latest/deploy.html",
    ),
    Framework(
        "Socket.IO",
        "python-socketio",
        "ASGI",
        ("socketio.ASGIApp",),
        documentation="https://python-socketio.readthedocs.io/en/latest/server.html",
    ),
    Framework(
        "Socket.IO",
        "python-socketio",
        "WSGI",
        ("socketio.WSGIApp",),
        documentation="https://python-socketio.readthedocs.io/en/latest/server.html",
    ),
    Framework(
        "BlackSheep",
        "blacksheep",
        "ASGI",
        ("blacksheep.Application", "blacksheep.server.Application"),
        documentation="https://www.neoteroi.dev/blacksheep/",
    ),
    Framework(
        "Starlette",
        "starlette",
        "ASGI",
        ("starlette.applications.Starlette",),
        documentation="https://www.starlette.io/",
    ),
)

# Functions of the app that are applications by their parameters.
# https://peps.python.org/pep-3333/, https://asgi.readthedocs.io/en/latest/specs/main.html
PLAIN_WSGI = Framework("WSGI", "", "WSGI", documentation="https://peps.python.org/pep-3333/")
PLAIN_ASGI = Framework("ASGI", "", "ASGI", documentation="https://asgi.readthedocs.io/")
CALLABLES: Mapping[tuple[str, ...], Framework] = {
    ("environ", "start_response"): PLAIN_WSGI,
    ("scope", "receive", "send"): PLAIN_ASGI,
}

# Calls that return an application object.
CONSTRUCTORS: Mapping[str, Framework] = {
    name: framework for framework in FRAMEWORKS for name in framework.constructors
}
METHODS: Mapping[str, Framework] = {
    name: framework for framework in FRAMEWORKS for name in framework.methods
}

# Calls that take an application and return one with another interface.
CONVERTERS: Mapping[str, Interface] = {
    "asgiref.wsgi.WsgiToAsgi": "ASGI",
    "a2wsgi.WSGIMiddleware": "ASGI",
    "a2wsgi.ASGIMiddleware": "WSGI",
    "starlette.middleware.wsgi.WSGIMiddleware": "ASGI",
    "fastapi.middleware.wsgi.WSGIMiddleware": "ASGI",
    "uvicorn.middleware.wsgi.WSGIMiddleware": "ASGI",
    "hypercorn.middleware.AsyncioWSGIMiddleware": "ASGI",
    "socketio.ASGIApp": "ASGI",
    "socketio.WSGIApp": "WSGI",
}
# Calls that take an application and return one, besides all names that end in `Middleware`.
WRAPPERS = frozenset(
    {
        "ProxyFix",
        "WhiteNoise",
        "mount_gradio_app",
        "WsgiToAsgi",
        "ASGIApp",
        "WSGIApp",
        "Cling",
        "StaticFilesHandler",
    }
    | {"ASGIStaticFilesHandler", "Sentry", "DebuggedApplication", "ServerErrorHandler"}
)


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
    development: str = ""
    """The command of its development server; empty if it has no separate one."""
    notes: tuple[str, ...] = ()
    """Further lines for the log: what else could have been chosen."""
    cautions: tuple[Message, ...] = ()
    """Warnings about what its code lacks."""
    started_at: int = 0
    """The line of *file* that starts a server when a server imports it; 0 without one."""
    ignored_run: str = ""
    """The variable, with its value, that makes that line do nothing; empty without one."""
