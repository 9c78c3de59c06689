"""What changed, in a line."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.install.request import said

VERSIONS = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1.0", "2.0"]))


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ({}, {}, ""),
        ({"six": "1.0"}, {"six": "1.0"}, ""),
        ({"six": "1.0"}, {"six": "2.0"}, "~ six 1.0 → 2.0"),
        ({}, {"six": "1.0"}, "+ six 1.0"),
        ({"six": "1.0"}, {}, "- six"),
        (
            {"six": "1.0", "b": "1", "a": "1"},
            {"six": "2.0", "d": "1", "c": "1"},
            "~ six 1.0 → 2.0, + c 1, + d 1, - a, - b",
        ),
    ],
)
def test_changed_new_and_removed_ones_are_named_in_this_order(
    before: dict[str, str], after: dict[str, str], line: str
) -> None:
    assert said(before, after) == line


@pytest.mark.parametrize(("count", "end"), [(12, "+ p11 1"), (13, ", and 1 more")])
def test_a_long_list_is_cut(count: int, end: str) -> None:
    after = {f"p{number:02}": "1" for number in range(count)}

    assert said({}, after).endswith(end)


@given(VERSIONS, VERSIONS)
def test_nothing_is_said_of_equal_environments_alone(
    before: dict[str, str], after: dict[str, str]
) -> None:
    assert (said(before, after) == "") == (before == after)
