"""A whole build with steps of the app's own: what runs, in which order, and what is kept."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cnb_python.app_steps import hooks
from cnb_python.app_steps.steps import Steps
from cnb_python.layers import previous_image
from cnb_python.provision import provide
from cnb_python.system.interface import Command, Outcome
from cnb_python.system.steps import BuildLog
from tests.support.fake_build import Engine, contents, engine, pretended
from tests.support.fake_manager import Shop, decision, package
from tests.support.fake_system import Programs
from tests.support.trees import Files, write_files

INDEX = {"django==5.2": package("django"), "nltk==3.9": package("nltk"), "a==1": package("a")}
DJANGO: Files = {"manage.py": "import django", "requirements.txt": ""}
NLTK: Files = {"nltk.txt": "stopwords", "requirements.txt": ""}
POST: Files = {hooks.POST: "#!/bin/sh\n"}


@dataclass
class App:
    """An app whose steps are pretended."""

    engine: Engine
    files: Files
    ran: list[str] = field(default_factory=list)

    def build(self) -> list[str]:
        """Build it from its sources; return which steps ran."""
        self.ran.clear()
        directory = self.engine.context.app_dir
        for path in sorted(directory.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        write_files(directory, self.files)
        if hooks.POST in self.files:
            (directory / hooks.POST).chmod(0o755)
        self._phase()
        return self.ran

    def _phase(self) -> None:
        engine = self.engine
        engine.log.said.clear()
        engine.shop.asked.clear()
        interpreter = pretended(engine.release.version)
        engine.programs = Programs(lambda command: self._answer(command) or interpreter(command))
        previous_image.remove_leftovers(engine.layers)
        system = engine.system()
        steps = Steps(system, hooks.find(engine.context.app_dir, hooks.POST))
        provided = provide.provide(engine.request(), system, steps.steps_needing_environment)
        provided.finish(steps.run(provided, BuildLog(engine.log, lambda: 0, {})))

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
        elif not command.argv[0].endswith("post_compile"):
            return None
        for layer in ("python", "venv", "deps-00"):
            assert (self.engine.layers / layer).is_dir()
        self.ran.append(name if name.endswith(".py") else hooks.POST)
        return Outcome(0, "")


def app(directory: Path, files: Files, *lines: str) -> App:
    return App(engine(directory, Shop(dict(INDEX), known=decision(*lines))), files)


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
    one = app(tmp_path, files, line)
    assert one.build() == [step]
    assert one.engine.made() == {"python", "venv", "deps-00", "deps"} | layers
    for _ in range(2):
        one.engine.restore()
        store = contents(one.engine.layers / "deps")
        assert one.build() == []
        assert one.engine.made() == {"deps"}
        assert one.engine.declared() == {"python", "venv", "deps-00", "deps"} | layers
        assert contents(one.engine.layers / "deps") == store


def test_only_post_compile_runs_in_an_unchanged_build(tmp_path: Path) -> None:
    whole = app(tmp_path, {**DJANGO, **NLTK, **POST}, "django==5.2", "nltk==3.9")
    whole.build()
    for _ in range(2):
        whole.engine.restore()
        assert whole.build() == [hooks.POST]
        assert whole.engine.made() == {"deps"}
        assert "nltk" in whole.engine.declared()
        assert whole.engine.shop.asked == []
        assert (whole.engine.context.app_dir / "static/a.css").exists()


@pytest.mark.parametrize(
    ("files", "line", "step"),
    [(DJANGO, "django==5.2", "django_runner.py"), (NLTK, "nltk==3.9", "nltk_runner.py")],
)
def test_results_in_an_unchanged_environment_are_stored(
    tmp_path: Path, files: Files, line: str, step: str
) -> None:
    one = app(tmp_path, {"requirements.txt": ""}, line)
    assert one.build() == []
    one.engine.restore()
    one.files = files
    assert one.build() == [step]
    one.engine.restore().lose_image()
    assert one.build() == []


def test_removed_nltk_txt_drops_the_layer(tmp_path: Path) -> None:
    one = app(tmp_path, NLTK, "nltk==3.9")
    one.build()
    one.engine.restore()
    one.files = {"requirements.txt": ""}
    one.build()
    assert "nltk" not in one.engine.declared()


def test_changed_package_runs_collectstatic(tmp_path: Path) -> None:
    one = app(tmp_path, DJANGO, "django==5.2")
    one.build()
    one.engine.restore()
    one.engine.shop.known = decision("django==5.2", "a==1")
    assert one.build() == ["django_runner.py"]


def test_size_of_reused_data_is_recorded(tmp_path: Path) -> None:
    one = app(tmp_path, NLTK, "nltk==3.9")
    one.build()
    sizes = [path.read_text("utf-8") for path in one.engine.layers.glob("store.toml")]
    one.engine.restore()
    one.build()
    assert [path.read_text("utf-8") for path in one.engine.layers.glob("store.toml")] == sizes
    assert "nltk 3" in sizes[0]
