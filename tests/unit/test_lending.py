"""What the previous image has is laid out for whom wants to run something, and taken back."""

from pathlib import Path

import pytest

from cnb_python.errors.frameworks import PackagesChanged
from cnb_python.managers.decision import Undecided
from cnb_python.provided import Environment
from tests.unit.engine import Engine, contents, engine
from tests.unit.environment.shops import Shop, decision, package

INDEX = {"a==1.0": package("a"), "a==2.0": package("a", "# newer"), "b==1.0": package("b")}
ALL = {"python", "venv", "deps-00", "deps"}


def somebody(environment: Environment) -> str:
    assert environment.distributions
    return "somebody"


@pytest.fixture
def app(tmp_path: Path) -> Engine:
    return engine(tmp_path, Shop(dict(INDEX), known=decision("a==1.0", "b==1.0")))


def laid_out(app: Engine) -> dict[str, object]:
    return {name: contents(app.layers / name) for name in ("python", "venv", "deps-00")}


def test_what_is_lent_is_what_the_image_has(app: Engine) -> None:
    app.build()
    first, found = laid_out(app), list[dict[str, object]]()
    app.restore()
    app.wants, app.use = somebody, lambda _: found.append(laid_out(app))

    app.build()

    assert found == [first]
    assert app.made() == {"deps"}
    assert app.declared() == ALL
    assert app.shop.asked == []
    assert "Laying out everything for somebody" in app.log.said


def test_a_build_after_that_has_nothing_to_do(app: Engine) -> None:
    app.build()
    app.restore().wants = somebody
    app.build()
    app.restore().wants = lambda _: ""

    app.build()

    assert "Nothing changed: 2 packages as they were" in app.log.said
    assert app.made() == {"deps"}


def test_what_changed_stays_and_the_rest_goes_back(app: Engine) -> None:
    app.wants = somebody
    app.build()
    app.restore()
    app.shop.known = decision("a==2.0", "b==1.0")

    app.build()

    assert app.made() == ALL - {"python"}
    assert app.declared() == ALL


def test_it_is_lent_where_the_manager_had_to_be_asked(app: Engine) -> None:
    app.shop.known = Undecided("a range")
    app.shop.answer = decision("a==1.0", "b==1.0", pure=False)
    app.build()
    first, found = laid_out(app), list[dict[str, object]]()
    app.restore()
    app.wants, app.use = somebody, lambda _: found.append(laid_out(app))

    app.build()

    assert found == [first]
    assert app.made() == {"deps"}


def test_what_was_written_beside_it_is_in_no_image(app: Engine) -> None:
    app.build()
    clean = laid_out(app)
    app.restore().lose_image().lose_cache()
    app.wants = somebody
    app.use = lambda _: (app.layers / "deps-00/tree/dropin.cache").touch()

    app.build()

    assert laid_out(app) == clean


def test_a_package_that_was_changed_stops_the_build(app: Engine) -> None:
    def change(_: Environment) -> None:
        (app.layers / "deps-00/tree/lib/python3.14/site-packages/a.py").unlink()

    app.wants, app.use = somebody, change

    with pytest.raises(PackagesChanged):
        app.build()


def test_a_package_that_goes_back_may_be_changed(app: Engine) -> None:
    app.build()
    app.restore()
    app.wants = somebody
    app.use = lambda _: (app.layers / "venv/pyvenv.cfg").unlink()

    app.build()

    assert app.made() == {"deps"}


def test_without_a_store_everything_is_installed_again(app: Engine) -> None:
    app.build()
    app.restore().lose_cache()
    app.wants = somebody

    app.build()

    assert app.shop.asked == ["try a b"]
    assert app.made() == {"deps"}
    assert app.declared() == ALL
