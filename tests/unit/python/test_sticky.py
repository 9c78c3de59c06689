"""Which line an app stays on."""

from cnb_python.layers.cache_keys import PackageKey
from cnb_python.python.releases import FREETHREADED, PLAIN
from cnb_python.python.resolver import kept_line
from tests.support.inventory import INVENTORY


def noted(line: str, flavour: str = PLAIN) -> dict[str, str]:
    """What a build leaves in store.toml of the line that it chose."""
    key = PackageKey("1", line, flavour, "linux", "amd64", "debian 12", "/layers", "uv", "")
    return {**key.metadata(), "decision": "x"}


def test_the_line_of_the_previous_build_is_kept() -> None:
    request = kept_line(noted("3.11"), INVENTORY)

    assert str(request) == "3.11"
    assert request is not None
    assert str(request.origin) == "the previous build, which BP_PYTHON_STICKY keeps to"


def test_a_free_threaded_line_stays_so() -> None:
    assert str(kept_line(noted("3.13", FREETHREADED), INVENTORY)) == "3.13t"


def test_the_first_build_has_nothing_to_keep() -> None:
    assert kept_line({}, INVENTORY) is None


def test_a_line_that_this_buildpack_does_not_know_is_not_kept() -> None:
    assert kept_line(noted("3.99"), INVENTORY) is None
    assert kept_line({"python": True}, INVENTORY) is None
