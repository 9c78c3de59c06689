"""`.python-version` and `runtime.txt`, and misspelt names."""

from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.errors.inputs import NotAFile, NotUtf8
from cnb_python.errors.python_requests import (
    InvalidPythonVersion,
    MisspelledVersionFile,
    NoPythonVersion,
    OtherImplementation,
    SeveralPythonVersions,
    VersionFileNotUtf8,
)
from cnb_python.python.origin import Origin
from cnb_python.python.version_files import (
    check_spelling,
    misspelt,
    parse_version_file,
    read_version_file,
)

NAME = ".python-version"
# What people were seen to commit.
MISSPELLINGS = (
    *(" .python-version", ". python-version", ".python_version.txt", ".python_version"),
    *(".python-version ", ",python-version", ".python-version.", ".python-version.py"),
    *(".python-version.rtf", ".python-version.txt", ".python-version.TXT", ".Python-version"),
    *(".python.version", ".pythonversion", "'.python-version'", "python_version.txt"),
    *("python_version", "python-version.", "python-version.txt", "python-version"),
)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("3.13", 1),
        ("3.13\n", 1),
        ("3.13\r\n", 1),
        ("\n# why\n\n  3.13  \n\n# end\n", 4),
        ("  # indented\n\t3.13", 2),
        ("# made on Windows\r\n\r\n3.13\r\n", 3),
        ("python-3.13\n", 1),
        ("\u00a03.13\u00a0\n", 1),
    ],
)
def test_comments_and_blank_lines_are_ignored(text: str, line: int) -> None:
    request = parse_version_file(text, NAME)

    assert str(request) == "3.13"
    assert request.origin == Origin(NAME, line)


@pytest.mark.parametrize("text", ["", "\n\n", "# 3.13\n", " \t\r\n", "\u00a0\n"])
def test_a_file_without_a_version_is_refused(text: str) -> None:
    with pytest.raises(NoPythonVersion):
        parse_version_file(text, NAME)


def test_a_file_with_several_versions_is_refused_with_all_of_them() -> None:
    with pytest.raises(SeveralPythonVersions) as caught:
        parse_version_file("3.13.1\n# and\n3.12.4\nsystem\n", NAME)

    assert caught.value.versions == ((1, "3.13.1"), (3, "3.12.4"), (4, "system"))


def test_a_lone_carriage_return_does_not_start_a_line() -> None:
    with pytest.raises(InvalidPythonVersion) as caught:
        parse_version_file("3.13\r3.14", NAME)

    assert caught.value.text == r"3.13\r3.14"


def test_pypy_is_refused_with_its_line() -> None:
    with pytest.raises(OtherImplementation) as caught:
        parse_version_file("# fast\npypy3.11-7.3.20\n", NAME)

    assert caught.value.origin == ".python-version, line 2"


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xef\xbb\xbf3.12\r\n")

    assert str(read_version_file(read_app(tmp_path), NAME)) == "3.12"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_utf_16_file_is_refused_with_its_version(encoding: str, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes("3.12.4\r\n".encode(encoding))

    with pytest.raises(VersionFileNotUtf8) as caught:
        read_version_file(read_app(tmp_path), NAME)

    assert (caught.value.encoding, caught.value.version) == ("UTF-16", "3.12.4")


def test_big_endian_utf_16_is_recognised(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\xfe\xff" + "3.12".encode("utf-16-be"))

    with pytest.raises(VersionFileNotUtf8) as caught:
        read_version_file(read_app(tmp_path), NAME)

    assert caught.value.version == "3.12"


def test_bytes_that_are_not_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"3.12\n\xa0")

    with pytest.raises(NotUtf8):
        read_version_file(read_app(tmp_path), NAME)


def test_nul_characters_without_a_version_are_shown(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\0\0")

    with pytest.raises(InvalidPythonVersion) as caught:
        read_version_file(read_app(tmp_path), NAME)

    assert caught.value.text == r"\x00\x00"


def test_a_directory_called_python_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()

    with pytest.raises(NotAFile):
        read_version_file(read_app(tmp_path), NAME)


@pytest.mark.parametrize("name", MISSPELLINGS)
def test_a_misspelt_name_is_recognised(name: str) -> None:
    assert misspelt([name]) == (name,)


@pytest.mark.parametrize(
    "name",
    [
        *(".python-version", "python_version.py", "python_versions.txt", "version", ".python"),
        *(".ruby-version", "python-version.yml", "check-python-version", "python-versions"),
        *("runtime.txt", ".python-version.d", "pythonversion", ".python-versions"),
    ],
)
def test_another_name_is_not_misspelt(name: str) -> None:
    assert misspelt([name]) == ()


def test_a_misspelt_file_is_refused_also_beside_a_correct_one(tmp_path: Path) -> None:
    (tmp_path / "python-version").touch()
    with pytest.raises(MisspelledVersionFile) as caught:
        check_spelling(read_app(tmp_path))
    assert (caught.value.names, caught.value.exists) == (("python-version",), False)

    (tmp_path / NAME).write_text("3.14")
    with pytest.raises(MisspelledVersionFile) as caught:
        check_spelling(read_app(tmp_path))
    assert caught.value.exists


def test_a_directory_with_a_misspelt_name_passes(tmp_path: Path) -> None:
    (tmp_path / "python_version").mkdir()

    check_spelling(read_app(tmp_path))
