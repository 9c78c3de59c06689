"""Describes a launch plan for the log: the processes with their reasons, and warnings."""

from typing import assert_never

from cnb_python.errors.base import Message
from cnb_python.launch.processes import (
    FromApp,
    FromProcfile,
    LaunchPlan,
    NoServer,
    NothingDetected,
)
from cnb_python.launch.servers import DetectedApp

_WSGI_SERVER = "gunicorn"
_ASGI_SERVER = "uvicorn"
_DEFAULT = "  (default)"


def reasons(plan: LaunchPlan) -> tuple[str, ...]:
    """Return log lines with the processes of *plan* and why it has them."""
    match plan:
        case FromProcfile():
            return tuple(
                f"{process.type}: {entry.command}{_DEFAULT if process.default else ''}"
                for process, entry in zip(plan.processes, plan.entries, strict=True)
            )
        case FromApp():
            return tuple(_from_app(plan))
        case NoServer() | NothingDetected():
            return ()
        case _:
            assert_never(plan)


def warnings(plan: LaunchPlan) -> tuple[Message, ...]:
    """Return warnings about what the user should change, although the build succeeds."""
    match plan:
        case FromProcfile():
            return _about_procfile(plan)
        case FromApp():
            return tuple(_misnamed(name) for name in plan.misnamed)
        case NoServer():
            return *(_misnamed(name) for name in plan.misnamed), _no_server(plan.detected)
        case NothingDetected():
            return *(_misnamed(name) for name in plan.misnamed), _no_process(plan)
        case _:
            assert_never(plan)


def _from_app(plan: FromApp) -> list[str]:
    detected, server = plan.detected, plan.server
    lines = [
        f"web: {server.title} serves {plan.target}{_DEFAULT}",
        f"  {_location(detected)}",
        f"  Using {server.needs[0]}, which is installed and serves {plan.target.interface} apps",
    ]
    if detected.directory:
        lines.append(f"  Running in {detected.directory}/")
    if plan.other_apps:
        other_apps = ", ".join(f"{app.file} ({app.framework})" for app in plan.other_apps)
        lines.append(f"  Also found: {other_apps}. To run another app, name it in a Procfile.")
    return lines


def _location(app: DetectedApp) -> str:
    return f"Found {app.framework} in {app.file}, line {app.line} ({app.sign})"


def _about_procfile(plan: FromProcfile) -> tuple[Message, ...]:
    missing = tuple(_missing(process_type, name) for process_type, name in plan.missing)
    if any(process.default for process in plan.processes):
        return missing
    types = ", ".join(process.type for process in plan.processes)
    return (
        *missing,
        Message(
            title="The image has no default process",
            body=(
                f"The Procfile names {types}, but not web.",
                "To start the image, you have to choose a process (`--entrypoint`).",
                "To make one the default, name it web.",
            ),
        ),
    )


def _missing(process_type: str, distribution: str) -> Message:
    return Message(
        title=f"{distribution} is not installed",
        body=(
            f"The Procfile starts {process_type} with it, but it is not in the app's packages.",
            "Add it to requirements.txt:",
            f"    {distribution}",
        ),
    )


def _misnamed(name: str) -> Message:
    return Message(
        title=f"{name} is not read",
        body=(f"If it names the app's processes, rename it: git mv {name} Procfile",),
    )


def _no_server(app: DetectedApp) -> Message:
    interface = app.targets[0].interface
    server = _WSGI_SERVER if interface == "WSGI" else _ASGI_SERVER
    return Message(
        title="The image has no default process: no server for the app is installed",
        body=(
            f"{_location(app)}.",
            f"No installed package can serve a {interface} app in production.",
            "Add a server to requirements.txt, and the next build starts it:",
            f"    {server}",
            "Or name the command that starts the app in a Procfile.",
        ),
    )


def _no_process(plan: NothingDetected) -> Message:
    procfile = "The Procfile names no process" if plan.has_procfile else "There is no Procfile"
    return Message(
        title="The image has no default process",
        body=(
            f"{procfile}, and no Django, Flask, FastAPI or Starlette app was found.",
            "The image runs commands that you pass to it, but starts nothing by itself.",
            "To add a process, write a Procfile at the top of the app, such as:",
            "    web: gunicorn --bind 0.0.0.0:$PORT app:app",
            "or, for an app that serves nothing:",
            "    worker: python main.py",
        ),
    )
