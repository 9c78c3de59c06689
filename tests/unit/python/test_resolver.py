"""Which release answers a request, and which reason is given when none does."""

from copy import replace
from datetime import date

import pytest

from cnb_python.cnb.context import Target
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.python import (
    EndedPythonLine,
    NoPythonInRange,
    PythonNotAvailable,
    UnknownPythonLine,
    UnknownPythonPatch,
)
from cnb_python.python.origin import Origin
from cnb_python.python.releases import ReleaseLine
from cnb_python.python.request import parse_version
from cnb_python.python.resolver import ResolvedPython, line_request, resolve, supported_lines
from cnb_python.python.specifiers import parse_constraint
from tests.support.inventory import AMD64, ARM64, INVENTORY, TODAY, release

ORIGIN = Origin(".python-version", 1)


def resolved(text: str | None, target: Target = AMD64, today: date = TODAY) -> ResolvedPython:
    asked = () if text is None else (parse_version(text, ORIGIN),)
    return resolve(asked, INVENTORY, target, today)


def in_range(text: str, target: Target = AMD64, today: date = TODAY) -> str:
    return resolve((parse_constraint(text, ORIGIN),), INVENTORY, target, today).release.version


def nothing_in(*texts: str) -> NoPythonInRange:
    with pytest.raises(NoPythonInRange) as caught:
        resolve(tuple(parse_constraint(t, ORIGIN) for t in texts), INVENTORY, AMD64, TODAY)
    return caught.value


def refused[T: BuildpackError](text: str, kind: type[T], target: Target = AMD64) -> T:
    with pytest.raises(kind) as caught:
        resolved(text, target)
    return caught.value


def test_who_asks_for_nothing_gets_the_newest_of_the_default_line() -> None:
    found = resolved(None)

    assert found.release.version == "3.13.10"
    assert str(found.request.origin) == "the default of this buildpack"


def test_a_line_is_answered_by_its_newest_release_by_number() -> None:
    assert resolved("3.11").release.version == "3.11.10"


def test_a_patch_release_is_kept_when_asked_for() -> None:
    found = resolved("3.13.2")

    assert (found.release.version, found.newest) == ("3.13.2", "3.13.10")


def test_the_newest_is_that_of_the_target() -> None:
    found = resolved("3.13", ARM64)

    assert (found.release.version, found.release.arch) == ("3.13.9", "arm64")


def test_the_free_threaded_build_is_only_given_to_who_asks_for_it() -> None:
    assert resolved("3.13").release.flavour == "plain"
    assert resolved("3.13t").release.flavour == "freethreaded"


def test_a_line_of_the_future_is_newer_than_the_buildpack() -> None:
    failure = refused("3.14", UnknownPythonLine)

    assert failure.is_newer
    assert failure.supported == ("3.13", "3.11", "3.10")


@pytest.mark.parametrize("text", ["2.8", "1.5", "3.3", "3.12"])
def test_a_line_that_never_was_is_not_called_newer(text: str) -> None:
    assert not refused(text, UnknownPythonLine).is_newer


def test_an_ended_line_is_refused_with_its_date_and_what_is_supported() -> None:
    failure = refused("3.9.25", EndedPythonLine)

    assert failure.ended == date(2025, 10, 31)
    assert failure.supported == ("3.13", "3.11", "3.10")
    assert failure.origin == ".python-version, line 1"


@pytest.mark.parametrize("today", [date(2026, 11, 1), date(2027, 1, 30)])
def test_an_ended_line_is_installed_until_it_is_removed(today: date) -> None:
    assert resolved("3.10", today=today).release.version == "3.10.2"


def test_an_ended_line_is_refused_from_the_day_of_its_removal() -> None:
    with pytest.raises(EndedPythonLine):
        resolved("3.10", today=date(2027, 1, 31))


def test_a_patch_that_does_not_exist_is_refused_with_the_newest_ones() -> None:
    failure = refused("3.13.99", UnknownPythonPatch)

    assert failure.version == "3.13.99"
    assert failure.newest == ("3.13.10", "3.13.9", "3.13.2")


def test_a_patch_that_is_built_for_another_machine_only_is_told_apart() -> None:
    failure = refused("3.13.8", PythonNotAvailable)

    assert (failure.arch, failure.elsewhere) == ("amd64", ("arm64",))
    assert failure.newest == ("3.13.10", "3.13.9", "3.13.2")
    assert failure.table == "the table of a test"


def test_a_machine_for_which_a_line_is_not_built_is_told() -> None:
    failure = refused("3.11", PythonNotAvailable, replace(AMD64, arch="s390x"))

    assert (failure.elsewhere, failure.newest) == (("amd64",), ())


def test_a_flavour_that_a_line_does_not_have_is_told() -> None:
    failure = refused("3.11t", PythonNotAvailable)

    assert (failure.version, failure.elsewhere, failure.newest) == ("3.11t", (), ())


