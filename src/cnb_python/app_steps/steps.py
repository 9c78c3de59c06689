"""The app steps of a build: which of them have to run, and in which order.

Separate from `build`, which has one line for each step.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnb_python.app_steps import hooks, known_steps, node_build
from cnb_python.cnb.layer import layer_of
from cnb_python.layers import cache_keys
from cnb_python.provision.request import Provided, ProvidedEnvironment, StepResults
from cnb_python.system.interface import System
from cnb_python.system.output import BuildLog

if TYPE_CHECKING:
    # Loaded only for apps that need them.
    from cnb_python.app_steps.collectstatic import Skipped
    from cnb_python.app_steps.commands.run_commands import CommandRuns
    from cnb_python.app_steps.nltk import Data
    from cnb_python.app_steps.static_files import StaticFiles
    from cnb_python.provision.on_demand import ReadBefore

_DJANGO = "django"


@dataclass(slots=True)
class Steps:
    """The steps after the packages: NLTK data, commands, static files, `bin/post_compile`."""

    system: System
    post_compile: Path | None
    """The path of `bin/post_compile`, if the app has it."""
    data: Data | None = None
    commands: CommandRuns | None = None
    static: StaticFiles | Skipped | None = None
    """None also if a command has to run, which may make static files."""
    environment: ProvidedEnvironment | None = None

    def steps_needing_environment(self, environment: ProvidedEnvironment) -> str:
        """Return the steps that have to run in *environment*, as a phrase; empty if none has to.

        Results that are in the store are put in place, and need no step.
        """
        self.environment = environment
        self.data = _find_data(environment, self.system)
        self.commands = _find_commands(environment)
        self.static = None if self._has_pending_commands else _find_static(environment)
        names = (
            "NLTK's downloader" if self.data and self.data.is_missing else "",
            self.commands.phrase if self.commands else "",
            "collectstatic" if self.static and self.static.is_missing else "",
            hooks.POST if self.post_compile else "",
        )
        return " and ".join(filter(None, names))

    @property
    def _has_pending_commands(self) -> bool:
        return self.commands is not None and bool(self.commands.pending)

    def read_before(self) -> ReadBefore | None:
        """Return what collectstatic read before if it alone has to run, and if that is known."""
        is_alone = not self.post_compile and not (self.data and self.data.is_missing)
        if not (is_alone and self.environment and self.static and self.static.is_missing):
            return None
        from cnb_python.app_steps import collectstatic  # noqa: PLC0415 - only for apps that need it

        if isinstance(self.static, collectstatic.Skipped):
            return None
        return collectstatic.read_before(self.environment, self.static)

    def run(self, provided: Provided, log: BuildLog) -> StepResults:
        """Run the steps that have to run, and return their results.

        Raises what the steps raise.
        """
        environment, defaults = provided.environment, dict[str, str]()
        results = StepResults(hooks=tuple(hooks.digests(environment.request.app.directory)))
        if self.data:
            defaults = self._provide_data(self.data, provided, log)
        trees = frozenset[str]()
        if self.commands:
            trees = self._run_commands(self.commands, environment, defaults, log)
        if self.static:
            static_results = self._collect(self.static, environment, defaults, log)
            results = static_results._replace(hooks=results.hooks)
        results = results._replace(trees=results.trees | trees)
        if self.post_compile:
            with log.step(hooks.POST):
                hooks.run_post_compile(environment, self.post_compile, defaults, self.system)
        self._warn(environment)
        return self._finish(results)

    def _warn(self, environment: ProvidedEnvironment) -> None:
        """Print what is missing in the image because no step made it."""
        request = environment.request
        directory, commands = request.app.directory, request.settings.commands
        if script := node_build.missing_script(request.context, directory, commands):
            from cnb_python.errors import static_files  # noqa: PLC0415 - only for this warning

            message = static_files.no_node_build(script)
            self.system.output.warning(message.title, message.body)
        files = known_steps.AppFiles(directory, commands)
        for message in known_steps.warnings(files, environment.distributions):
            self.system.output.warning(message.title, message.body)

    def _provide_data(self, data: Data, provided: Provided, log: BuildLog) -> dict[str, str]:
        from cnb_python.app_steps import nltk  # noqa: PLC0415 - only for apps that need it

        # The store of this environment is the one that is saved.
        data.environment = provided.environment
        if provided.needed_by or not data.is_in_image:
            with log.step(nltk.TITLE):
                nltk.provide(data, self.system)
        return {nltk.VARIABLE: str(data.layer.path)}

    def _run_commands(
        self,
        commands: CommandRuns,
        environment: ProvidedEnvironment,
        defaults: dict[str, str],
        log: BuildLog,
    ) -> frozenset[str]:
        from cnb_python.app_steps.commands import run_commands  # noqa: PLC0415 - as above

        were_pending = self._has_pending_commands
        with log.step(run_commands.TITLE):
            trees = run_commands.run_all(commands, environment, defaults, self.system)
        if were_pending:
            self.static = _find_static(environment)
        return trees

    def _collect(
        self,
        static: StaticFiles | Skipped,
        environment: ProvidedEnvironment,
        defaults: dict[str, str],
        log: BuildLog,
    ) -> StepResults:
        from cnb_python.app_steps import collectstatic  # noqa: PLC0415 - only for apps that need it

        with log.step(collectstatic.TITLE):
            return collectstatic.collect(environment, static, defaults, self.system)

    def _finish(self, results: StepResults) -> StepResults:
        if self.data is None:
            return results
        from cnb_python.app_steps import nltk  # noqa: PLC0415 - only for apps that need it

        data_results = nltk.finish(self.data, self.system.output)
        return results._replace(
            layers=data_results.layers,
            new_layers=data_results.new_layers,
            downloads=data_results.downloads,
            trees=results.trees | data_results.trees,
        )


def _find_data(environment: ProvidedEnvironment, system: System) -> Data | None:
    request = environment.request
    if cache_keys.NLTK_FILE not in request.app.names:
        layer_of(request.context.layers_dir, cache_keys.NLTK).drop()
        return None
    from cnb_python.app_steps import nltk  # noqa: PLC0415 - only for apps that need it

    return nltk.find(environment, system.output)


def _find_commands(environment: ProvidedEnvironment) -> CommandRuns | None:
    if not environment.request.settings.commands:
        return None
    from cnb_python.app_steps.commands import run_commands  # noqa: PLC0415 - only for apps with some

    return run_commands.find(environment)


def _find_static(environment: ProvidedEnvironment) -> StaticFiles | Skipped | None:
    if _DJANGO not in environment.distributions:
        return None
    from cnb_python.app_steps import collectstatic  # noqa: PLC0415 - only for apps that need it

    return collectstatic.find(environment)
