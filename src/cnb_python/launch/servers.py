"""The servers for production, and the command line of each."""

from dataclasses import dataclass

from cnb_python.launch.procfile import parse_command
from cnb_python.launch.tables.frameworks import AppObject, Interface

# The default port; the launch environment has it as the default of PORT.
PORT = "8000"
# Words that commands of tables contain, and what they stand for.
_WORDS = {
    "{port}": f'"${{PORT:-{PORT}}}"',
    # Variables of the image for containers without IPv4: execd/addresses.go. The second one has
    # brackets around an address of IPv6.
    "{host}": '"${BPL_PYTHON_HOST:-0.0.0.0}"',
    "{address}": '"${BPL_PYTHON_ADDRESS:-0.0.0.0}"',
    # The same in a program of Python that has imported `os`.
    "{python_port}": f'int(os.environ.get("PORT", "{PORT}"))',
    "{python_host}": 'os.environ.get("BPL_PYTHON_HOST", "0.0.0.0")',
    # The image sets it for its container; gunicorn and uvicorn read it themselves.
    "{workers}": '"${WEB_CONCURRENCY:-1}"',
}


def command_text(template: str, **words: str) -> str:
    """Return the command *template* of a table as a line of a Procfile has it.

    >>> command_text("daphne -b {host} -p {port} {target}", target="shop.asgi:application")
    'daphne -b "${BPL_PYTHON_HOST:-0.0.0.0}" -p "${PORT:-8000}" shop.asgi:application'
    """
    for word, value in (*_WORDS.items(), *((f"{{{name}}}", text) for name, text in words.items())):
        template = template.replace(word, value)
    return template


def argv(command: str) -> tuple[str, ...]:
    """Return how the launcher executes *command*."""
    return parse_command(command).argv


@dataclass(frozen=True, slots=True)
class Server:
    """A way to serve one interface."""

    title: str
    needs: tuple[str, ...]
    """Normalized names of the distributions that it needs, its own first."""
    interface: Interface
    template: str
    """Its command; `{target}` is `module:name`, and `module:name()` for a factory."""
    factory: str = "{target}"
    """What `{target}` is for a factory; `{object}` is `module:name`."""
    attribute: str = "{target}"
    """What `{target}` is for an attribute of an object, `module:app.server`; empty: not
    supported."""
    calls_factories: bool = True
    """Whether it can call a function that returns the application."""
    min_version: str = ""
    """The first release that can serve the interface; empty if all can."""
    last_resort: bool = False
    """Whether any other server is preferred, even one for the other interface."""

    def command(self, target: AppObject) -> str:
        """Return the command that serves *target*, as a line of a Procfile has it."""
        served = str(target)
        if "." in target.name:
            served = self.attribute.replace("{target}", served)
        if target.factory:
            name = f"{target.module}:{target.name}"
            served = self.factory.replace("{target}", f"'{target}'").replace("{object}", name)
        return command_text(self.template, target=served)


# gunicorn binds 0.0.0.0:$PORT without options, which lets `bind` in gunicorn.conf.py apply.
# An option overrides granian's own variable, so the command line has to respect that.
_GRANIAN = '--host {host} --port {port} --workers "${GRANIAN_WORKERS:-${WEB_CONCURRENCY:-1}}"'
# Without `master` and `die-on-term`, SIGTERM would reload it.
_UWSGI = (
    "uwsgi --http-socket {address}:{port} --master --die-on-term --need-app --enable-threads "
    "--processes {workers} --module {target}"
)

# The first one that is installed is used.
SERVERS: tuple[Server, ...] = (
    Server(
        "gunicorn",
        ("gunicorn",),
        "WSGI",
        "gunicorn {target}",
        # It accepts names and calls, not attributes: https://docs.python.org/3/library/pkgutil.html
        attribute="\"pkgutil:resolve_name('{target}')\"",
    ),
    Server(
        "granian",
        ("granian",),
        "WSGI",
        f"granian --interface wsgi {_GRANIAN} {{target}}",
        "--factory {object}",
    ),
    Server(
        "waitress",
        ("waitress",),
        "WSGI",
        "waitress-serve --host={host} --port={port} {target}",
        "--call {object}",
    ),
    *(
        Server("uwsgi", (distribution,), "WSGI", _UWSGI, attribute="")
        for distribution in ("uwsgi", "pyuwsgi")
    ),
    Server(
        "gunicorn",
        ("uvicorn-worker", "gunicorn"),
        "ASGI",
        "gunicorn --worker-class uvicorn_worker.UvicornWorker {target}",
    ),
    Server(
        "uvicorn",
        ("uvicorn",),
        "ASGI",
        "uvicorn --host {host} --port {port} {target}",
        "--factory {object}",
    ),
    Server(
        "hypercorn",
        ("hypercorn",),
        "ASGI",
        "hypercorn --bind {address}:{port} --workers {workers} {target}",
    ),
    Server(
        "granian",
        ("granian",),
        "ASGI",
        f"granian --interface asgi {_GRANIAN} {{target}}",
        "--factory {object}",
    ),
    Server(
        "daphne",
        ("daphne",),
        "ASGI",
        "daphne -b {host} -p {port} {target}",
        calls_factories=False,
    ),
    Server(
        "gunicorn",
        ("gunicorn",),
        "ASGI",
        "gunicorn --worker-class asgi {target}",
        # Its own ASGI worker is new, and a Django project with gunicorn usually uses WSGI.
        min_version="25.0.0",
        last_resort=True,
    ),
    Server(
        "sanic",
        ("sanic",),
        "Sanic",
        # Its manager of several processes does not end in a container after SIGTERM.
        "sanic {target} --host={host} --port={port} --single-process",
        "{object} --factory",
    ),
    Server(
        "gunicorn",
        ("gunicorn", "aiohttp"),
        "aiohttp",
        "gunicorn --worker-class aiohttp.GunicornWebWorker {target}",
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
