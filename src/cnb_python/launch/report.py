"""Says what was decided about launching, and why."""

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

_FOR_WSGI = "gunicorn"
_FOR_ASGI = "uvicorn"


def reasons(decision: LaunchPlan) -> tuple[str, ...]:
    """Return what is said about *decision* when all is well, a line each."""
    match decision:
        case FromProcfile():
            return tuple(
                f"{process.type}: {entry.command}{_default(process.default)}"
                for process, entry in zip(decision.processes, decision.entries, strict=True)
            )
        case FromApp():
            return tuple(_from_app(decision))
        case NoServer() | NothingDetected():
            return ()
        case _:
            assert_never(decision)


def warnings(decision: LaunchPlan) -> tuple[Message, ...]:
    """Return what the user should mend, although the image is made."""
    match decision:
        case FromProcfile():
            return _about_procfile(decision)
        case FromApp():
            return tuple(_misnamed(name) for name in decision.misnamed)
        case NoServer():
            return *(_misnamed(name) for name in decision.misnamed), _no_server(decision.found)
        case NothingDetected():
            return *(_misnamed(name) for name in decision.misnamed), _unknown(decision)
        case _:
            assert_never(decision)


def _default(is_default: bool) -> str:  # noqa: FBT001 - the field it shows
    return "  (default)" if is_default else ""


def _from_app(decision: FromApp) -> list[str]:
    found, target = decision.found, decision.target
    lines = [
        f"web: {decision.server.title} serves {target}{_default(is_default=True)}",
        f"  {found.framework} was found in {found.file}, line {found.line} ({found.sign}).",
        f"  It is a {target.interface} app, and {decision.server.needs[0]} is among its packages.",
    ]
    if found.directory:
        lines.append(f"  It runs in {found.directory}/.")
    if decision.others:
        places = ", ".join(f"{other.file} ({other.framework})" for other in decision.others)
        lines.append(f"  Also found: {places}. To run another, name it in a Procfile.")
    return lines


def _about_procfile(decision: FromProcfile) -> tuple[Message, ...]:
    missing = tuple(_missing(kind, name) for kind, name in decision.missing)
    if any(process.default for process in decision.processes):
        return missing
    types = ", ".join(process.type for process in decision.processes)
    return (
        *missing,
        Message(
            title="The image has no default process",
            body=(
                f"The Procfile names {types}, and none of them is web.",
                "The image starts only when it is told which one (`--entrypoint`).",
                "Call the one that it should run web.",
            ),
        ),
    )


def _missing(kind: str, distribution: str) -> Message:
    return Message(
        title=f"{distribution} is not installed",
        body=(
            f"The Procfile starts {kind} with it, and it is not among the app's packages.",
            "Add it to requirements.txt:",
            f"    {distribution}",
        ),
    )


def _misnamed(name: str) -> Message:
    return Message(
        title=f"{name} is not read",
        body=(f"If it names the app's processes, call it Procfile: git mv {name} Procfile",),
    )


def _no_server(found: DetectedApp) -> Message:
    target = found.targets[0]
    server = _FOR_WSGI if target.interface == "WSGI" else _FOR_ASGI
    return Message(
        title="The image has no default process: no server for the app is installed",
        body=(
            f"{found.framework} was found in {found.file}, line {found.line} ({found.sign}).",
            f"None of the app's packages can serve a {target.interface} app in production.",
            "Add one to requirements.txt, and the next build starts it:",
            f"    {server}",
            "Or say in a Procfile how to start the app.",
        ),
    )


def _unknown(decision: NothingDetected) -> Message:
    seen = "The Procfile names no process" if decision.has_procfile else "There is no Procfile"
    return Message(
        title="The image has no default process",
        body=(
            f"{seen}, and no Django, Flask, FastAPI or Starlette app was found.",
            "The image can run what it is told to, and nothing by itself.",
            "To give it a process, write a Procfile at the top of the app, such as:",
            "    web: gunicorn --bind 0.0.0.0:$PORT app:app",
            "or, for an app that serves nothing:",
            "    worker: python main.py",
        ),
    )
