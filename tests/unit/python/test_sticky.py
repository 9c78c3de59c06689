"""The sticky default: the release line of the previous build."""

from cnb_python.layers.cache_keys import PackageKey
from cnb_python.python.releases import FREETHREADED, PLAIN
from cnb_python.python.resolver import sticky_line
from tests.support.inventory import INVENTORY


def metadata(line: str, flavour: str = PLAIN) -> dict[str, str]:
    """Return the metadata that a build with this release line writes to store.toml."""
    key = PackageKey("1", line, flavour, "linux", "amd64", "debian 12", "/layers", "")
    return {**key.metadata(), "decision": "x"}


def test_the_line_of_the_previous_build_is_kept() -> None:
    request = sticky_line(metadata("3.11"), INVENTORY)

    assert str(request) == "3.11"
    assert request is not None
    assert str(request.origin) == "the previous build, BP_PYTHON_STICKY"


def test_a_free_threaded_line_stays_free_threaded() -> None:
    assert str(sticky_line(metadata("3.13", FREETHREADED), INVENTORY)) == "3.13t"


def test_the_first_build_has_no_sticky_line() -> None:
    assert sticky_line({}, INVENTORY) is None


def test_an_unknown_line_is_not_kept() -> None:
    assert sticky_line(metadata("3.99"), INVENTORY) is None
    assert sticky_line({"python": True}, INVENTORY) is None
