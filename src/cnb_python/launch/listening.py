"""Makes servers listen on all addresses of the container, at $PORT.

Without a configuration many listen on 127.0.0.1, where no request from outside reaches them. Some
have variables for it, which get defaults; for the others a warning has the line to write.

Separate from `processes`, which decides what the image starts.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.errors.base import Message
from cnb_python.launch import gunicorn_config
from cnb_python.launch.named_processes import NamedProcess
from cnb_python.launch.procfile import WEB
from cnb_python.system import regular_file

ALL_ADDRESSES = "0.0.0.0"  # noqa: S104 - a server in a container
_PORT = "$PORT"

# The variables that the servers of a distribution read. They lose against options of a command.
# `$PORT` is replaced when a process starts.
VARIABLES: Mapping[str, Mapping[str, str]] = {
    # https://uvicorn.dev/settings/
    "uvicorn": {"UVICORN_HOST": ALL_ADDRESSES, "UVICORN_PORT": _PORT},
    # https://flask.palletsprojects.com/en/stable/cli/#setting-command-options
    "flask": {"FLASK_RUN_HOST": ALL_ADDRESSES, "FLASK_RUN_PORT": _PORT},
    # https://www.gradio.app/guides/environment-variables
    "gradio": {"GRADIO_SERVER_NAME": ALL_ADDRESSES, "GRADIO_SERVER_PORT": _PORT},
    # https://docs.streamlit.io/develop/api-reference/configuration/config.toml
    "streamlit": {
        "STREAMLIT_SERVER_ADDRESS": ALL_ADDRESSES,
        "STREAMLIT_SERVER_PORT": _PORT,
        # Otherwise it prompts for an e-mail address, and opens a browser.
        "STREAMLIT_SERVER_HEADLESS": "true",
    },
    # chainlit/cli/__init__.py
    "chainlit": {"CHAINLIT_HOST": ALL_ADDRESSES, "CHAINLIT_PORT": _PORT},
    # https://mlflow.org/docs/latest/api_reference/cli.html
    "mlflow": {
        "MLFLOW_HOST": ALL_ADDRESSES,
        "MLFLOW_PORT": _PORT,
        # Without it MLflow 3.5 and newer answer only requests to localhost. Older releases do not
        # have the option, and ignore the variable.
        "MLFLOW_SERVER_ALLOWED_HOSTS": "*",
    },
    # https://gofastmcp.com/more/settings
    "fastmcp": {"FASTMCP_HOST": ALL_ADDRESSES, "FASTMCP_PORT": _PORT},
    # https://docs.bentoml.com/en/latest/reference/bentoml/cli.html
    "bentoml": {"BENTOML_HOST": ALL_ADDRESSES, "BENTOML_PORT": _PORT},
    # It reads PORT itself: https://solara.dev/documentation/getting_started/deploying/self-hosted
    "solara": {"SOLARA_HOST": ALL_ADDRESSES},
    # https://flower.readthedocs.io/en/latest/config.html: it listens on all addresses.
    "flower": {"FLOWER_PORT": _PORT},
    # https://robyn.tech/documentation/en/api_reference/getting_started
    "robyn": {"ROBYN_HOST": ALL_ADDRESSES, "ROBYN_PORT": _PORT},
    # https://github.com/emmett-framework/granian/blob/master/granian/cli.py
    "granian": {"GRANIAN_HOST": ALL_ADDRESSES, "GRANIAN_PORT": _PORT},
    # https://uwsgi-docs.readthedocs.io/en/latest/Management.html: SIGTERM would reload it.
    "uwsgi": {"UWSGI_DIE_ON_TERM": "true"},
}
# An option with the address, in containers without IPv4: execd/servers.go.
_GUNICORN_BIND = {"GUNICORN_CMD_ARGS": "$BIND"}
_CONFIGURED_STREAMLIT = re.compile(r"^\s*(address|port|headless)\s*=", re.MULTILINE)
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=", re.MULTILINE)
# What python-dotenv reads without overriding variables: they would lose against ours.
_DOTENV = (".env", ".flaskenv")
_READ_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class _Listener:
    """A server without such variables, and the options that choose where it listens."""

    command: re.Pattern[str]
    anywhere: re.Pattern[str] | None
    """Options that choose both, or a file that may do so."""
    host: re.Pattern[str] | None
    """None if it listens on all addresses."""
    port: re.Pattern[str] | None
    """None if the options for the host have it too."""
    host_option: str
    port_option: str

    def missing(self, options: str) -> tuple[str, str]:
        """Return what to add to *options*, those of a command: for the host, for the port."""
        if _HELD.search(options) or (self.anywhere and self.anywhere.search(options)):
            return "", ""
        has_host = self.host is None or self.host.search(options)
        has_port = self.port is None or self.port.search(options)
        return "" if has_host else self.host_option, "" if has_port else self.port_option


def _server(
    command: str,
    *,
    host: str = "",
    port: str = "",
    anywhere: str = "",
    host_option: str = f"--host {ALL_ADDRESSES}",
    port_option: str = f"--port {_PORT}",
) -> _Listener:
    return _Listener(
        re.compile(rf"(?:^|[\s/]){command}(?=\s|$)"),
        _options(anywhere),
        _options(host),
        _options(port),
        host_option,
        port_option,
    )


def _options(names: str) -> re.Pattern[str] | None:
    """Return a pattern of options, None without *names*; these may include a value: `-p8000`."""
    return re.compile(rf"\s[\"']?(?:{names})(?=[\s=\"']|$)") if names else None


_SERVERS: tuple[_Listener, ...] = (
    _server(
        "hypercorn",
        host=r"-b\S*|--bind|-c\S*|--config|--quic-bind|--insecure-bind",
        host_option=f"--bind {ALL_ADDRESSES}:{_PORT}",
    ),
    _server(
        "daphne",
        host=r"-b\S*|--bind",
        port=r"-p\S*|--port",
        anywhere="-e|--endpoint|-u|--unix-socket|--fd",
        host_option=f"-b {ALL_ADDRESSES}",
        port_option=f"-p {_PORT}",
    ),
    # Without options it listens on all addresses, at 8080.
    _server("waitress-serve", port="--port", anywhere="--listen|--unix-socket"),
    # Without an address it serves nothing. A file may have all options.
    _server(
        "uwsgi",
        host=r"--https?(?:-socket|11-socket)?|--(?:uwsgi-)?socket|-s|--fastrouter|--emperor"
        r"|--(?:ini|yaml|yml|json|xml|config|ini-paste|ini-paste-logged)"
        r"|\S+\.(?:ini|ya?ml|json|xml)",
        host_option=f"--http-socket {ALL_ADDRESSES}:{_PORT}",
    ),
    *(
        _server(command, host=host, port=port, anywhere=anywhere)
        for command, host, port, anywhere in (
            (r"quart\s+run", r"-h\S*|--host", r"-p\S*|--port", ""),
            ("sanic", r"-H\S*|--host", r"-p\S*|--port", r"-u\S*|--unix"),
            (r"marimo\s+(?:run|edit)", "--host", r"-p\S*|--port", ""),
            ("datasette", r"-h\S*|--host", r"-p\S*|--port", "--uds"),
            (r"shiny\s+run", r"-h\S*|--host", r"-p\S*|--port", "--uds|--fd"),
            (
                r"litestar(?:\s+\S+)*?\s+run",
                r"-H\S*|--host",
                r"-p\S*|--port",
                r"-U\S*|--uds|-F\S*|--fd",
            ),
            (r"fastapi\s+dev", "--host", "--port", "--uds|--fd"),
            (r"(?:dagster-webserver|dagster\s+dev)", r"-h\S*|--host", r"-p\S*|--port", ""),
            (r"prefect\s+server\s+start", "--host", "--port", ""),
            ("tensorboard", "--host|--bind_all", "--port", ""),
        )
    ),
    *(
        _server(
            command,
            host=r"--(?:\w+\.)?ip" if host else "",
            port=r"--(?:\w+\.)?port",
            anywhere=r"--unix-socket|--config|--(?:\w+\.)?sock",
            host_option=f"{host} {ALL_ADDRESSES}",
        )
        for command, host in (
            (r"(?:bokeh|panel)\s+serve", ""),
            ("voila", "--Voila.ip"),
            # Options of traitlets: `--ServerApp.ip`, `--NotebookApp.port`.
            (r"jupyter[\s-](?:lab|notebook|server)", "--ip"),
        )
    ),
    _server(
        r"manage\.py\s+runserver",
        host=r"(?:[\w.\[\]:]+:)?[\d$]\S*",
        host_option=f"{ALL_ADDRESSES}:{_PORT}",
    ),
    _server(r"python[\d.]*\s+-m\s+http\.server", port=r"[\d$]\S*", port_option=_PORT),
)
_LOCALHOST = r"(?:127(?:\.\d{1,3}){3}|localhost|\[?::1\]?)"
# `--host 127.0.0.1`, `-b localhost:8000`, `--server.address='127.0.0.1'`.
_LOCAL = re.compile(
    r"((?:\s(?:--host|--bind|--address|--server\.address|--listen|--ip|--Voila\.ip|--ServerApp\.ip"
    r"|--https?(?:-socket)?|-b|-h|-H)(?:\s+|=)?|manage\.py\s+runserver\s+(?:-\S+\s+)*)[\"']?)"
    rf"{_LOCALHOST}(?=[\s:\"']|$)"
)
# uWSGI's own protocol, which only a proxy beside it can speak.
_UWSGI_PROTOCOL = re.compile(r"((?:^|[\s/])uwsgi\s(?:.*\s)?)(?:--socket|-s)(?=[\s=])")
# What may have it speak HTTP: options before and after the socket, or in a file.
_UWSGI_HTTP = re.compile(
    r"\s[\"']?--(?:https?|protocol)|\s[\"']?--(?:ini|yaml|yml|json|xml|config|emperor)"
    r"|\.(?:ini|ya?ml|json|xml)\b"
)
# A variable with options: `$UWSGI_OPTS`, or one that is no option's value: `uwsgi $INI`.
_HELD = re.compile(
    r"\s[\"']?\$(?:[@*]|\{?\w*(?:OPT|ARG|FLAG|PARAM|CONF|EXTRA|SETTING)\w*)"
    r"|(?:^|(?:^|\s)[^\s-]\S*)\s+\$\{?\w+\}?(?=\s|$)"
)
_BIND = re.compile(r"\s[\"']?(?:-b|--bind)")
# A proxy in the same container may be what reaches the server.
_PROXIES = "nginx|caddy|envoy|haproxy"
_SEVERAL = re.compile(rf"&|\||;|{_PROXIES}")
# The server has to stay where the proxy looks for it.
_BEHIND_PROXY = re.compile(_PROXIES)


def variables(
    app_dir: Path, installed: Collection[str], named: Iterable[NamedProcess] = ()
) -> dict[str, str]:
    """Return the variables of the installed servers, unless the app's own files set them.

    *installed* has normalized names; *named* are the author's own processes: no server gets an
    address if one of them starts a proxy too. A value may be `$PORT`.
    """
    is_behind_proxy = any(_BEHIND_PROXY.search(each.command) for each in named)
    files = (_text(app_dir / name) for name in _DOTENV)
    own = {name for text in files for name in _ASSIGNED.findall(text)}
    streamlit = _text(app_dir / ".streamlit/config.toml")
    own |= {f"STREAMLIT_SERVER_{key.upper()}" for key in _CONFIGURED_STREAMLIT.findall(streamlit)}
    bound = {} if _binds(app_dir, installed) or is_behind_proxy else _GUNICORN_BIND
    return bound | {
        name: value
        for distribution, assigned in VARIABLES.items()
        if distribution in installed
        for name, value in assigned.items()
        if name not in own and not (is_behind_proxy and value in {ALL_ADDRESSES, _PORT})
    }


def _binds(app_dir: Path, installed: Collection[str]) -> bool:
    """Whether gunicorn is not installed, or a file of the app may have its address."""
    return "gunicorn" not in installed or bool(gunicorn_config.options_set(app_dir, ("bind",)))


def warnings(named: Iterable[NamedProcess]) -> tuple[Message, ...]:
    """Return a warning for each of the *named* processes that no request from outside reaches."""
    return tuple(message for each in named if (message := _warning(each)) is not None)


def bind_warnings(commands: Iterable[tuple[str, str, str]], app_dir: Path) -> tuple[Message, ...]:
    """Return a warning if gunicorn takes its address from a file that binds 127.0.0.1.

    *commands* has of each process the type, the command, and the directory relative to the app.
    """
    return tuple(
        _binds_locally(kind, file)
        for kind, command, directory in commands
        if kind == WEB
        and not _SEVERAL.search(command.replace("&&", ""))
        and not _BIND.search(command)
        and not _HELD.search(command)
        and (file := gunicorn_config.local_bind(app_dir, command, directory))
    )


def _warning(process: NamedProcess) -> Message | None:
    if process.type != WEB or _SEVERAL.search(process.command.replace("&&", "")):
        return None
    # What runs before the server may name a server elsewhere: `pg_isready -h localhost`.
    before, mark, last = process.command.rpartition("&&")
    if _LOCAL.search(last):
        line = before + mark + _LOCAL.sub(rf"\g<1>{ALL_ADDRESSES}", last)
        return _listens_locally(process, line)
    if _UWSGI_PROTOCOL.search(last) and not _UWSGI_HTTP.search(last) and not _HELD.search(last):
        line = before + mark + _UWSGI_PROTOCOL.sub(r"\g<1>--http-socket", last)
        return _speaks_uwsgi(process, line)
    return _without_options(process, last)


def _without_options(process: NamedProcess, last: str) -> Message | None:
    for server in _SERVERS:
        if match := server.command.search(last):
            host, port = server.missing(last[match.end() :])
            line = " ".join(filter(None, (process.command, host, port)))
            if host:
                return _listens_locally(process, line)
            return _ignores_port(process, line) if port else None
    return None


def _listens_locally(process: NamedProcess, line: str) -> Message:
    return Message(
        title=f"{process.type} listens on 127.0.0.1: no request from outside reaches it",
        body=(
            f"See {process.origin}. In a container, a server has to listen on",
            "all addresses, at the port that the platform chooses:",
            f"    {process.line(line)}",
        ),
    )


def _ignores_port(process: NamedProcess, line: str) -> Message:
    return Message(
        title=f"{process.type} does not listen at PORT",
        body=(
            f"See {process.origin}. The server listens at a port of its own, but platforms send",
            "requests to the port in the variable PORT:",
            f"    {process.line(line)}",
        ),
    )


def _speaks_uwsgi(process: NamedProcess, line: str) -> Message:
    return Message(
        title=f"{process.type} does not speak HTTP",
        body=(
            f"See {process.origin}. A socket of uWSGI has a protocol of its own, but platforms",
            "send HTTP:",
            f"    {process.line(line)}",
        ),
    )


def _binds_locally(kind: str, file: str) -> Message:
    return Message(
        title=f"{kind} listens on 127.0.0.1: no request from outside reaches it",
        body=(
            f"gunicorn takes its address from {file}. Remove `bind` there: gunicorn",
            "then listens on all addresses, at the port in the variable PORT.",
        ),
    )


def _text(path: Path) -> str:
    try:
        with regular_file.opened(path) as file:
            return file.read(_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
