"""An app whose environment and programs are fakes, for tests of single app steps."""

from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path

from cnb_python.provision.request import ProvidedEnvironment
from cnb_python.store.store import Store
from cnb_python.system.interface import Command, Outcome, System
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import FakeManager, resolution_of
from tests.support.fake_system import Programs
from tests.support.trees import Files, write_files


@dataclass
class FakeEnvironment:
    """One app, its environment as app steps see it, and the programs that they run."""

    app: FakeBuild
    distributions: Mapping[str, str]
    answer: Callable[[Command], Outcome]
    programs: Programs = field(init=False)

    def __post_init__(self) -> None:
        self.programs = Programs(self.answer)
        self.store = Store(self.app.context.layers_dir / "store")
        self.store.directory.mkdir()

    @property
    def directory(self) -> Path:
        return self.app.context.app_dir

    @property
    def log_text(self) -> str:
        return "\n".join(self.app.log.lines)

    def environment(self, static_files_key: str = "", **environ: str) -> ProvidedEnvironment:
        self.app.context = replace(self.app.context, environ=environ)
        return ProvidedEnvironment(
            request=self.app.request(),
            distributions=self.distributions,
            layers={"venv": "12", "deps-00": "ab"},
            static_files_key=static_files_key,
            sizes={"nltk": "7000"},
            store=lambda: self.store,
        )

    def system(self) -> System:
        return replace(self.app.system(), run=self.programs)


def fake_environment(
    directory: Path,
    files: Files,
    distributions: Mapping[str, str],
    answer: Callable[[Command], Outcome],
) -> FakeEnvironment:
    """Return the environment of an app with *files*; *answer* is called for every program."""
    app = fake_build(directory, FakeManager({}, from_files=resolution_of()))
    write_files(app.context.app_dir, files)
    return FakeEnvironment(app, distributions, answer)