def test_only_lines_with_releases_are_offered() -> None:
    few = replace(INVENTORY, releases=INVENTORY.releases[:1])

    assert supported_lines(few, TODAY) == ("3.10",)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        (">=3.10", "3.13.10"),
        (">=3.10,<3.13", "3.11.10"),
        ("<3.13", "3.11.10"),
        ("^3.11", "3.13.10"),
        ("~3.11", "3.11.10"),
        ("~3.11 || ~3.10", "3.11.10"),
        ("!=3.13.10", "3.13.9"),
        ("<=3.13.9", "3.13.9"),
        ("<3.11", "3.10.2"),
        ("==3.13.2", "3.13.2"),
        ("*", "3.13.10"),
    ],
)
def test_a_range_is_answered_by_the_newest_release_that_is_in_it(text: str, version: str) -> None:
    assert in_range(text) == version


def test_the_default_line_comes_before_newer_ones_that_would_do_too() -> None:
    inventory = replace(INVENTORY, default="3.11")

    def found(text: str) -> str:
        asked = (parse_constraint(text, ORIGIN),)
        return resolve(asked, inventory, AMD64, TODAY).release.version

    assert found(">=3.10") == "3.11.10"
    assert found(">=3.12") == "3.13.10"


def test_another_default_takes_the_place_of_the_inventory_s() -> None:
    sticky = line_request("3.11", Origin("the previous build"))

    def found(*asked: str) -> ResolvedPython:
        ranges = tuple(parse_constraint(text, ORIGIN) for text in asked)
        return resolve(ranges, INVENTORY, AMD64, TODAY, sticky)

    assert found().release.version == "3.11.10"
    assert str(found().request.origin) == "the previous build"
    assert found(">=3.10").release.version == "3.11.10"
    assert found(">=3.12").release.version == "3.13.10"


def test_all_ranges_count() -> None:
    asked = tuple(parse_constraint(text, ORIGIN) for text in (">=3.10", "<3.13"))

    assert resolve(asked, INVENTORY, AMD64, TODAY).release.version == "3.11.10"
    assert [text for text, _ in nothing_in(">=3.13", "<3.13").ranges] == [">=3.13", "<3.13"]


def test_a_range_does_not_name_a_line_that_is_not_out() -> None:
    assert in_range(">=3.10", today=date(2024, 10, 6)) == "3.11.10"
    assert in_range(">=3.10", today=date(2024, 10, 7)) == "3.13.10"


def test_a_range_is_never_answered_by_a_free_threaded_build() -> None:
    request = parse_constraint("==3.13.*", ORIGIN)

    assert resolve((request,), INVENTORY, AMD64, TODAY).release.flavour == "plain"


def test_a_range_that_only_ended_lines_satisfy_stops_with_the_newest_of_them() -> None:
    failure = nothing_in("<3.10")

    assert failure.ended == (("3.9", date(2025, 10, 31)),)
    assert failure.supported == ("3.13", "3.11", "3.10")
    assert nothing_in(">=3.14").ended == ()


def test_a_line_that_is_not_out_is_given_to_who_names_it() -> None:
    lines = (
        *INVENTORY.lines,
        ReleaseLine("3.14", date(2027, 1, 1), date(2032, 1, 1), date(2032, 4, 1)),
    )
    releases = (
        *INVENTORY.releases,
        release("3.14.0a2"),
        release("3.14.0b10"),
        release("3.14.0b9"),
    )
    inventory = replace(INVENTORY, lines=lines, releases=releases)

    def found(text: str) -> str:
        asked = (parse_version(text, ORIGIN),)
        return resolve(asked, inventory, AMD64, TODAY).release.version

    assert found("3.14") == "3.14.0b10"
    assert found("3.14.0b9") == "3.14.0b9"
    with pytest.raises(UnknownPythonPatch):
        found("3.14.0")
    assert resolve((), inventory, AMD64, TODAY).release.version == "3.13.10"


def test_a_final_release_comes_before_the_next_one_s_candidates() -> None:
    inventory = replace(INVENTORY, releases=(release("3.13.11rc1"), *INVENTORY.releases))

    assert resolve((), inventory, AMD64, TODAY).release.version == "3.13.10"
    asked = (parse_constraint(">=3.13", ORIGIN),)
    assert resolve(asked, inventory, AMD64, TODAY).release.version == "3.13.10"


@pytest.mark.parametrize("text", ["2.7", "2.7.18", "2.6", "2.0.1"])
def test_every_python_2_has_ended_with_its_last(text: str) -> None:
    lines = (
        ReleaseLine("2.7", date(2010, 7, 3), date(2020, 1, 1), date(2020, 1, 1)),
        *INVENTORY.lines,
    )
    with pytest.raises(EndedPythonLine) as caught:
        resolve((parse_version(text, ORIGIN),), replace(INVENTORY, lines=lines), AMD64, TODAY)

    assert caught.value.ended == date(2020, 1, 1)
    assert caught.value.line == text[:3]
