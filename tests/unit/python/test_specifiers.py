"""Ranges of Python versions: specifiers and Poetry's constraints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cnb_python.errors.python_requests import InvalidPythonRange
from cnb_python.python.origin import Origin
from cnb_python.python.specifiers import PythonRange, parse_constraint, parse_specifier

ORIGIN = Origin("pyproject.toml", 5, "requires-python")
VERSIONS = tuple(f"3.{minor}.{patch}" for minor in range(8, 16) for patch in (0, 1, 4, 12))


def admitted(bounds: PythonRange) -> tuple[str, ...]:
    return tuple(version for version in VERSIONS if bounds.admits(version))


def lines(text: str) -> str:
    """Return the release lines that have an admitted version, in one text."""
    bounds = parse_constraint(text, ORIGIN)
    return " ".join(dict.fromkeys(v.rpartition(".")[0] for v in admitted(bounds)))


numbers = st.lists(st.integers(0, 16), min_size=1, max_size=3).map(
    lambda parts: ".".join(map(str, [3, *parts][: len(parts)]))
)
clauses = st.builds(
    "{}{}{}".format,
    st.sampled_from(["==", "!=", "<=", ">=", "<", ">", "~=", "===", ">= "]),
    numbers,
    st.sampled_from(["", "", "", ".*", "rc1", ".post1", "a2"]),
)


@given(st.lists(clauses, min_size=1, max_size=3).map(",".join))
def test_a_specifier_admits_what_packaging_admits(text: str) -> None:
    try:
        expected = SpecifierSet(text)
    except InvalidSpecifier:
        with pytest.raises(InvalidPythonRange):
            parse_specifier(text, ORIGIN)
        return

    bounds = parse_specifier(text, ORIGIN)
    assert admitted(bounds) == tuple(v for v in VERSIONS if expected.contains(v, prereleases=True))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("^3.12", "3.12 3.13 3.14 3.15"),
        ("^3", "3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15"),
        ("~3.12", "3.12"),
        ("~3", "3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15"),
        ("~3.12.4", "3.12"),
        ("~=3.12", "3.12 3.13 3.14 3.15"),
        ("3.12.*", "3.12"),
        ("3.12.x", "3.12"),
        ("*", "3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15"),
        (">=3.9,<3.12", "3.9 3.10 3.11"),
        (">=3.9 <3.12", "3.9 3.10 3.11"),
        (">= 3.9, < 3.12, !=3.10.*", "3.9 3.11"),
        ("~2.7 || ^3.13", "3.13 3.14 3.15"),
        ("~3.9 | ~3.11", "3.9 3.11"),
        ("^3.9,!=3.9.*", "3.10 3.11 3.12 3.13 3.14 3.15"),
        ("3.12", "3.12"),
    ],
)
def test_a_constraint_admits_what_poetrys_manual_says(text: str, expected: str) -> None:
    assert lines(text) == expected


def test_carets_and_tildes_depend_on_how_many_numbers_they_have() -> None:
    assert admitted(parse_constraint("^3.12.4", ORIGIN))[0] == "3.12.4"
    assert admitted(parse_constraint("~3.12.4", ORIGIN)) == ("3.12.4", "3.12.12")
    assert not parse_constraint("^0.3", ORIGIN).admits("0.4.0")
    assert parse_constraint("^0.3", ORIGIN).admits("0.3.9")


def test_a_version_alone_admits_only_itself() -> None:
    assert admitted(parse_constraint("3.12", ORIGIN)) == ("3.12.0",)
    assert admitted(parse_constraint("=3.12.4", ORIGIN)) == ("3.12.4",)


@pytest.mark.parametrize("text", ["latest", "^3.x", "^^3", "3.12 -> 3.14", ">=", "~a", "3..1"])
def test_an_invalid_range_is_refused_with_its_origin(text: str) -> None:
    for parse in (parse_constraint, parse_specifier):
        with pytest.raises(InvalidPythonRange) as caught:
            parse(text, ORIGIN)
        assert caught.value.origin == "requires-python in pyproject.toml, line 5"


def test_a_constraint_in_place_of_a_specifier_is_refused_with_its_translation() -> None:
    with pytest.raises(InvalidPythonRange) as caught:
        parse_specifier("^3.11", ORIGIN)

    assert caught.value.likely == ">=3.11,<4"


def test_a_pre_release_follows_the_rules_of_specifiers() -> None:
    assert not parse_specifier(">=3.15", ORIGIN).admits("3.15.0rc1")
    assert parse_specifier(">=3.15.0rc1", ORIGIN).admits("3.15.0rc1")
