"""Requests for a Python version, as users and version managers write them."""

import pytest

from cnb_python.errors.python_requests import InvalidPythonVersion, OtherImplementation
from cnb_python.python.origin import Origin
from cnb_python.python.request import likely, parse_version

NAME = ".python-version"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("3.13", (3, 13, None, "", False)),
        ("3.13.0", (3, 13, 0, "", False)),
        ("3.14.10", (3, 14, 10, "", False)),
        ("  3.14\t", (3, 14, None, "", False)),
        ("\u00a03.14\u00a0", (3, 14, None, "", False)),
        ("3.14t", (3, 14, None, "", True)),
        ("3.14.3t", (3, 14, 3, "", True)),
        ("3.15.0rc1", (3, 15, 0, "rc1", False)),
        ("3.15.0a7t", (3, 15, 0, "a7", True)),
    ],
)
def test_a_release_line_or_a_release_is_parsed(
    text: str, parts: tuple[int, int, int | None, str, bool]
) -> None:
    request = parse_version(text, Origin("x"))

    assert request[:-1] == parts
    assert str(request) == text.strip()


@pytest.mark.parametrize(
    "text", ["python-3.14.1", "python3.14.1", "cpython@3.14.1", "cpython-3.14.1", "CPython3.14.1"]
)
def test_prefixes_of_version_managers_are_accepted_if_lenient(text: str) -> None:
    assert str(parse_version(text, Origin("x"), lenient=True)) == "3.14.1"


@pytest.mark.parametrize("text", ["3.14.x", "3.14.*", "3.14.X", "python-3.14.x"])
def test_a_wildcard_patch_is_the_release_line(text: str) -> None:
    assert str(parse_version(text, Origin("x"), lenient=True)) == "3.14"


@pytest.mark.parametrize("lenient", [True, False])
@pytest.mark.parametrize(
    "text",
    [
        *("3", "3.14.1.2", "3..14", "3.14.", ".14", "v3.14", "3.x", "3.*", "3.14rc1"),
        *(">=3.14", "~=3.14", "3.14-dev", "system", "python", "3.14.0c1", "3.14.0.b1"),
        *("'3.14'", '"3.14"', "3.14 # web", "+3.14", "03.14", "3.014", "3.999999", "3.14 3.13"),
        *("3.1\uff14", "٣.١٤", "3.14\u200b", "\ufeff3.14", "3.1\x004", "3.12.4/envs/web"),
    ],
)
def test_other_text_is_refused_with_its_origin(text: str, *, lenient: bool) -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version(text, Origin(NAME, 7), lenient=lenient)

    assert caught.value.origin == ".python-version, line 7"


@pytest.mark.parametrize("text", ["python-3.14", "cpython@3.14", "3.14.x"])
def test_prefixes_and_wildcards_are_refused_unless_lenient(text: str) -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version(text, Origin(NAME))

    assert caught.value.likely == "3.14"


@pytest.mark.parametrize(
    ("text", "implementation"),
    [
        *(("pypy3.11", "PyPy"), ("pypy3.10-7.3.12", "PyPy"), ("PyPy@3.10", "PyPy")),
        *(("pp311", "PyPy"), ("graalpy-24.1.0", "GraalPy"), ("graalpython-22.3.0", "GraalPy")),
        *(("miniconda3-3.12-24.1.2-0", "Miniconda"), ("anaconda3-2024.02-1", "Anaconda")),
        *(("miniforge3-latest", "Miniforge"), ("jython-2.7.3", "Jython"), ("pyston", "Pyston")),
    ],
)
def test_another_implementation_is_named(text: str, implementation: str) -> None:
    with pytest.raises(OtherImplementation) as caught:
        parse_version(text, Origin(NAME, 1), lenient=True)

    assert (caught.value.text, caught.value.implementation) == (text, implementation)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        *(("v3.12", "3.12"), ("'3.12.4'", "3.12.4"), ("3.12 # web", "3.12"), ("03.09", "3.9")),
        *(("3.15-dev", "3.15"), ("Python 3.12.4", "3.12.4"), ("3.1\u200b4", "3.14")),
        *(("3.14.", "3.14"), ("3.12.4/envs/web", "3.12.4"), ("\x00\x003.12", "3.12")),
        *(("latest", ""), ("3", ""), ("3.14.1.2", ""), ("3.999999", ""), ("", "")),
    ],
)
def test_the_likely_version_of_a_typing_error_is_named(text: str, meant: str) -> None:
    assert likely(text) == meant


def test_invisible_characters_are_escaped() -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version("3.14\u200b\x07", Origin(NAME))

    assert caught.value.text == r"3.14\u200b\x07"


@pytest.mark.parametrize(
    ("asked", "version", "is_it"),
    [
        *(("3.14", "3.14.0", True), ("3.14", "3.14.6", True), ("3.14", "3.13.6", False)),
        *(("3.14.6", "3.14.6", True), ("3.14.6", "3.14.5", False), ("3.15", "3.15.0rc1", True)),
        *(("3.15.0", "3.15.0rc1", False), ("3.15.0rc1", "3.15.0rc1", True)),
    ],
)
def test_a_request_admits_its_releases(asked: str, version: str, *, is_it: bool) -> None:
    assert parse_version(asked, Origin("x")).admits(version) is is_it
