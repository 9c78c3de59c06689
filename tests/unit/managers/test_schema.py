"""Files of package managers with values of the wrong type."""

from pathlib import Path

import pytest

from cnb_python.errors.inputs import UnreadableJson, UnreadableToml
from cnb_python.errors.locks import UnexpectedType
from cnb_python.managers import schema

LOCK = '[metadata]\nlock-version = "2.1"\n'


def refused(directory: Path, name: str, text: str) -> UnexpectedType:
    (directory / name).write_text(text, "utf-8")
    with pytest.raises(UnexpectedType) as caught:
        schema.check_types(directory, name)
    return caught.value


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        (
            "Pipfile",
            "[requires]\npython_version = 3.12\n",
            ("requires.python_version", 2, "3.12", "text in quotes"),
        ),
        ("Pipfile", "packages = 3\n", ("packages", 1, "3", "a table")),
        ("Pipfile", "[source]\nurl = 'x'\n", ("source", None, "a table", "a list of tables")),
        ("Pipfile.lock", "[]", ("", 1, "[]", "a table")),
        ("Pipfile.lock", "{}", ("_meta", None, "nothing", "a table")),
        ("Pipfile.lock", '{"_meta": {},\n"default": []}', ("default", 2, "[]", "a table")),
        ("poetry.lock", f"package = [1]\n{LOCK}", ("package", 1, "[1]", "a list of tables")),
        ("poetry.lock", "metadata = 3\n", ("metadata", 1, "3", "a table")),
        ("poetry.lock", "", ("metadata.lock-version", None, "nothing", "text in quotes")),
        (
            "pdm.lock",
            "[metadata]\nlock_version = 4\n",
            ("metadata.lock_version", 2, "4", "text in quotes"),
        ),
        ("pyproject.toml", "[tool]\npoetry = 3\n", ("tool.poetry", 2, "3", "a table")),
        (
            "pyproject.toml",
            "[tool.poetry.group]\nweb = 3\n",
            ("tool.poetry.group.web", 2, "3", "a table"),
        ),
        (
            "pyproject.toml",
            f"[project]\ndependencies = '{'x' * 99}'\n",
            ("project.dependencies", 2, f'"{"x" * 59}…', "a list"),
        ),
    ],
)
def test_first_value_of_a_wrong_type_is_refused_with_its_key_and_line(
    tmp_path: Path, name: str, text: str, expected: tuple[str, int | None, str, str]
) -> None:
    failure = refused(tmp_path, name, text)

    assert failure.file == name
    assert (failure.key, failure.line, failure.value, failure.expected) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Pipfile", ""),
        ("Pipfile", "[[source]]\nurl = 'x'\n[packages]\nsix = '*'\n"),
        ("Pipfile.lock", '{"_meta": {"hash": {"sha256": "x"}}, "default": {}}'),
        ("poetry.lock", LOCK),
        ("pyproject.toml", "[tool.poetry.group.web]\noptional = true\n"),
    ],
)
def test_values_of_the_right_types_pass(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text, "utf-8")

    schema.check_types(tmp_path, name)


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "Pipfile.lock").write_text("{\n<<<<<<< HEAD\n", "utf-8")
    (tmp_path / "poetry.lock").write_text("[]\n", "utf-8")

    with pytest.raises(UnreadableJson) as caught:
        schema.check_types(tmp_path, "Pipfile.lock")
    assert caught.value.line == 2
    with pytest.raises(UnreadableToml):
        schema.check_types(tmp_path, "poetry.lock")
