"""A package that attacks the build while it is built changes nothing but itself.

All attacks at once; each alone, and in more situations, in test_attacks_each.py.
"""

from collections.abc import Iterator

import pytest

from tests.support import attacks, index
from tests.support.attacked import Attacked, image_layers, publish_others
from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built

# It changes the app, so no image is made.
STOPS = "app_files"
ALL = tuple(name for name in attacks.ATTACKS if name != STOPS)


@pytest.fixture(scope="module")
def attacked(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attacked]:
    packages = tmp_path_factory.mktemp("packages")
    publish_others(packages)
    with index.running(packages) as running:
        yield Attacked(builds, running, tmp_path_factory.mktemp("attacked"))


@pytest.fixture(scope="module")
def first(attacked: Attacked) -> Built:
    return attacked.first_build("pinned", ALL)


def test_image_of_first_build_is_that_of_a_harmless_package(
    attacked: Attacked, first: Built
) -> None:
    harmless = attacked.clean("pinned", with_evil=True)

    assert image_layers(first, "pinned") == image_layers(harmless, "pinned")


def test_log_names_the_package(first: Built) -> None:
    warnings = [line for line in first.output.splitlines() if line.startswith("[Warning: ")]

    assert warnings
    assert all("evil" in line for line in warnings), warnings


def test_next_build_has_nothing_of_it(attacked: Attacked, first: Built) -> None:
    later = attacked.build_without("pinned", first)

    assert layers_of(later) == layers_of(attacked.clean("pinned", with_evil=False))
