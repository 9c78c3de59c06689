"""Runs the app's own code, showing what it says without the credentials in it."""

from collections.abc import Mapping
from dataclasses import replace

from cnb_python.app_steps import process_env as app_steps_process_env
from cnb_python.install import process_env
from cnb_python.layout.names import VENV
from cnb_python.provision.environment import Environment
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system.redaction import redact


def run(command: Command, system: System) -> Outcome:
    """Run *command*, showing it and its output. Raises ProgramNotStarted."""
    secrets = process_env.secrets(command.env, command.cwd)
    system.output.line(f"Running `{command.shown}`")
    outcome = system.run(command, lambda line: system.output.detail(redact(line, secrets)))
    return replace(outcome, output=redact(outcome.output, secrets))


def variables_in(environment: Environment, more: Mapping[str, str]) -> dict[str, str]:
    """Return the variables for code that runs in *environment*; *more* yield to the platform's."""
    job = environment.job
    return app_steps_process_env.of_the_app(
        {**more, **job.context.environ},
        job.context.layers_dir / VENV,
        job.runtime.interpreter.path,
        job.project.directory,
    )
