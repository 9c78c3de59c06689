"""The values of markers in the app's interpreter."""

import platform
import sys
from collections.abc import Callable

import pytest
from packaging.markers import Marker, default_environment
from packaging.specifiers import SpecifierSet

from cnb_python.managers import markers


def test_environment_equals_that_of_the_interpreter() -> None:
    ours = markers.environment(platform.python_version(), platform.machine())
    environment = dict(default_environment())
    of_the_machine = {"platform_release", "platform_version"}

    assert sys.implementation.name == "cpython"
    assert {name: ours[name] for name in environment.keys() - of_the_machine} == {
        name: environment[name] for name in environment.keys() - of_the_machine
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python_version >= '3.10'", True),
        ("python_version < '3.10'", False),
        ("python_version == '3.13'", True),
        ("python_full_version < '3.13.5'", False),
        ("sys_platform == 'linux' and platform_machine == 'aarch64'", True),
        ("sys_platform == 'win32' or os_name == 'nt'", False),
        ("implementation_name == 'cpython'", True),
        ("platform_python_implementation != 'CPython'", False),
        ("extra == 'x'", False),
    ],
)
def test_marker_is_evaluated_for_the_apps_python(text: str, expected: object) -> None:
    assert markers.applies(Marker(text), "3.13.5", "aarch64") is expected


def test_extra_applies_in_any_spelling() -> None:
    assert markers.applies(Marker("extra == 'Foo_Bar'"), "3.13.5", "x86_64", "foo-bar")


@pytest.mark.parametrize(
    ("python", "line"), [("3.14.6", "3.14"), ("3.9.0", "3.9"), ("3.15.0b2", "3.15")]
)
def test_release_line_is_the_first_two_numbers(python: str, line: str) -> None:
    assert markers.release_line(python) == line


@pytest.mark.parametrize("name", ["platform_release", "platform_version", "platform.version"])
def test_marker_about_the_machine_depends_on_it(name: str) -> None:
    assert markers.depends_on_machine(Marker(f"os_name == 'nt' or {name} == '1'"))
    assert not markers.depends_on_machine(Marker("platform_machine == 'x'"))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("sys_platform ~= 'x'", "Undefined"),
        ("'x' in extras", "it has the unknown variable extras"),
        ("'1' == '2'", "it has the unknown variable 2"),
        (f"python_version == '{'9' * 5000}'", "Exceeds the limit"),
        ("(" * 3000 + "os_name == 'a'" + ")" * 3000, "it is nested too deeply"),
        ("python_version", "Expected marker operator"),
    ],
    ids=["uncomparable", "extras", "number", "digits", "brackets", "syntax"],
)
def test_marker_that_packaging_refuses_is_unusable(text: str, reason: str) -> None:
    with pytest.raises(markers.UnusableMarker) as raised:
        markers.applies(text, "3.13.5", "x86_64")

    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("python_full_version < '3.13.5'", True),
        ("python_full_version >= '3.13.0'", False),
        ("python_full_version > '3.13.0'", True),
        ("'3.13.2' <= python_full_version", True),
        ("python_full_version >= '3.13'", False),
        ("python_full_version < '3.14'", False),
        ("python_full_version != '3.12.3'", False),
        ("implementation_version == '3.13.5'", True),
        ("python_full_version in '3.13.1, 3.13.2'", True),
        ("python_version < '3.13'", False),
        ("python_full_version < '3.13.5' and os_name == 'nt'", False),
    ],
)
def test_marker_that_separates_patch_releases_depends_on_them(text: str, expected: object) -> None:
    assert markers.marker_depends_on_patch(Marker(text), "3.13.5", "x86_64") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        (">=3.9", False),
        (">=3.13", False),
        (">=3.9,!=3.9.7", False),
        ("!=3.13.2", True),
        (">=3.13.1", True),
        ("<3.13.9", True),
        (">3.13", True),
        ("~=3.13", False),
        ("==3.13.*", False),
        ("<4,>=3.1", False),
    ],
)
def test_range_that_separates_patch_releases_depends_on_them(text: str, expected: object) -> None:
    contains: Callable[[str], bool] = SpecifierSet(text).contains

    assert markers.range_depends_on_patch(text, contains, "3.13.5") is expected
