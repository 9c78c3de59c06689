"""Each attack of a hostile package alone, in every situation in which its traces could be used."""

from collections.abc import Iterator

import pytest

from tests.support import attacks, index
from tests.support.attacked import Attacked, Form, image_layers, publish_others
from tests.support.builds import Builds, Built

STOPS = "app_files"
PINNED: Form = "pinned"
# An attack needs no second form of requirements where it does not depend on how they are read.
CASES = [
    *((name, PINNED) for name in attacks.ATTACKS if name != STOPS),
    *(
        pytest.param(name, form, marks=pytest.mark.matrix)
        for name in ("caches", "recorded_neighbours")
        for form in ("hashed", "names")
    ),
]


@pytest.fixture(scope="module")
def attacked(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    packages = tmp_path_factory.mktemp("packages")
    publish_others(packages)
    with index.running(packages) as running:
        yield Attacked(builds, running, tmp_path_factory.mktemp("attacked"))


@pytest.mark.parametrize(("attack", "form"), CASES)
def test_every_image_equals_that_of_a_clean_build(
    attacked: Attacked, attack: str, form: Form
) -> None:
    with_evil = image_layers(attacked.clean(form, with_evil=True), form)
    without_evil = image_layers(attacked.clean(form, with_evil=False), form)

    def layers(build: Built) -> dict[str, str]:
        return image_layers(build, form)

    first = attacked.first_build(form, (attack,))
    assert layers(first) == with_evil
    second = attacked.next_build(form, first)
    assert layers(second) == with_evil
    assert layers(attacked.next_build(form, attacked.without_image(second))) == with_evil
    assert layers(attacked.next_build(form, attacked.without_cache(second))) == with_evil
    assert layers(attacked.build_without(form, second)) == without_evil
    assert layers(attacked.build_without(form, attacked.without_image(second))) == without_evil
    assert layers(attacked.build_without(form, attacked.without_cache(second))) == without_evil


def test_package_that_changes_a_file_of_the_app_stops_the_build(attacked: Attacked) -> None:
    built = attacked.first_build(PINNED, (STOPS,), code=None)

    assert built.code != 0
    assert built.error.splitlines()[0] == "The build of evil changed files of the app"
    assert "Changed or removed: shop/__init__.py." in built.error
    assert not (built.directory / "index.json").exists()
