"""Runs the commands of the setting `commands` in their order, or restores what they made.

The outputs before the first command that has to run are restored before it is decided whether the
packages are needed on disk. Inputs of the commands after it may be outputs of that command.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from cnb_python.app_steps import file_listing, hooks
from cnb_python.app_steps.commands import outcome
from cnb_python.app_steps.run import SALT_BYTES, run, variables_digest, variables_in
from cnb_python.config.build_commands import BuildCommand
from cnb_python.errors.build_commands import (
    BuildCommandFailed,
    OutputsMissing,
    UndeclaredChanges,
    left_by_commands,
)
from cnb_python.errors.machine import Killed
from cnb_python.provision.request import ProvidedEnvironment
from cnb_python.system.interface import Command, Outcome, System

TITLE = "Commands"
# As shells report it, and with the name of the shell or script in front.
_NOT_FOUND = re.compile(r"^(?:.*: )?([\w.+/-]+): (?:command )?not found$", re.MULTILINE)
# Packages of languages that have buildpacks of their own.
_LANGUAGES = frozenset({"npm", "nodejs", "golang-go", "cargo", "rustc"})
_NO_GETTEXT = re.compile(r"Can't find (\w+)\. Make sure you have GNU gettext tools")
_NOT_FOUND_CODE = 127


@dataclass(slots=True)
class CommandRuns:
    """The commands of one build."""

    environment: ProvidedEnvironment
    variables: str
    """The salt and the digest of the build's variables, in hex, with a space between."""
    pending: list[BuildCommand]
    """The commands that are neither restored nor run yet."""
    restored: list[tuple[BuildCommand, int]] = field(default_factory=list)
    """The commands that need not run, with the number of their files."""
    trees: set[str] = field(default_factory=set)
    """The keys of the archives that the store has to keep."""

    @property
    def phrase(self) -> str:
        """The first command that has to run; empty if none has to."""
        return f"the command {self.pending[0].name}" if self.pending else ""


def find(environment: ProvidedEnvironment) -> CommandRuns | None:
    """Return the commands of the app, None if it has none.

    Outputs that the store has are written to their places, up to the first command that has to
    run. Raises DiskFull and OSError.
    """
    commands = environment.request.settings.commands
    if not commands:
        return None
    runs = CommandRuns(environment, _variables(environment), [*commands])
    while runs.pending and _restore(runs):
        pass
    return runs


def run_all(
    runs: CommandRuns,
    environment: ProvidedEnvironment,
    defaults: Mapping[str, str],
    system: System,
) -> frozenset[str]:
    """Run the commands that have to run; return the keys of the archives in the store.

    *environment* is the one whose store is saved. *defaults* are variables that the platform may
    override. Raises BuildCommandFailed, OutputsMissing, UndeclaredChanges, OutputOutsideApp,
    Killed, DiskFull and OSError.
    """
    runs.environment = environment
    for command, count in runs.restored:
        _print_restored(command, count, system)
    left: list[str] = []
    while runs.pending:
        command = runs.pending[0]
        if _restore(runs):
            _print_restored(*runs.restored[-1], system)
            continue
        left += _run(runs, command, defaults, system)
        runs.pending.remove(command)
    if left:
        message = left_by_commands(left)
        system.output.warning(message.title, message.body)
    return frozenset(runs.trees)


def _variables(environment: ProvidedEnvironment) -> str:
    trees = environment.store().trees
    salt = outcome.stored_salt(trees) or os.urandom(SALT_BYTES).hex()
    environ = environment.request.context.environ
    return f"{salt} {variables_digest(environ, '', bytes.fromhex(salt))}"


def _restore(runs: CommandRuns) -> bool:
    """Restore the outputs of the first pending command; return whether it need not run."""
    command, environment = runs.pending[0], runs.environment
    if command.inputs is None:
        return False
    files = file_listing.listing(environment.request.context.app_dir)
    key = outcome.key_of(command, environment, files, runs.variables)
    count = outcome.restore(command, environment, files, key)
    if count is None:
        return False
    runs.trees.add(key)
    runs.restored.append((command, count))
    runs.pending.remove(command)
    return True


def _run(
    runs: CommandRuns, command: BuildCommand, defaults: Mapping[str, str], system: System
) -> tuple[str, ...]:
    """Run *command* and keep its outputs; return the paths of other files, which are removed."""
    environment = runs.environment
    app_dir = environment.request.context.app_dir
    if command.inputs is None:
        system.output.line(f"{command.name} runs in every build, since it names no `inputs`")
    before = file_listing.listing(app_dir)
    _execute(command, environment, defaults, system)
    after = file_listing.listing(app_dir)
    if changed := outcome.undeclared_changes(command, environment, before, after):
        raise UndeclaredChanges(command.name, _shown(command), changed)
    left = outcome.remove_undeclared(command, environment, before, after)
    if missing := outcome.places_of(command, environment).outputs.unmatched(after):
        raise OutputsMissing(command.name, _shown(command), missing, left)
    has_inputs = command.inputs is not None
    key = outcome.key_of(command, environment, before, runs.variables) if has_inputs else ""
    kept = outcome.keep(command, environment, after, key)
    runs.trees |= {key} if kept.is_stored else set()
    system.output.line(f"{command.name}: {_files(kept.number)}")
    if key and not kept.is_stored:
        is_large = kept.size > outcome.LARGEST
        reason = f"{kept.size // 1_000_000} MB" if is_large else "a link has an absolute target"
        system.output.line(f"Not kept in the cache ({reason}): it runs in every build")
    return left


def _execute(
    command: BuildCommand,
    environment: ProvidedEnvironment,
    defaults: Mapping[str, str],
    system: System,
) -> None:
    request, shown = environment.request, _shown(command)
    argv = (*hooks.shell(), "-e", "-c", command.run)
    variables = variables_in(environment, defaults)
    result = run(
        Command(argv, variables, request.app.directory, shown), request.context.layers_dir, system
    )
    if result.code < 0:
        raise Killed(shown, -result.code)
    if result.code:
        missing = _missing(result)
        raise BuildCommandFailed(
            command.name, shown, result.code, missing, _package(missing) if missing else ""
        )


def _missing(result: Outcome) -> str:
    """Return the program that the shell, or Django's compilemessages, did not find."""
    pattern = _NOT_FOUND if result.code == _NOT_FOUND_CODE else _NO_GETTEXT
    match = pattern.search(result.output)
    return match[1] if match else ""


def _package(program: str) -> str:
    from cnb_python.managers.build_errors import system_packages  # noqa: PLC0415 - for failures

    package = system_packages("program", program).debian
    return "" if package in _LANGUAGES else package


def _shown(command: BuildCommand) -> str:
    first, *more = command.run.splitlines()
    return f"{first} ..." if more else first


def _print_restored(command: BuildCommand, count: int, system: System) -> None:
    system.output.line(f"{command.name}: {_files(count)} from the cache (inputs are unchanged)")


def _files(count: int) -> str:
    return "1 file" if count == 1 else f"{count} files"
