"""Whose file is taken is said, once for all that the same distributions quarrel over."""

from cnb_python.distributions.model import Distribution, File
from cnb_python.layout.conflicts import notes


def _distribution(name: str, **digests: str) -> Distribution:
    files = (File(path.replace("__", "/"), digest, 1) for path, digest in digests.items())
    return Distribution(name, "1.0", "", tuple(sorted(files)))


def test_nothing_is_said_of_files_that_are_equal_or_of_one_alone() -> None:
    one = _distribution("a", cv2__x="same", a="1")
    other = _distribution("b", cv2__x="same", b="1")
    assert notes([one, other]) == []


def test_the_winner_and_the_losers_are_named_in_one_line() -> None:
    found = [_distribution(name, cv2__x=name, cv2__y=name) for name in ("b", "c", "a")]
    assert notes(found) == ["Of c, the last by name, and not of a, b: cv2/x, cv2/y"]


def test_of_many_files_some_are_named() -> None:
    paths = [f"cv2__{number}" for number in range(300)]
    found = [_distribution(name, **dict.fromkeys(paths, name)) for name in ("a", "b")]
    (said,) = notes(found)
    assert said.endswith(" and 295 more")


def test_what_the_environment_needs_itself_is_left_out() -> None:
    said = notes([_distribution("evil", bin__python="x", evil="x")])
    assert said == ["Left out of evil, for the environment has its own: bin/python"]


def test_names_that_strangers_chose_command_no_terminal() -> None:
    found = [_distribution(name, **{"a\x1b[2J": name}) for name in ("a", "b")]
    assert "\x1b" not in "".join(notes(found))
