"""What of the app's own runs in a build: whether it has to, and in which order."""

from dataclasses import dataclass
from pathlib import Path

from cnb_python.frameworks import collectstatic, hooks
from cnb_python.frameworks.collectstatic import Off, Static
from cnb_python.provided import Added, Environment, Provided
from cnb_python.system.journal import Journal
from cnb_python.system.outside import System


@dataclass(slots=True)
class Steps:
    """The steps after the packages: static files, then `bin/post_compile`."""

    system: System
    script: Path | None
    """`bin/post_compile`."""
    static: Static | Off | None = None

    def wants(self, environment: Environment) -> str:
        """Return who wants to run something in *environment*; empty: nobody.

        What the store has of their outcome is put in its place.
        """
        self.static = collectstatic.find(environment)
        users = []
        if isinstance(self.static, Static) and self.static.brought is None:
            users.append("collectstatic")
        if self.script:
            users.append(hooks.POST)
        return " and ".join(users)

    def run(self, provided: Provided, journal: Journal) -> Added:
        """Run what has to; return what came of it. Raises what the steps raise."""
        added = Added()
        environment = provided.environment
        if isinstance(self.static, Off):
            journal.output.line(self.static.reason)
        if isinstance(self.static, Static):
            with journal.step(collectstatic.TITLE):
                added = collectstatic.collect(environment, self.static, self.system)
        if self.script:
            with journal.step(hooks.POST):
                hooks.run_after(environment, self.script, self.system)
        return added
