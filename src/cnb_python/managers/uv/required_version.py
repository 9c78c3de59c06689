"""Fetches the uv that the app requires, if the bundled one does not match.

https://docs.astral.sh/uv/reference/settings/#required-version
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cnb_python.managers.base import InstallContext
from cnb_python.managers.tool_settings import uv_indexes
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Outcome, Run

_REQUIRED_UV = re.compile(r"Required uv version `([^`]+)` does not match")


def with_required_uv(context: InstallContext, run: Run) -> Run:
    """Return *run*, which runs a command of uv again with the uv that the app requires.

    That uv is installed then. Raises the bundled uv's failure.
    """

    def run_required(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
        program = _required_uv(context)
        if program.exists():
            return run(_by(program, command), on_line)
        outcome = run(command, on_line)
        if outcome.code and (required := _REQUIRED_UV.search(outcome.output)):
            _install_uv(required[1], context, run)
            return run(_by(program, command), on_line)
        return outcome

    return run_required


def _by(program: Path, command: Command) -> Command:
    return replace(command, argv=(str(program), *command.argv[1:]))


def _required_uv(context: InstallContext) -> Path:
    return context.scratch / "required-uv/bin/uv"


def _install_uv(version: str, context: InstallContext, run: Run) -> None:
    target = _required_uv(context).parents[1]
    # A cache of its own, so that nothing but what the app asks for lies in that of the context.
    apart = uv.with_indexes(replace(context, scratch=target, environ=_as_variables(context)), None)
    command = Command(
        (
            *(str(context.uv), "pip", "install", "--no-config", "--no-deps"),
            *("--target", str(target), f"uv{version}", *uv.options(apart)),
        ),
        uv.own_context(apart).environ,
        context.scratch,
        shown=f"uv pip install 'uv{version}'",
    )
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, context, run)


def _as_variables(context: InstallContext) -> dict[str, str]:
    """Return the variables of *context*, with the indexes of uv's configuration files.

    A uv that reads those files refuses to run, since they require another one.
    """
    default, further = uv_indexes(context.environ, context.app_dir)
    links = [address for address in further if "://" not in address]
    indexes = [address for address in further if address not in links]
    in_files = {
        "UV_DEFAULT_INDEX": default,
        "UV_INDEX": " ".join(indexes),
        "UV_FIND_LINKS": ",".join(str(context.app_dir / link) for link in links),
    }
    return {**{name: value for name, value in in_files.items() if value}, **context.environ}
