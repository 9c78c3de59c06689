"""Upload times in an index's JSON and in locks, and which files of a release count."""

import json
from datetime import UTC, datetime

import pytest

from cnb_python.managers.base import Pin
from cnb_python.supply_chain.cooldown.ages import age_of, chosen_files, newest_older
from cnb_python.supply_chain.cooldown.release_files import (
    NotAnIndexPage,
    ReleaseFile,
    WheelTarget,
    allowed_hashes,
    in_lock,
    index_in_lock,
    is_of_index,
    read_page,
)

TARGET = WheelTarget("3.14.6", "x86_64")
OLD, YOUNG = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 11, 28, 9, 15, tzinfo=UTC)
A, B = "a" * 64, "b" * 64
LOCK = f"""\
# pylock.toml
[[packages]]
name = "six"
version = "1.17.0"
index = "https://index.example.org/simple"

[packages.sdist]
url = "https://files.example.org/six-1.17.0.tar.gz"
upload-time = 2026-11-28T09:15:00Z
hashes = {{sha256 = "{A}"}}

[[packages.wheels]]
url = "https://files.example.org/six-1.17.0-py2.py3-none-any.whl"
upload-time = 2026-01-01T00:00:00
hashes = {{sha256 = "{B}"}}
"""


def pin(line: str, *, by_itself: bool = False) -> Pin:
    return Pin("six", "1.17.0", "", line, by_itself=by_itself)


def wheel(tag: str, uploaded: datetime | None = OLD, version: str = "1.17.0") -> ReleaseFile:
    return ReleaseFile(f"six-{version}-{tag}.whl", version, B, uploaded)


SDIST = ReleaseFile("six-1.17.0.tar.gz", "1.17.0", A, YOUNG)


def test_page_of_an_index() -> None:
    page = {
        "meta": {"api-version": "1.4"},
        "name": "six",
        "files": [
            {
                "filename": "six-1.17.0-py2.py3-none-any.whl",
                "hashes": {"sha256": B.upper()},
                "upload-time": "2026-11-28T09:15:00.000000Z",
                "yanked": "it was broken",
                "requires-python": ">=2.7",
            },
            {"filename": "six-1.17.0.tar.gz", "upload-time": "2026-11-28T10:15:00+01:00"},
            {"filename": "six-1.0-py2.7.egg", "upload-time": "2010-01-01T00:00:00Z"},
            {"filename": "six-1.16.0.zip", "upload-time": "yesterday", "yanked": False},
            {"filename": "six-1.15.0.zip", "upload-time": "0001-01-01T00:00:00+14:00"},
            "damaged",
        ],
    }

    first, second, third, last = read_page(json.dumps(page).encode())

    assert first == ReleaseFile(
        "six-1.17.0-py2.py3-none-any.whl",
        "1.17.0",
        B,
        YOUNG,
        is_yanked=True,
        requires_python=">=2.7",
    )
    assert second == ReleaseFile("six-1.17.0.tar.gz", "1.17.0", "", YOUNG)
    assert (third.version, third.uploaded, third.is_yanked) == ("1.16.0", None, False)
    assert (last.version, last.uploaded) == ("1.15.0", None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html>", "it does not answer with JSON"),
        (b"\xff", "it does not answer with JSON"),
        (b"[]", "it does not answer with the JSON of PEP 691"),
        (b'{"info": {}, "releases": {}}', "it does not answer with the JSON of PEP 691"),
        (b'{"meta": {"api-version": "2.0"}, "files": []}', "it does not answer with the JSON of"),
    ],
)
def test_other_answers(content: bytes, reason: str) -> None:
    with pytest.raises(NotAnIndexPage, match=reason):
        read_page(content)


