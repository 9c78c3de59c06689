"""Messages about Python versions, their files and their downloads."""

from datetime import date

import pytest

from cnb_python.errors.base import Failure
from cnb_python.errors.downloads import (
    BadMirror,
    ChecksumMismatch,
    DamagedArchive,
    DownloadFailed,
    UnsafeArchive,
    UnusableInterpreter,
    UnusablePythonTable,
)
from cnb_python.errors.inputs import NotUtf8, UnreadableJson
from cnb_python.errors.python_releases import (
    NoPythonInRange,
    PythonEndOfLife,
    PythonNotAvailable,
    PythonOutsideRange,
    UnknownPythonPatch,
    UnknownReleaseLine,
)
from cnb_python.errors.python_requests import (
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspelledVersionFile,
    NoPythonVersion,
    OtherImplementation,
    SeveralPythonVersions,
    VersionFileNotUtf8,
)
from tests.support.messages import explained

ORIGIN = ".python-version, line 2"
LINES = ("3.15", "3.14", "3.13")


@pytest.mark.parametrize(
    ("failure", "phrases"),
    [
        (NoPythonVersion(".python-version"), (".python-version", "echo 3.14 > .python-version")),
        (
            SeveralPythonVersions(".python-version", ((1, "3.13"), (4, "3.12"))),
            ("names 2 Python versions", "line 1: 3.13", "line 4: 3.12"),
        ),
        (
            InvalidPythonVersion("3.x", ORIGIN, ""),
            ("'3.x' is not a Python version", ORIGIN, "3.14.6"),
        ),
        (
            InvalidPythonVersion("v3.12", ORIGIN, "3.12"),
            ("without quotes, prefix or comment: 3.12",),
        ),
        (
            InvalidPythonRange("^3.12", "requires-python in pyproject.toml, line 5", ">=3.12,<4"),
            (
                "'^3.12' is not a range",
                "pyproject.toml, line 5",
                "Write it in the standard form: >=3.12,<4",
            ),
        ),
        (InvalidPythonRange("a", ORIGIN, ""), ("Write it in the standard form: >=3.12",)),
        (
            OtherImplementation("pypy3.11", ORIGIN, "PyPy"),
            ("PyPy is not supported", f"pypy3.11 ({ORIGIN})", "CPython"),
        ),
        (
            MisspelledVersionFile((" .python-version",), ".python-version", exists=False),
            ("' .python-version' is not read", "git mv ' .python-version' .python-version"),
        ),
        (
            MisspelledVersionFile(
                ("python-version", "python_version"), ".python-version", exists=True
            ),
            ("'python_version'", "besides .python-version", "git rm python-version"),
        ),
        (
            VersionFileNotUtf8(".python-version", "UTF-16", "3.12.4"),
            ("is UTF-16 text", "3.12.4, in UTF-16", "echo 3.12.4 > .python-version", "PowerShell"),
        ),
        (
            NoPythonInRange((("<3.10", "x"), (">=3", "y")), LINES, (("3.9", date(2025, 10, 31)),)),
            (
                "No supported Python satisfies <3.10 and >=3",
                *("<3.10 (x)", ">=3 (y)"),
                *("Python 3.9 reached its end of life on 2025-10-31", "widen the range: >=3.13"),
            ),
        ),
        (NoPythonInRange((("<3", "x"),), (), ()), ("satisfies <3", "one of none.")),
        (
            PythonOutsideRange(
                "3.11.9", "3.11", ORIGIN, ">=3.12", "pyproject.toml, line 3", "3.14"
            ),
            (
                ".python-version, line 2 and pyproject.toml, line 3 contradict each other",
                *("3.11, which is Python 3.11.9", "in the range >=3.12", "in that range: 3.14"),
            ),
        ),
        (
            PythonOutsideRange("3.11.9", "3.11", ORIGIN, ">=4", "pyproject.toml, line 3", ""),
            ("to one in that range.",),
        ),
        (
            UnreadableJson("Pipfile.lock", 3, "Expecting value"),
            ("Pipfile.lock is not valid JSON", "Line 3: Expecting value"),
        ),
        (
            PythonEndOfLife("2.7", ORIGIN, date(2020, 1, 1), LINES),
            ("Python 2 reached its end of life on 2020-01-01", f"2.7 ({ORIGIN})", "3.15"),
        ),
        (
            InvalidPythonVersion(">=3.9", "python_version in Pipfile.lock, line 4", "3.9"),
            ("Change it there, and run pipenv lock",),
        ),
        (
            PythonEndOfLife("3.9", "runtime.txt, line 1", date(2025, 10, 31), LINES),
            ("move the version to .python-version",),
        ),
        (
            UnknownReleaseLine("3.99", ORIGIN, LINES, is_newer=True),
            ("newer than this release", ORIGIN, "3.15, 3.14, 3.13", "Update the buildpack"),
        ),
        (
            UnknownReleaseLine("2.8", ORIGIN, LINES, is_newer=False),
            ("There is no Python 2.8", ORIGIN, "3.15, 3.14, 3.13"),
        ),
        (
            PythonEndOfLife("3.9", ORIGIN, date(2025, 10, 31), LINES),
            ("Python 3.9 reached its end of life on 2025-10-31", ORIGIN, "change the version in"),
        ),
        (
            UnknownPythonPatch("3.13.99", ORIGIN, "3.13", ("3.13.17", "3.13.16")),
            ("There is no Python 3.13.99", ORIGIN, "3.13.17, 3.13.16", "Change it to 3.13"),
        ),
        (
            PythonNotAvailable("3.14.1", ORIGIN, "s390x", ("amd64",), ("3.14.0",), "the table"),
            ("Python 3.14.1 is not available for s390x", ORIGIN, "amd64", "3.14.0", "the table"),
        ),
        (
            PythonNotAvailable("3.14t", ORIGIN, "amd64", (), (), "the table"),
            ("no kind of machine",),
        ),
        (
            BadMirror("the binding mirrors", "ftp://x/"),
            ("cannot be used", "ftp://x/ (the binding mirrors)", "{originalHost}"),
        ),
        (BadMirror("BP_DEPENDENCY_MIRROR", ""), ("(nothing) (BP_DEPENDENCY_MIRROR)",)),
        (
            UnusablePythonTable("https://x/t.toml", ("one", "two")),
            ("https://x/t.toml", "- one", "- two", "BP_PYTHON_MIRROR"),
        ),
        (
            DownloadFailed("Python 3.14.6", "https://x/a", "no connection in time", 5, None),
            ("Python 3.14.6 could not be downloaded", "https://x/a", "after 5 attempts", "proxy"),
        ),
        (
            DownloadFailed("Python 3.14.6", "https://x/a", "the server answered 404", 1, 404),
            ("https://x/a: the server answered 404.", "Check that the mirror in use has"),
        ),
        (
            ChecksumMismatch("Python 3.14.6", "https://x/a", "e" * 64, "f" * 64),
            ("has the wrong checksum", "https://x/a", "e" * 64, "f" * 64),
        ),
        (DamagedArchive("Python 3.14.6", "unexpected end"), ("unexpected end", "Build again")),
        (
            UnsafeArchive("Python 3.14.6", "../evil", "leads outside"),
            ("is not safe to unpack", "../evil, which leads outside", "before you trust it"),
        ),
        (
            UnusableInterpreter("3.14.6", "It says: GLIBC not found"),
            ("does not run in this build image", "GLIBC not found", "Alpine"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_message_has_value_origin_and_fix(failure: Failure, phrases: tuple[str, ...]) -> None:
    shown = explained(failure)

    for phrase in phrases:
        assert phrase in shown


def test_invisible_characters_are_explained() -> None:
    assert "invisible characters" in explained(InvalidPythonVersion(r"3.14\u200b", ORIGIN, "3.14"))
    assert "invisible characters" not in explained(InvalidPythonVersion("3.x", ORIGIN, ""))


def test_number_of_attempts_is_shown_above_one() -> None:
    assert "attempts" not in explained(DownloadFailed("Python", "/a", "no such file", 1, None))


def test_utf16_file_is_converted_from_utf16() -> None:
    shown = explained(NotUtf8(".python-version", 1, 0xFF))

    assert ".python-version is not UTF-8 text" in shown
    assert "iconv -f UTF-16 -t UTF-8 .python-version" in shown
    assert "iconv -f WINDOWS-1252" in explained(NotUtf8(".python-version", 2, 0xFF))
