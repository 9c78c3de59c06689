"""Runs the app's own code with its variables, and removes credentials from its output."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from cnb_python.config.settings import MIRROR
from cnb_python.install import foreign_files, process_env
from cnb_python.layout.names import VENV
from cnb_python.provision.request import ProvidedEnvironment
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system.output import ended_processes
from cnb_python.system.redaction import redact

# They differ between builds of the same app, or between releases of the buildpack.
_MACHINE_VARIABLES = frozenset(
    {
        *("HOSTNAME", "PWD", "OLDPWD", "SHLVL", "_", "TRACEPARENT", "TRACESTATE"),
        *("CNB_BP_PLAN_PATH", "CNB_BUILD_PLAN_PATH", "CNB_PLATFORM_DIR", "CNB_LAYERS_DIR"),
        # It ends with the version of the buildpack.
        "CNB_BUILDPACK_DIR",
        MIRROR,
    }
)
SALT_BYTES = 16
# 8 MB and about 30 ms per guess; every build of a Django app computes one.
_SCRYPT = {"n": 1 << 13, "r": 8, "p": 1, "dklen": 32}


def variables_digest(environ: Mapping[str, str], text: str, salt: bytes) -> str:
    """Return a digest in hex over the names and values in *environ*, and over *text*.

    Values may be secrets, and a digest lets an attacker test guesses of short ones. So the digest
    is slow and salted, and only the store has it, never an image.
    https://datatracker.ietf.org/doc/html/rfc7914
    """
    relevant = {name: value for name, value in environ.items() if name not in _MACHINE_VARIABLES}
    lines = [f"{name}={relevant[name]}" for name in sorted(relevant)]
    content = "\0".join((text, *lines)).encode(errors="surrogateescape")
    return hashlib.scrypt(content, salt=salt, **_SCRYPT).hex()


def is_salt(text: str) -> bool:
    """Whether *text* is a salt of `variables_digest`, in hex."""
    return len(text) == 2 * SALT_BYTES and all(char in "0123456789abcdef" for char in text)


def run(command: Command, layers_dir: Path, system: System) -> Outcome:
    """Run *command* as a foreign one, and print it and its output.

    What it does to the entries of *layers_dir* is undone. Raises ProgramNotStarted, NoProgress,
    TookTooLong, ProcessesLeft and LayersDirectoryReplaced.
    """
    secrets = process_env.secrets(command.env, command.cwd)
    system.output.line(f"Running `{command.shown}`")
    with foreign_files.undoing(layers_dir, command.shown, system.output):
        outcome = system.run(
            replace(command, foreign=True),
            lambda line: system.output.detail(redact(line, secrets)),
        )
    if outcome.ended:
        system.output.line(ended_processes(outcome.ended, command.shown))
    return replace(outcome, output=redact(outcome.output, secrets))


def variables_in(
    environment: ProvidedEnvironment,
    defaults: Mapping[str, str],
    environ: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Return the variables for code in *environment*; the platform may override *defaults*.

    *environ*: those of the build; None: as they are.
    """
    request = environment.request
    return process_env.app_environ(
        {**defaults, **(request.context.environ if environ is None else environ)},
        request.context.layers_dir / VENV,
        request.runtime.interpreter.path,
        request.app.directory,
    )