def test_lock_has_times_hashes_and_the_index() -> None:
    own = pin(LOCK)

    assert [(file.name, file.uploaded) for file in in_lock(own)] == [
        ("six-1.17.0-py2.py3-none-any.whl", OLD),
        ("six-1.17.0.tar.gz", YOUNG),
    ]
    assert index_in_lock(own) == "https://index.example.org/simple"
    assert allowed_hashes(own) == {A, B}
    assert is_of_index(own)
    # The wheel is installed, not the sdist.
    assert age_of(chosen_files(own, in_lock(own), TARGET)).uploaded == OLD


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"six==1.17.0 --hash=sha256:{A}", True),
        ("six[extra]==1.17.0", True),
        ("six @ https://example.org/six-1.17.0.tar.gz", False),
        ("-e /workspace", False),
        ('# pylock.toml\n[[packages]]\nname = "six"\nvcs = {type = "git"}\n', False),
        ('# pylock.toml\n[[packages]]\nname = "six"\ndirectory = {path = "."}\n', False),
    ],
)
def test_releases_of_an_index_are_told_from_others(line: str, *, expected: bool) -> None:
    assert is_of_index(pin(line)) is expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("py3-none-any", True),
        ("py2.py3-none-any", True),
        ("py2-none-any", False),
        ("py314-none-any", True),
        ("py315-none-any", False),
        ("cp314-cp314-manylinux_2_17_x86_64.manylinux2014_x86_64", True),
        ("cp314-cp314t-manylinux_2_28_x86_64", True),
        ("cp313-cp313-manylinux_2_17_x86_64", False),
        ("cp39-abi3-manylinux_2_17_x86_64", True),
        ("cp315-abi3-manylinux_2_17_x86_64", False),
        pytest.param(f"cp3{'1' * 5000}-abi3-any", False, id="digits"),
        ("cp314-cp314-linux_x86_64", True),
        ("cp314-cp314-manylinux_2_17_aarch64", False),
        ("cp314-cp314-musllinux_1_2_x86_64", False),
        ("cp314-cp314-macosx_11_0_arm64", False),
        ("cp314-cp314-win_amd64", False),
        ("pp311-pypy311_pp73-manylinux_2_17_x86_64", False),
    ],
)
def test_wheels_that_may_be_installed(tag: str, *, expected: bool) -> None:
    assert wheel(tag).fits(TARGET) is expected


def test_only_files_that_may_be_installed_count() -> None:
    """An old release may get a wheel for a new Python, or for another system."""
    fitting, other = wheel("cp314-cp314-manylinux_2_17_x86_64"), wheel("cp39-cp39-win32", YOUNG)
    files = (fitting, other, SDIST)
    line = "six==1.17.0"

    assert chosen_files(pin(line), files, TARGET) == (fitting,)
    assert chosen_files(pin(line), (other, SDIST), TARGET) == (SDIST,)
    assert chosen_files(pin(line, by_itself=True), files, TARGET) == (SDIST,)
    assert chosen_files(pin(f"{line} --hash=sha256:{A}"), files, TARGET) == (SDIST,)
    assert chosen_files(pin("six==1.17.0 --hash=sha256:" + "c" * 64), files, TARGET) == ()


def test_youngest_file_is_the_age_of_a_release() -> None:
    files = (wheel("py3-none-any"), wheel("py314-none-any", YOUNG))

    assert age_of(files).uploaded == YOUNG
    assert age_of((*files, wheel("py39-none-any", None))) == (None, True)
    assert age_of(()) == (None, False)


def test_newest_older_release_can_be_installed() -> None:
    files = (
        wheel("py3-none-any", YOUNG),
        wheel("py3-none-any", YOUNG, "1.16.3"),
        wheel("py3-none-any", OLD, "1.16.2")._replace(is_yanked=True),
        wheel("py3-none-any", OLD, "1.16.1")._replace(requires_python="<3.14"),
        wheel("cp39-cp39-win32", OLD, "1.16.0.post1"),
        wheel("py3-none-any", OLD, "1.16.0"),
        wheel("py3-none-any", OLD, "1.15.0"),
        wheel("py3-none-any", OLD, "1.17.0rc1"),
        wheel("py3-none-any", OLD, "1.18.0"),
        wheel("py3-none-any", None, "1.16.4"),
    )

    assert newest_older(pin(""), files, OLD, TARGET) == "1.16.0"
    assert newest_older(pin("")._replace(version="1.17.0rc2"), files, OLD, TARGET) == "1.17.0rc1"
    assert newest_older(pin(""), files[:2], OLD, TARGET) == ""
    assert newest_older(pin("")._replace(version="a fork"), files, OLD, TARGET) == ""
