"""The command `bin/explain`: its arguments, its output as text or JSON, and its exit code.

Separate from `__main__`, which only a build or a detection needs.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cnb_python.bindings.apply import apply_bindings
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.base import Message
from cnb_python.explain.explain import explain
from cnb_python.explain.explanation import Explanation, Note, as_json
from cnb_python.explain.inputs import Arguments, explain_context, read_arguments
from cnb_python.explain.printed import print_explanation
from cnb_python.explain.recorded_output import RecordedOutput
from cnb_python.system.interface import System
from cnb_python.system.output import Console

PASS, STOPS, NOT_DETECTED = 0, 1, 100
"""Exit codes: a build would succeed as far as can be told, would stop, or would not begin."""


class CommandProcess(NamedTuple):
    """What the command uses of its process, and the functions that all phases share."""

    environ: Mapping[str, str]
    cwd: Path
    console: Console
    mask_all: Callable[[Console, BuildContext], None]
    system_of: Callable[[Mapping[str, str], Console], System]


def run_explain(argv: Sequence[str], directory: Path, process: CommandProcess) -> int:
    """Print what a build of the app that *argv* names would do; return an exit code.

    *directory* is the buildpack's. Raises BadArguments, and as `explain_context`.
    """
    arguments = read_arguments(argv, process.cwd)
    console = process.console
    with TemporaryDirectory(prefix="cnb-python-") as scratch:
        own = explain_context(arguments, process.environ, Path(scratch), directory)
        process.mask_all(console, own)
        with apply_bindings(own, RecordedOutput()) as context:
            process.mask_all(console, context)
            system = process.system_of(context.environ, console)
            explanation = explain(context, system.fetch, system.today)
    _print(explanation, arguments, console)
    if explanation.error:
        return STOPS
    return PASS if explanation.detected else NOT_DETECTED


def _print(explanation: Explanation, arguments: Arguments, console: Console) -> None:
    if arguments.is_json:
        console.document(as_json(explanation, console.masked))
        return
    print_explanation(explanation, console)
    if explanation.error:
        console.error(_message(explanation.error))


def _message(note: Note) -> Message:
    return Message(note.title, note.body, fixes=note.fixes)
