"""Temporary layers hold only what a step read before, until it reads more."""

from pathlib import Path

import pytest

from cnb_python.config.settings import Settings
from cnb_python.errors.frameworks import PackagesChanged
from cnb_python.provision.on_demand import OnDemand, ReadBefore
from cnb_python.provision.request import ProvidedEnvironment
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import FakeManager, package, resolution_of

INDEX = {"a==1.0": package("a"), "a==2.0": package("a", "# newer"), "b==1.0": package("b")}
SITE = "lib/python3.14/site-packages"
NOTHING = ReadBefore(frozenset(), frozenset(), frozenset())


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    """An app that was built, with a step that runs in the next build and read package b before."""
    from_files = resolution_of("a==1.0", "b==1.0")
    app = fake_build(tmp_path, FakeManager(dict(INDEX), from_files=from_files))
    app.build()
    app.restore()
    app.steps_needing_environment = lambda _: "a step"
    app.read_before = NOTHING._replace(keys=frozenset({(SITE, "b")}))
    return app


def modules(app: FakeBuild) -> set[str]:
    directory = app.layers / "deps-00/tree" / SITE
    return {path.name for path in directory.glob("*.py")}


def demand_of(environment: ProvidedEnvironment) -> OnDemand:
    assert environment.on_demand is not None
    return environment.on_demand


def test_only_files_that_were_read_are_on_disk(app: FakeBuild) -> None:
    seen: list[set[str]] = []
    app.use = lambda _: seen.append(modules(app))

    app.build()

    assert seen == [{"b.py"}]
    assert app.layers_on_disk() == {"deps"}
    assert any("Writing what a step read before to disk (" in line for line in app.log.lines)


def test_other_files_are_written_when_they_are_needed(app: FakeBuild) -> None:
    seen: list[set[str]] = []

    def use(environment: ProvidedEnvironment) -> None:
        assert demand_of(environment).need_module(SITE, "a")
        seen.append(modules(app))

    app.use = use
    app.build()

    assert seen == [{"a.py", "b.py"}]
    assert app.layers_on_disk() == {"deps"}
    app.restore().steps_needing_environment = lambda _: ""
    app.build()
    assert "Nothing changed: reusing 2 packages from the previous image" in app.log.lines


def test_changed_file_is_found_also_if_it_was_written_later(app: FakeBuild) -> None:
    def use(environment: ProvidedEnvironment) -> None:
        demand_of(environment).need_everything()
        (app.layers / "deps-00/tree" / SITE / "a.py").write_text("# changed")

    app.use = use

    with pytest.raises(PackagesChanged):
        app.build()


def all_there(app: FakeBuild) -> None:
    seen: list[set[str]] = []
    app.use = lambda _: seen.append(modules(app))
    app.build()
    assert seen == [{"a.py", "b.py"}]


def test_without_a_record_everything_is_written(app: FakeBuild) -> None:
    app.read_before = None
    all_there(app)


def test_layer_that_stays_has_all_files(app: FakeBuild) -> None:
    app.manager.from_files = resolution_of("a==2.0", "b==1.0")
    all_there(app)


def test_damaged_archives_are_installed_again_and_all_is_written(app: FakeBuild) -> None:
    for path in (app.layers / "deps").glob("*.tar.zst"):
        path.write_bytes(b"x")
    all_there(app)


def test_merged_layout_has_all_files(app: FakeBuild) -> None:
    app.settings = Settings(layout="merged")
    seen: list[bool] = []
    app.use = lambda _: seen.append((app.layers / "venv" / SITE / "a.py").exists())

    app.build()

    assert seen == [True]
