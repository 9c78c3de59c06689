"""The release for a request, or the error without one."""

from copy import replace
from datetime import date

import pytest

from cnb_python.cnb.context import Target
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.python_releases import (
    NoPythonInRange,
    PythonEndOfLife,
    PythonNotAvailable,
    UnknownPythonPatch,
    UnknownReleaseLine,
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


def test_without_requests_the_newest_of_the_default_line_is_chosen() -> None:
    resolution = resolved(None)

    assert resolution.release.version == "3.13.10"
    assert str(resolution.request.origin) == "the default of this buildpack"


def test_a_line_resolves_to_its_newest_release_by_number() -> None:
    assert resolved("3.11").release.version == "3.11.10"


def test_a_patch_release_resolves_to_itself() -> None:
    resolution = resolved("3.13.2")

    assert (resolution.release.version, resolution.newest) == ("3.13.2", "3.13.10")


def test_the_newest_release_is_that_of_the_target() -> None:
    resolution = resolved("3.13", ARM64)

    assert (resolution.release.version, resolution.release.arch) == ("3.13.9", "arm64")


def test_the_free_threaded_build_is_chosen_only_on_request() -> None:
    assert resolved("3.13").release.flavour == "plain"
    assert resolved("3.13t").release.flavour == "freethreaded"


def test_a_future_line_is_called_newer() -> None:
    failure = refused("3.14", UnknownReleaseLine)

    assert failure.is_newer
    assert failure.supported == ("3.13", "3.11", "3.10")


@pytest.mark.parametrize("text", ["2.8", "1.5", "3.3", "3.12"])
def test_a_line_that_never_existed_is_not_called_newer(text: str) -> None:
    assert not refused(text, UnknownReleaseLine).is_newer


def test_a_removed_line_is_refused_with_its_end_of_life_and_the_supported_lines() -> None:
    failure = refused("3.9.25", PythonEndOfLife)

    assert failure.ended == date(2025, 10, 31)
    assert failure.supported == ("3.13", "3.11", "3.10")
    assert failure.origin == ".python-version, line 1"


@pytest.mark.parametrize("today", [date(2026, 11, 1), date(2027, 1, 30)])
def test_a_line_after_its_end_of_life_is_installed_until_its_removal(today: date) -> None:
    assert resolved("3.10", today=today).release.version == "3.10.2"


def test_a_line_is_refused_from_the_day_of_its_removal() -> None:
    with pytest.raises(PythonEndOfLife):
        resolved("3.10", today=date(2027, 1, 31))


def test_an_unknown_patch_release_is_refused_with_the_newest_ones() -> None:
    failure = refused("3.13.99", UnknownPythonPatch)

    assert failure.version == "3.13.99"
    assert failure.newest == ("3.13.10", "3.13.9", "3.13.2")


def test_a_release_for_another_architecture_only_is_refused() -> None:
    failure = refused("3.13.8", PythonNotAvailable)

    assert (failure.arch, failure.elsewhere) == ("amd64", ("arm64",))
    assert failure.newest == ("3.13.10", "3.13.9", "3.13.2")
    assert failure.table == "https://mirror.example/python.toml"


def test_an_architecture_without_the_line_is_refused() -> None:
    failure = refused("3.11", PythonNotAvailable, replace(AMD64, arch="s390x"))

    assert (failure.elsewhere, failure.newest) == (("amd64",), ())


def test_a_flavour_without_builds_is_refused() -> None:
    failure = refused("3.11t", PythonNotAvailable)

    assert (failure.version, failure.elsewhere, failure.newest) == ("3.11t", (), ())


def test_only_lines_with_releases_are_supported() -> None:
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
def test_a_range_resolves_to_the_newest_release_in_it(text: str, version: str) -> None:
    assert in_range(text) == version


def test_the_default_line_is_preferred_within_a_range() -> None:
    inventory = replace(INVENTORY, default="3.11")

    def chosen(text: str) -> str:
        asked = (parse_constraint(text, ORIGIN),)
        return resolve(asked, inventory, AMD64, TODAY).release.version

    assert chosen(">=3.10") == "3.11.10"
    assert chosen(">=3.12") == "3.13.10"


def test_the_sticky_line_replaces_the_inventorys_default() -> None:
    sticky = line_request("3.11", Origin("the previous build"))

    def chosen(*asked: str) -> ResolvedPython:
        ranges = tuple(parse_constraint(text, ORIGIN) for text in asked)
        return resolve(ranges, INVENTORY, AMD64, TODAY, sticky)

    assert chosen().release.version == "3.11.10"
    assert str(chosen().request.origin) == "the previous build"
    assert chosen(">=3.10").release.version == "3.11.10"
    assert chosen(">=3.12").release.version == "3.13.10"


def test_all_ranges_must_be_met() -> None:
    asked = tuple(parse_constraint(text, ORIGIN) for text in (">=3.10", "<3.13"))

    assert resolve(asked, INVENTORY, AMD64, TODAY).release.version == "3.11.10"
    assert [text for text, _ in nothing_in(">=3.13", "<3.13").ranges] == [">=3.13", "<3.13"]


def test_a_range_does_not_resolve_to_an_unreleased_line() -> None:
    assert in_range(">=3.10", today=date(2024, 10, 6)) == "3.11.10"
    assert in_range(">=3.10", today=date(2024, 10, 7)) == "3.13.10"


def test_a_range_never_resolves_to_a_free_threaded_build() -> None:
    request = parse_constraint("==3.13.*", ORIGIN)

    assert resolve((request,), INVENTORY, AMD64, TODAY).release.flavour == "plain"


def test_a_range_of_removed_lines_is_refused_with_the_newest_of_them() -> None:
    failure = nothing_in("<3.10")

    assert failure.ended == (("3.9", date(2025, 10, 31)),)
    assert failure.supported == ("3.13", "3.11", "3.10")
    assert nothing_in(">=3.14").ended == ()


def test_an_unreleased_line_is_chosen_if_it_is_named() -> None:
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

    def chosen(text: str) -> str:
        asked = (parse_version(text, ORIGIN),)
        return resolve(asked, inventory, AMD64, TODAY).release.version

    assert chosen("3.14") == "3.14.0b10"
    assert chosen("3.14.0b9") == "3.14.0b9"
    with pytest.raises(UnknownPythonPatch):
        chosen("3.14.0")
    assert resolve((), inventory, AMD64, TODAY).release.version == "3.13.10"


def test_a_final_release_is_preferred_to_a_newer_candidate() -> None:
    inventory = replace(INVENTORY, releases=(release("3.13.11rc1"), *INVENTORY.releases))

    assert resolve((), inventory, AMD64, TODAY).release.version == "3.13.10"
    asked = (parse_constraint(">=3.13", ORIGIN),)
    assert resolve(asked, inventory, AMD64, TODAY).release.version == "3.13.10"


@pytest.mark.parametrize("text", ["2.7", "2.7.18", "2.6", "2.0.1"])
def test_every_python_2_is_refused_with_the_end_of_life_of_2_7(text: str) -> None:
    lines = (
        ReleaseLine("2.7", date(2010, 7, 3), date(2020, 1, 1), date(2020, 1, 1)),
        *INVENTORY.lines,
    )
    with pytest.raises(PythonEndOfLife) as caught:
        resolve((parse_version(text, ORIGIN),), replace(INVENTORY, lines=lines), AMD64, TODAY)

    assert caught.value.ended == date(2020, 1, 1)
    assert caught.value.line == text[:3]
