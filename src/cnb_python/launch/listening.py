"""Makes servers listen on all addresses of the container, at $PORT.

Without a configuration many listen on 127.0.0.1, where no request from outside reaches them. Some
have variables for it, which get defaults; for the others a warning has the line to write.

Separate from `processes`, which decides what the image starts.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from cnb_python.errors.base import Message
from cnb_python.launch.procfile import WEB, ProcfileEntry
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
    # https://github.com/emmett-framework/granian/blob/master/granian/cli.py
    "granian": {"GRANIAN_HOST": ALL_ADDRESSES, "GRANIAN_PORT": _PORT},
    # https://uwsgi-docs.readthedocs.io/en/latest/Management.html: SIGTERM would reload it.
    "uwsgi": {"UWSGI_DIE_ON_TERM": "true"},
}
_CONFIGURED_STREAMLIT = re.compile(r"^\s*(address|port|headless)\s*=", re.MULTILINE)
_ASSIGNED = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=", re.MULTILINE)
# What python-dotenv reads without overriding variables: they would lose against ours.
_DOTENV = (".env", ".flaskenv")
_READ_BYTES = 256 * 1024

# Servers without such variables: the command, options that choose an address, and those to write.
_COMMANDS: tuple[tuple[re.Pattern[str], re.Pattern[str], str], ...] = tuple(
    (
        re.compile(rf"(?:^|[\s/]){command}(?=\s|$)"),
        re.compile(rf"\s(?:{options})(?=[\s=]|$)"),
        addition,
    )
    for command, options, addition in (
        (
            "hypercorn",
            "-b\\S*|--bind|-c\\S*|--config|--quic-bind|--insecure-bind",
            f"--bind {ALL_ADDRESSES}:{_PORT}",
        ),
        (
            "daphne",
            "-b\\S*|--bind|-e|--endpoint|-u|--unix-socket|--fd",
            f"-b {ALL_ADDRESSES} -p {_PORT}",
        ),
        ("quart\\s+run", "-h|--host", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("sanic", "-H|--host|-u|--unix", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("marimo\\s+(?:run|edit)", "--host", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("datasette", "-h|--host|--uds", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("shiny\\s+run", "-h|--host", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("chainlit\\s+run", "--host", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("mlflow\\s+(?:ui|server)", "-h|--host", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        (
            "litestar(?:\\s+\\S+)*?\\s+run",
            "-H|--host|-U|--uds",
            f"--host {ALL_ADDRESSES} --port {_PORT}",
        ),
        ("fastapi\\s+dev", "--host", f"--host {ALL_ADDRESSES} --port {_PORT}"),
        ("manage\\.py\\s+runserver", r"(?:[\w.\[\]:]+:)?[\d$]\S*", f"{ALL_ADDRESSES}:{_PORT}"),
    )
)
# `--host 127.0.0.1`, `-b localhost:8000`, `--server.address=127.0.0.1`.
_LOCAL = re.compile(
    r"(\s(?:--host|--bind|--address|--server\.address|--listen|-b|-h|-H)[\s=]?)"
    r"(?:127\.0\.0\.1|localhost|\[?::1\]?)(?=[\s:]|$)"
)
# A proxy in the same container may be what reaches the server.
_PROXIES = "nginx|caddy|envoy|haproxy"
_SEVERAL = re.compile(rf"&|\||;|{_PROXIES}")
# The server has to stay where the proxy looks for it.
_BEHIND_PROXY = re.compile(_PROXIES)


def variables(
    app_dir: Path, installed: Collection[str], entries: Iterable[ProcfileEntry] = ()
) -> dict[str, str]:
    """Return the variables of the installed servers, unless the app's own files set them.

    *installed* has normalized names; *entries* are the lines of the Procfile: no server gets an
    address if one of them starts a proxy too. A value may be `$PORT`.
    """
    is_behind_proxy = any(_BEHIND_PROXY.search(entry.command) for entry in entries)
    files = (_text(app_dir / name) for name in _DOTENV)
    own = {name for text in files for name in _ASSIGNED.findall(text)}
    streamlit = _text(app_dir / ".streamlit/config.toml")
    own |= {f"STREAMLIT_SERVER_{key.upper()}" for key in _CONFIGURED_STREAMLIT.findall(streamlit)}
    return {
        name: value
        for distribution, assigned in VARIABLES.items()
        if distribution in installed
        for name, value in assigned.items()
        if name not in own and not (is_behind_proxy and value in {ALL_ADDRESSES, _PORT})
    }


def warnings(entries: Iterable[ProcfileEntry]) -> tuple[Message, ...]:
    """Return a warning for each process that listens inside the container only."""
    return tuple(
        _message(entry, line)
        for entry in entries
        if (line := _listening_line(entry.command, entry))
    )


def _listening_line(command: str, entry: ProcfileEntry) -> str:
    """Return a command that listens on all addresses; empty if *command* may do so."""
    if entry.type != WEB or _SEVERAL.search(command.replace("&&", "")):
        return ""
    # What runs before the server may name a server elsewhere: `pg_isready -h localhost`.
    before, mark, last = command.rpartition("&&")
    if _LOCAL.search(last):
        return before + mark + _LOCAL.sub(rf"\g<1>{ALL_ADDRESSES}", last)
    for server, options, addition in _COMMANDS:
        match = server.search(last)
        if match and not options.search(last, match.end()):
            return f"{command} {addition}"
    return ""


def _message(entry: ProcfileEntry, line: str) -> Message:
    return Message(
        title=f"{entry.type} listens on 127.0.0.1: no request from outside reaches it",
        body=(
            f"See line {entry.line} of the Procfile. In a container, a server has to listen on",
            "all addresses, at the port that the platform chooses:",
            f"    {entry.type}: {line}",
        ),
    )


def _text(path: Path) -> str:
    try:
        with regular_file.opened(path) as file:
            return file.read(_READ_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
