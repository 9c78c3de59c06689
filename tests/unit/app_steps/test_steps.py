"""App steps in whole builds: which run, in which order, and what is stored."""

import json
from copy import replace
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.app_steps import hooks
from cnb_python.app_steps.steps import Steps
from cnb_python.config.build_commands import BuildCommand
from cnb_python.layers import previous_image
from cnb_python.provision import provide
from cnb_python.system.interface import Command, Outcome
from cnb_python.system.output import BuildLog, StepTimes
from tests.support.fake_build import FakeBuild, contents, fake_build, pretended
from tests.support.fake_manager import FakeManager, package, resolution_of
from tests.support.fake_system import Programs
from tests.support.trees import Files, write_files

INDEX = {"django==5.2": package("django"), "nltk==3.9": package("nltk"), "a==1": package("a")}
DJANGO: Files = {"manage.py": "import django", "requirements.txt": ""}
NLTK: Files = {"nltk.txt": "stopwords", "requirements.txt": ""}
POST: Files = {hooks.POST: "#!/bin/sh\n"}


@dataclass
class App:
    """An app whose steps run as fakes."""

    builds: FakeBuild
    files: Files
    ran: list[str] = field(default_factory=list)

    def build(self) -> list[str]:
        """Build it from its sources; return which steps ran."""
        self.ran.clear()
        directory = self.builds.context.app_dir
        for path in sorted(directory.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        write_files(directory, self.files)
        if hooks.POST in self.files:
            (directory / hooks.POST).chmod(0o755)
        self._phase()
        return self.ran

    def _phase(self) -> None:
        builds = self.builds
        builds.log.lines.clear()
        builds.manager.calls.clear()
        interpreter = pretended(builds.release.version)
        builds.programs = Programs(lambda command: self._answer(command) or interpreter(command))
        previous_image.remove_leftovers(builds.layers)
        system = builds.system()
        steps = Steps(system, hooks.find(builds.context.app_dir, hooks.POST))
        provided = provide.provide(builds.request(), system, steps.steps_needing_environment)
        provided.finish(steps.run(provided, BuildLog(builds.log, StepTimes(lambda: 0, 0))))

    def _answer(self, command: Command) -> Outcome | None:
        program = command.argv[1] if len(command.argv) > 1 else command.argv[0]
        name = Path(program).name if command.shown else Path(command.argv[0]).name
        if name == "django_runner.py":
            facts = {"command": "django.contrib.staticfiles", "local": True}
            root = str(command.cwd / "static")
            Path(command.argv[3]).write_text(json.dumps({**facts, "root": root}), "utf-8")
            write_files(command.cwd, {"static/a.css": "a {}"})
        elif name == "nltk_runner.py":
            write_files(Path(command.argv[2]), {"corpora/stopwords": "the"})
        elif command.argv[1:2] == ("-e",):
            name = "messages.py"
            write_files(command.cwd, {"messages/a.mo": "compiled"})
        elif not command.argv[0].endswith("post_compile"):
            return None
        for layer in ("python", "venv", "deps-00"):
            assert (self.builds.layers / layer).is_dir()
        self.ran.append(name if name.endswith(".py") else hooks.POST)
        return Outcome(0, "")


def app(directory: Path, files: Files, *lines: str) -> App:
    manager = FakeManager(dict(INDEX), from_files=resolution_of(*lines))
    return App(fake_build(directory, manager), files)


def test_app_without_steps_runs_nothing(tmp_path: Path) -> None:
    plain = app(tmp_path, {"manage.py": "import django"}, "a==1")
    assert plain.build() == []


def test_steps_run_in_order(tmp_path: Path) -> None:
    whole = app(tmp_path, {**DJANGO, **NLTK, **POST}, "django==5.2", "nltk==3.9")
    assert whole.build() == ["nltk_runner.py", "django_runner.py", hooks.POST]


@pytest.mark.parametrize(
    ("files", "line", "step", "layers"),
    [
        (DJANGO, "django==5.2", "django_runner.py", set()),
        (NLTK, "nltk==3.9", "nltk_runner.py", {"nltk"}),
    ],
)
def test_unchanged_build_runs_no_step(
    tmp_path: Path, files: Files, line: str, step: str, layers: set[str]
) -> None:
    shop = app(tmp_path, files, line)
    assert shop.build() == [step]
    assert shop.builds.layers_on_disk() == {"python", "venv", "deps-00", "deps"} | layers
    for _ in range(2):
        shop.builds.restore()
        store = contents(shop.builds.layers / "deps")
        assert shop.build() == []
        assert shop.builds.layers_on_disk() == {"deps"}
        assert shop.builds.declared_layers() == {"python", "venv", "deps-00", "deps"} | layers
        assert contents(shop.builds.layers / "deps") == store


def test_only_post_compile_runs_in_an_unchanged_build(tmp_path: Path) -> None:
    whole = app(tmp_path, {**DJANGO, **NLTK, **POST}, "django==5.2", "nltk==3.9")
    whole.build()
    for _ in range(2):
        whole.builds.restore()
        assert whole.build() == [hooks.POST]
        assert whole.builds.layers_on_disk() == {"deps"}
        assert "nltk" in whole.builds.declared_layers()
        assert whole.builds.manager.calls == []
        assert (whole.builds.context.app_dir / "static/a.css").exists()


@pytest.mark.parametrize(
    ("files", "line", "step"),
    [(DJANGO, "django==5.2", "django_runner.py"), (NLTK, "nltk==3.9", "nltk_runner.py")],
)
def test_results_in_an_unchanged_environment_are_stored(
    tmp_path: Path, files: Files, line: str, step: str
) -> None:
    shop = app(tmp_path, {"requirements.txt": ""}, line)
    assert shop.build() == []
    shop.builds.restore()
    shop.files = files
    assert shop.build() == [step]
    shop.builds.restore().lose_image()
    assert shop.build() == []


def test_commands_run_before_collectstatic_and_not_again(tmp_path: Path) -> None:
    command = BuildCommand("messages", "make messages", ("manage.py",), ("messages",))
    shop = app(tmp_path, {**DJANGO, **NLTK}, "django==5.2", "nltk==3.9")
    shop.builds.settings = replace(shop.builds.settings, commands=(command,))
    assert shop.build() == ["nltk_runner.py", "messages.py", "django_runner.py"]
    for _ in range(2):
        shop.builds.restore()
        assert shop.build() == []
        assert shop.builds.layers_on_disk() == {"deps"}
        assert (shop.builds.context.app_dir / "messages/a.mo").exists()
    shop.builds.restore().lose_image()
    assert shop.build() == []
    shop.builds.restore()
    shop.builds.settings = replace(
        shop.builds.settings, commands=(command._replace(run="make -B messages"),)
    )
    # What it makes is the same, so collectstatic need not run.
    assert shop.build() == ["messages.py"]


def test_removed_nltk_txt_drops_the_layer(tmp_path: Path) -> None:
    shop = app(tmp_path, NLTK, "nltk==3.9")
    shop.build()
    shop.builds.restore()
    shop.files = {"requirements.txt": ""}
    shop.build()
    assert "nltk" not in shop.builds.declared_layers()


def test_changed_package_runs_collectstatic(tmp_path: Path) -> None:
    shop = app(tmp_path, DJANGO, "django==5.2")
    shop.build()
    shop.builds.restore()
    shop.builds.manager.from_files = resolution_of("django==5.2", "a==1")
    assert shop.build() == ["django_runner.py"]


def test_size_of_reused_data_is_recorded(tmp_path: Path) -> None:
    shop = app(tmp_path, NLTK, "nltk==3.9")
    shop.build()
    sizes = [path.read_text("utf-8") for path in shop.builds.layers.glob("store.toml")]
    shop.builds.restore()
    shop.build()
    assert [path.read_text("utf-8") for path in shop.builds.layers.glob("store.toml")] == sizes
    assert "nltk 3" in sizes[0]
