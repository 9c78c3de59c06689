"""What was built from source under other settings is not used; the interpreter still is."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.config.settings import UV, Settings
from cnb_python.layers import store as store_layer
from cnb_python.managers.base import NeedsResolving, Resolution
from tests.support.fake_build import FakeBuild, fake_build
from tests.support.fake_manager import Shop, decision, package

A = decision("a==1.0")


@pytest.fixture
def built(tmp_path: Path) -> FakeBuild:
    """An engine after its first build, with what the lifecycle gives the next one."""
    made = fake_build(tmp_path, Shop({"a==1.0": package("a")}, known=A))
    made.build()
    return made.restore()


def _with_flags(made: FakeBuild) -> FakeBuild:
    made.context = replace(made.context, environ={"CFLAGS": "-O3"})
    return made


def test_other_flags_install_everything_anew_and_are_said(built: FakeBuild) -> None:
    _with_flags(built).build()
    assert built.shop.asked == ["try a"]
    (said,) = (line for line in built.log.said if line.startswith("Not using"))
    assert "the digest of the build settings has changed from (none)" in said


def test_the_interpreter_comes_from_the_store_all_the_same(built: FakeBuild) -> None:
    _with_flags(built).build()
    assert "Using cached Python 3.14.6" in built.log.said


def test_the_same_flags_again_change_nothing(built: FakeBuild) -> None:
    _with_flags(built).build()
    _with_flags(built.restore()).build()
    assert built.shop.asked == []
    assert built.layers_on_disk() == {store_layer.NAME}


@pytest.mark.parametrize(
    "known", [A, NeedsResolving("line 1 of requirements.txt asks for a range")]
)
def test_it_is_uv_that_is_asked_where_uv_was_chosen(
    tmp_path: Path, known: Resolution | NeedsResolving
) -> None:
    shop = Shop({"a==1.0": package("a")}, answer=A, known=known, refusal="uv says: no")
    made = fake_build(tmp_path, shop)
    made.settings = Settings(installer=UV)
    made.build()
    reasons = [line for line in made.log.said if line.startswith("Resolving with")]
    assert [line.partition(":")[0] for line in reasons] == ["Resolving with uv"]
