"""What of the app's own runs in a build: whether it has to, and in which order."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cnb_python.app_steps import hooks
from cnb_python.cnb.layer import layer_of
from cnb_python.layers import nltk as nltk_layer
from cnb_python.provision.environment import Provided, ProvidedEnvironment, StepResults
from cnb_python.system.interface import System
from cnb_python.system.steps import BuildLog

if TYPE_CHECKING:
    # Loaded for the apps that need them.
    from cnb_python.app_steps.collectstatic import Off, Static
    from cnb_python.app_steps.nltk import Data

_DJANGO = "django"


@dataclass(slots=True)
class Steps:
    """The steps after the packages: NLTK's data, static files, then `bin/post_compile`."""

    system: System
    script: Path | None
    """`bin/post_compile`."""
    data: Data | None = None
    static: Static | Off | None = None

    def steps_needing_environment(self, environment: ProvidedEnvironment) -> str:
        """Return who wants to run something in *environment*; empty: nobody.

        What the store has of their outcome is put in its place.
        """
        self.data = _data(environment, self.system)
        self.static = _static(environment)
        users = (
            "NLTK's downloader" if self.data and self.data.is_missing else "",
            "collectstatic" if self.static and self.static.is_missing else "",
            hooks.POST if self.script else "",
        )
        return " and ".join(filter(None, users))

    def run(self, provided: Provided, journal: BuildLog) -> StepResults:
        """Run what has to; return what came of it. Raises what the steps raise."""
        environment, more = provided.environment, dict[str, str]()
        added = StepResults()
        if self.data:
            more = self._provide(self.data, provided, journal)
        if self.static:
            added = self._collect(self.static, environment, more, journal)
        if self.script:
            with journal.step(hooks.POST):
                hooks.run_after(environment, self.script, more, self.system)
        return self._close(added)

    def _provide(self, data: Data, provided: Provided, journal: BuildLog) -> dict[str, str]:
        from cnb_python.app_steps import nltk  # noqa: PLC0415 - for who needs it

        # Another view of the store than the one that was asked: this one is closed.
        data.environment = provided.environment
        if provided.needed_by or not data.is_in_image:
            with journal.step(nltk.TITLE):
                nltk.provide(data, self.system)
        return {nltk.VARIABLE: str(data.layer.path)}

    def _collect(
        self,
        static: Static | Off,
        environment: ProvidedEnvironment,
        more: dict[str, str],
        journal: BuildLog,
    ) -> StepResults:
        from cnb_python.app_steps import collectstatic  # noqa: PLC0415 - for who needs it

        with journal.step(collectstatic.TITLE):
            return collectstatic.collect(environment, static, more, self.system)

    def _close(self, added: StepResults) -> StepResults:
        if self.data is None:
            return added
        from cnb_python.app_steps import nltk  # noqa: PLC0415 - for who needs it

        data = nltk.close(self.data, self.system.output)
        return added._replace(layers=data.layers, made=data.made, trees=added.trees | data.trees)


def _data(environment: ProvidedEnvironment, system: System) -> Data | None:
    request = environment.request
    if nltk_layer.FILE not in request.app.names:
        layer_of(request.context.layers_dir, nltk_layer.NAME).drop()
        return None
    from cnb_python.app_steps import nltk  # noqa: PLC0415 - for who needs it

    return nltk.find(environment, system.output)


def _static(environment: ProvidedEnvironment) -> Static | Off | None:
    if _DJANGO not in environment.distributions:
        return None
    from cnb_python.app_steps import collectstatic  # noqa: PLC0415 - for who needs it

    return collectstatic.find(environment)
