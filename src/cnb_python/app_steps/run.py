"""Runs the app's own code, showing what it says without the credentials in it."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cnb_python.config.settings import MIRROR
from cnb_python.install import process_env
from cnb_python.layout.names import VENV
from cnb_python.provision.environment import ProvidedEnvironment
from cnb_python.system.certificates import BUNDLES, trusting_the_system
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system.redaction import redact

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOCALES = ("LC_ALL", "LC_CTYPE", "LANG")
# Of another interpreter than the app's.
_NOT_OURS = frozenset({"PYTHONHOME", "__PYVENV_LAUNCHER__"})
# They differ between builds of the same app, and say nothing of it.
_OF_THE_MACHINE = frozenset(
    {
        *("HOSTNAME", "PWD", "OLDPWD", "SHLVL", "_", "TRACEPARENT", "TRACESTATE"),
        *("CNB_BP_PLAN_PATH", "CNB_BUILD_PLAN_PATH", "CNB_PLATFORM_DIR", "CNB_LAYERS_DIR"),
        MIRROR,
    }
)
# 8 MB and some 30 ms for each guess; every build of a Django app takes one.
_SCRYPT = {"n": 1 << 13, "r": 8, "p": 1, "dklen": 32}


def of_the_app(
    environ: Mapping[str, str],
    environment: Path,
    interpreter: Path,
    app_dir: Path,
    bundles: tuple[Path, ...] = BUNDLES,
) -> dict[str, str]:
    """Return the variables for the app's code: the platform's, with Python and the packages."""
    kept = {name: value for name, value in environ.items() if name not in _NOT_OURS}
    path = f"{environment / 'bin'}:{interpreter.parent}:{environ.get('PATH') or _DEFAULT_PATH}"
    defaults = {
        "HOME": "/tmp",  # noqa: S108 - there is no other place that anybody may write to
        # As on Heroku: modules at the top are found from a manage.py further down.
        "PYTHONPATH": str(app_dir),
        "PYTHONHASHSEED": "0",
        "PYTHONUNBUFFERED": "1",
    }
    if not any(environ.get(name) for name in _LOCALES):
        defaults["LC_ALL"] = "C.UTF-8"
    return {
        **defaults,
        **trusting_the_system(environ, bundles),
        **kept,
        "PATH": path,
        "VIRTUAL_ENV": str(environment),
        # In the image every file has the same time, which none of it would agree with.
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def variables_digest(environ: Mapping[str, str], rest: str, salt: bytes) -> str:
    """Return a digest in hex over *environ*, names and values, and over *rest*.

    Values may be secrets, and short ones can be guessed by whoever has a digest over them. So it
    is slow and salted, and no image holds it: only the store, which is the cache, does.
    https://datatracker.ietf.org/doc/html/rfc7914
    """
    counted = {name: value for name, value in environ.items() if name not in _OF_THE_MACHINE}
    lines = [f"{name}={counted[name]}" for name in sorted(counted)]
    text = "\0".join((rest, *lines)).encode(errors="surrogateescape")
    return hashlib.scrypt(text, salt=salt, **_SCRYPT).hex()


def run(command: Command, system: System) -> Outcome:
    """Run *command*, showing it and its output. Raises ProgramNotStarted."""
    secrets = process_env.secrets(command.env, command.cwd)
    system.output.line(f"Running `{command.shown}`")
    outcome = system.run(command, lambda line: system.output.detail(redact(line, secrets)))
    return replace(outcome, output=redact(outcome.output, secrets))


def variables_in(environment: ProvidedEnvironment, more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for code that runs in *environment*; *more* yield to the platform's."""
    request = environment.request
    return of_the_app(
        {**more, **request.context.environ},
        request.context.layers_dir / VENV,
        request.runtime.interpreter.path,
        request.app.directory,
    )
