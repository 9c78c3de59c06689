"""What a user reads when a Python cannot be had."""

from datetime import date

import pytest

from cnb_python.errors.base import Failure
from cnb_python.errors.inputs import NotUtf8, UnreadableJson
from cnb_python.errors.machine import (
    BadMirror,
    ChecksumMismatch,
    DamagedArchive,
    DownloadFailed,
    UnsafeArchive,
    UnusableInterpreter,
    UnusablePythonTable,
)
from cnb_python.errors.python import (
    EndedPythonLine,
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspeltVersionFile,
    NoPythonInRange,
    NoPythonVersion,
    OtherImplementation,
    PythonNotAvailable,
    PythonOutsideRange,
    SeveralPythonVersions,
    UnknownPythonLine,
    UnknownPythonPatch,
    VersionFileNotUtf8,
)

ORIGIN = ".python-version, line 2"
LINES = ("3.15", "3.14", "3.13")


def text(failure: Failure) -> str:
    message = failure.describe()
    assert message.steps, "a message ends with what to do"
    return "\n".join((message.title, *message.body, *message.steps))


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
            ("without quotes, prefix or comment behind: 3.12",),
        ),
        (
            InvalidPythonRange("^3.12", "requires-python in pyproject.toml, line 5", ">=3.12,<4"),
            ("'^3.12' is not a range", "pyproject.toml, line 5", "Write it so: >=3.12,<4"),
        ),
        (InvalidPythonRange("a", ORIGIN, ""), ("Write it so: >=3.12",)),
        (
            OtherImplementation("pypy3.11", ORIGIN, "PyPy"),
            ("This buildpack has no PyPy", f"{ORIGIN} asks for pypy3.11", "CPython"),
        ),
        (
            MisspeltVersionFile((" .python-version",), ".python-version", exists=False),
            ("' .python-version' is not the name", "git mv ' .python-version' .python-version"),
        ),
        (
            MisspeltVersionFile(
                ("python-version", "python_version"), ".python-version", exists=True
            ),
            ("'python_version'", "There is a .python-version besides", "git rm python-version"),
        ),
        (
            VersionFileNotUtf8(".python-version", "UTF-16", "3.12.4"),
            ("is UTF-16 text", "It says 3.12.4", "echo 3.12.4 > .python-version", "PowerShell"),
        ),
        (
            NoPythonInRange((("<3.10", "x"), (">=3", "y")), LINES, (("3.9", date(2025, 10, 31)),)),
            (
                "No Python that can be installed satisfies <3.10 and >=3",
                *("x asks for <3.10.", "y asks for >=3."),
                *("Python 3.9 does, but it has ended on 2025-10-31", "hold it: >=3.13"),
            ),
        ),
        (NoPythonInRange((("<3", "x"),), (), ()), ("satisfies <3", "Supported are none.")),
        (
            PythonOutsideRange(
                "3.11.9", "3.11", ORIGIN, ">=3.12", "pyproject.toml, line 3", "3.14"
            ),
            (
                ".python-version, line 2 and pyproject.toml, line 3 disagree",
                *("asks for 3.11, which is Python 3.11.9", "says >=3.12", "in that range: 3.14"),
            ),
        ),
        (
            PythonOutsideRange("3.11.9", "3.11", ORIGIN, ">=4", "pyproject.toml, line 3", ""),
            ("to ask for a Python in that range.",),
        ),
        (
            UnreadableJson("Pipfile.lock", 3, "Expecting value"),
            ("Pipfile.lock is not valid JSON", "Line 3 of Pipfile.lock: Expecting value"),
        ),
        (
            EndedPythonLine("2.7", ORIGIN, date(2020, 1, 1), LINES),
            ("Python 2 has ended on 2020-01-01", f"{ORIGIN} asks for 2.7.", "3.15"),
        ),
        (
            InvalidPythonVersion(">=3.9", "python_version in Pipfile.lock, line 4", "3.9"),
            ("change it there, then run pipenv lock",),
        ),
        (
            EndedPythonLine("3.9", "runtime.txt, line 1", date(2025, 10, 31), LINES),
            ("put it into .python-version, and delete runtime.txt",),
        ),
        (
            UnknownPythonLine("3.99", ORIGIN, LINES, is_newer=True),
            ("newer than this release", ORIGIN, "3.15, 3.14, 3.13", "update the buildpack"),
        ),
        (
            UnknownPythonLine("2.8", ORIGIN, LINES, is_newer=False),
            ("There is no Python 2.8", ORIGIN, "3.15, 3.14, 3.13"),
        ),
        (
            EndedPythonLine("3.9", ORIGIN, date(2025, 10, 31), LINES),
            ("Python 3.9 has ended on 2025-10-31", ORIGIN, "the newest is 3.15"),
        ),
        (
            UnknownPythonPatch("3.13.99", ORIGIN, "3.13", ("3.13.17", "3.13.16")),
            ("There is no Python 3.13.99", ORIGIN, "3.13.17, 3.13.16", "Ask for 3.13"),
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
            ("cannot be used", "the binding mirrors says: ftp://x/", "{originalHost}"),
        ),
        (BadMirror("BP_DEPENDENCY_MIRROR", ""), ("BP_DEPENDENCY_MIRROR says: (nothing)",)),
        (
            UnusablePythonTable("https://x/t.toml", ("one", "two")),
            ("https://x/t.toml", "- one", "- two", "BP_PYTHON_MIRROR"),
        ),
        (
            DownloadFailed("Python 3.14.6", "https://x/a", "no connection in time", 5, None),
            ("Python 3.14.6 could not be fetched", "https://x/a", "after 5 attempts", "proxy"),
        ),
        (
            DownloadFailed("Python 3.14.6", "https://x/a", "the server answered 404", 1, 404),
            ("https://x/a: the server answered 404.", "Check that the mirror in use has"),
        ),
        (
            ChecksumMismatch("Python 3.14.6", "https://x/a", "e" * 64, "f" * 64),
            ("is not the file it should be", "https://x/a", "e" * 64, "f" * 64),
        ),
        (DamagedArchive("Python 3.14.6", "unexpected end"), ("unexpected end", "Build again")),
        (
            UnsafeArchive("Python 3.14.6", "../evil", "leads outside"),
            ("holds an entry that is refused", "../evil leads outside", "before you trust it"),
        ),
        (
            UnusableInterpreter("3.14.6", "It says: GLIBC not found"),
            ("does not work in this build image", "GLIBC not found", "Alpine"),
        ),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_what_was_found_and_what_to_do_are_said(
    failure: Failure, phrases: tuple[str, ...]
) -> None:
    shown = text(failure)

    for phrase in phrases:
        assert phrase in shown


def test_what_cannot_be_seen_is_explained() -> None:
    assert "cannot be seen" in text(InvalidPythonVersion(r"3.14\u200b", ORIGIN, "3.14"))
    assert "cannot be seen" not in text(InvalidPythonVersion("3.x", ORIGIN, ""))


def test_one_attempt_is_not_counted() -> None:
    assert "attempts" not in text(DownloadFailed("Python", "/a", "no such file", 1, None))


def test_a_file_of_powershell_gets_the_command_that_mends_it() -> None:
    shown = text(NotUtf8(".python-version", 1, 0xFF))

    assert ".python-version is not UTF-8 text" in shown
    assert "iconv -f UTF-16 -t UTF-8 .python-version" in shown
    assert "iconv -f WINDOWS-1252" in text(NotUtf8(".python-version", 2, 0xFF))
