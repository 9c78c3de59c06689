"""Changed build settings: packages are installed again, and the cached Python is used."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.config.settings import UV, Settings
from cnb_python.layers import store as store_layer
from cnb_python.managers.base import NeedsResolving, Resolution
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import FakeManager, package, resolution_of

A = resolution_of("a==1.0")


@pytest.fixture
def built(tmp_path: Path) -> FakeBuild:
    """Return a build after its first run, with the layers that are restored for the next one."""
    build = fake_build(tmp_path, FakeManager({"a==1.0": package("a")}, from_files=A))
    build.build()
    return build.restore()


def _with_flags(build: FakeBuild) -> FakeBuild:
    build.context = replace(build.context, environ={"CFLAGS": "-O3"})
    return build


def test_changed_flags_install_all_packages_again_with_a_reason(built: FakeBuild) -> None:
    _with_flags(built).build()
    assert built.manager.calls == ["fetch a"]
    (reason,) = (line for line in built.log.lines if line.startswith("Not using"))
    assert "the digest of the build settings has changed from (none)" in reason


def test_changed_flags_use_the_cached_python(built: FakeBuild) -> None:
    _with_flags(built).build()
    assert "Using cached Python 3.14.6" in built.log.lines


def test_unchanged_flags_make_no_layer(built: FakeBuild) -> None:
    _with_flags(built).build()
    _with_flags(built.restore()).build()
    assert built.manager.calls == []
    assert built.layers_on_disk() == {store_layer.NAME}


@pytest.mark.parametrize(
    "resolution", [A, NeedsResolving("line 1 of requirements.txt asks for a range")]
)
def test_the_chosen_uv_resolves(tmp_path: Path, resolution: Resolution | NeedsResolving) -> None:
    manager = FakeManager(
        {"a==1.0": package("a")},
        resolved=A._replace(from_files_alone=False),
        from_files=resolution,
        refusal="uv says: no",
    )
    build = fake_build(tmp_path, manager)
    build.settings = Settings(installer=UV)
    build.build()
    reasons = [line for line in build.log.lines if line.startswith("Resolving with")]
    assert [line.partition(":")[0] for line in reasons] == ["Resolving with uv"]
