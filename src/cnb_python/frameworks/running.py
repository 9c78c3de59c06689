"""Runs the app's own code, showing what it says without the credentials in it."""

from dataclasses import replace

from cnb_python.environment import confidential
from cnb_python.system.outside import Command, Outcome, System
from cnb_python.system.redaction import redact


def run(command: Command, system: System) -> Outcome:
    """Run *command*, showing it and its output. Raises ProgramNotStarted."""
    secrets = confidential.secrets(command.env, command.cwd)
    system.output.line(f"Running `{command.shown}`")
    outcome = system.run(command, lambda line: system.output.detail(redact(line, secrets)))
    return replace(outcome, output=redact(outcome.output, secrets))
