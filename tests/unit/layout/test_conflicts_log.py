"""Log lines about path conflicts: one for all paths of the same distributions."""

from cnb_python.distributions.model import Distribution, File
from cnb_python.layout.conflicts import conflict_messages


def _distribution(name: str, **digests: str) -> Distribution:
    files = (File(path.replace("__", "/"), digest, 1) for path, digest in digests.items())
    return Distribution(name, "1.0", "", tuple(sorted(files)))


def test_equal_and_unique_files_give_no_message() -> None:
    first = _distribution("a", cv2__x="same", a="1")
    second = _distribution("b", cv2__x="same", b="1")
    assert conflict_messages([first, second]) == []


def test_message_names_winner_and_losers() -> None:
    distributions = [_distribution(name, cv2__x=name) for name in ("b", "c", "a")]
    assert conflict_messages(distributions) == ["cv2/x is in a, b and c; using c's copy"]


def test_paths_of_same_distributions_are_in_one_message() -> None:
    distributions = [_distribution(name, cv2__x=name, cv2__y=name) for name in ("b", "c", "a")]
    assert conflict_messages(distributions) == ["cv2/x, cv2/y are in a, b and c; using c's copies"]


def test_message_names_some_of_many_paths() -> None:
    paths = [f"cv2__{number}" for number in range(300)]
    distributions = [_distribution(name, **dict.fromkeys(paths, name)) for name in ("a", "b")]
    (message,) = conflict_messages(distributions)
    assert " and 295 more are in a and b;" in message


def test_reserved_path_is_left_out_with_message() -> None:
    messages = conflict_messages([_distribution("evil", bin__python="x", evil="x")])
    assert messages == ["Leaving out bin/python of evil: reserved for the environment"]


def test_control_characters_in_paths_are_escaped() -> None:
    distributions = [_distribution(name, **{"a\x1b[2J": name}) for name in ("a", "b")]
    assert "\x1b" not in "".join(conflict_messages(distributions))
