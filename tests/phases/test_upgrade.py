"""A new release of the buildpack, of uv and of pip moves no layer of the environment.

By hand, from an older commit, as `make upgrade FROM=COMMIT` does: a failure then shows what moves.
"""

import os
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built, fixture
from tools.platforms import oci
from tools.release import previous

# The lifecycle writes the version of each buildpack into them.
OF_THE_LIFECYCLE = {"config", "sbom"}
OURS = "cnb-python/python:"
COMMIT = "CNB_PYTHON_UPGRADE_FROM"
MOVES = set(previous.pins()["moves"])


@pytest.fixture(scope="module", name="older")
def _older(builds: Builds, base: Path) -> Path:
    tree = base / "previous-release"
    if commit := os.environ.get(COMMIT):
        previous.at_commit(commit, oci.arch(), tree)
    else:
        previous.make(builds.buildpack, oci.arch(), tree)
    return tree


def test_upgrade_makes_no_layer(builds: Builds, older: Path) -> None:
    before = builds.image(fixture("pip_django"), buildpack=older)
    assert before.code == 0, before.output
    after = builds.image(fixture("pip_django"), before)
    assert after.code == 0, after.output
    assert moved(before, after) == MOVES, after.output
    if not MOVES:
        # No package is unpacked, and collectstatic does not run.
        assert "Nothing changed: reusing" in after.output
        assert "Running `" not in after.output


def test_releases_make_the_same_layers(builds: Builds, older: Path, flask: Built) -> None:
    """So the versions of the tools need not be in a key."""
    before = builds.image(fixture("pip_flask"), buildpack=older)
    assert before.code == 0, before.output
    assert moved(before, flask) == MOVES


def moved(before: Built, after: Built) -> set[str]:
    """Return the names of the layers that only one of two images has."""
    old, new = layers_of(before), layers_of(after)
    titles = {title for title in old.keys() | new.keys() if old.get(title) != new.get(title)}
    return {title.removeprefix(OURS) for title in titles - OF_THE_LIFECYCLE}
