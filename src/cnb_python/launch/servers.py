"""The servers for production, and the command line of each."""

from collections.abc import Callable
from dataclasses import dataclass

from cnb_python.launch.frameworks import AppObject, Interface
from cnb_python.launch.procfile import in_shell, replaced_by

# The default port; the launch environment has it as the default of PORT.
PORT = "8000"
_PORT = f'"${{PORT:-{PORT}}}"'
# The image sets it for its container; gunicorn and uvicorn read it themselves.
_WORKERS = '"${WEB_CONCURRENCY:-1}"'
# An option overrides granian's own variable, so the command line has to respect that.
_GRANIAN_WORKERS = '"${GRANIAN_WORKERS:-${WEB_CONCURRENCY:-1}}"'
_GRANIAN = f"--host 0.0.0.0 --port {_PORT} --workers {_GRANIAN_WORKERS}"
# Without `master` and `die-on-term`, SIGTERM would reload it.
_UWSGI = (
    f"uwsgi --http-socket 0.0.0.0:{_PORT} --master --die-on-term --need-app --enable-threads "
    f"--processes {_WORKERS} --module"
)


@dataclass(frozen=True, slots=True)
class Server:
    """A way to serve one interface."""

    title: str
    needs: tuple[str, ...]
    """Normalized names of the distributions that it needs, its own first."""
    interface: Interface
    command: Callable[[AppObject], tuple[str, ...]]
    calls_factories: bool = True
    """Whether it can call a function that returns the application."""
    min_version: str = ""
    """The first release that can serve the interface; empty if all can."""
    last_resort: bool = False
    """Whether any other server is preferred, even one for the other interface."""


def _gunicorn(*options: str) -> Callable[[AppObject], tuple[str, ...]]:
    # It binds 0.0.0.0:$PORT without options, which lets `bind` in gunicorn.conf.py apply.
    return lambda target: ("gunicorn", *options, str(target))


def _with_port(options: str, factory: str = "") -> Callable[[AppObject], tuple[str, ...]]:
    """Return the command of a server that takes the port as an option, from a shell variable.

    *factory* is the option that makes it call the object that it serves.
    """

    def command(target: AppObject) -> tuple[str, ...]:
        served = str(target)
        if target.factory:
            served = f"{factory} {target.module}:{target.name}" if factory else f"'{target}'"
        return in_shell(replaced_by(f"{options} {served}"))

    return command


# The first one that is installed is used.
SERVERS: tuple[Server, ...] = (
    Server("gunicorn", ("gunicorn",), "WSGI", _gunicorn()),
    Server(
        "granian",
        ("granian",),
        "WSGI",
        _with_port(f"granian --interface wsgi {_GRANIAN}", "--factory"),
    ),
    Server(
        "waitress",
        ("waitress",),
        "WSGI",
        _with_port(f"waitress-serve --host=0.0.0.0 --port={_PORT}", "--call"),
    ),
    *(
        Server("uwsgi", (distribution,), "WSGI", _with_port(_UWSGI))
        for distribution in ("uwsgi", "pyuwsgi")
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
        _with_port(f"uvicorn --host 0.0.0.0 --port {_PORT}", "--factory"),
    ),
    Server(
        "hypercorn",
        ("hypercorn",),
        "ASGI",
        _with_port(f"hypercorn --bind 0.0.0.0:{_PORT} --workers {_WORKERS}"),
    ),
    Server(
        "granian",
        ("granian",),
        "ASGI",
        _with_port(f"granian --interface asgi {_GRANIAN}", "--factory"),
    ),
    Server(
        "daphne",
        ("daphne",),
        "ASGI",
        _with_port(f"daphne -b 0.0.0.0 -p {_PORT}"),
        calls_factories=False,
    ),
    Server(
        "gunicorn",
        ("gunicorn",),
        "ASGI",
        _gunicorn("--worker-class", "asgi"),
        # Its own ASGI worker is new, and a Django project with gunicorn usually uses WSGI.
        min_version="25.0.0",
        last_resort=True,
    ),
)
# The programs of servers and of other usual processes, and the distributions that install them.
PROGRAMS = {
    "gunicorn": "gunicorn",
    "uvicorn": "uvicorn",
    "hypercorn": "hypercorn",
    "granian": "granian",
    "daphne": "daphne",
    "waitress-serve": "waitress",
    "celery": "celery",
    "flask": "flask",
    "streamlit": "streamlit",
    "rq": "rq",
    "dramatiq": "dramatiq",
    "alembic": "alembic",
    "honcho": "honcho",
}
