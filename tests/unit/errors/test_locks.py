"""Messages about lock files name the command of the right tool."""

import pytest

from cnb_python.errors.locks import BadLock, LockWithoutProject, UnknownGroup


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("uv.lock", "uv lock"),
        ("poetry.lock", "poetry lock"),
        ("pdm.lock", "pdm lock"),
        ("Pipfile.lock", "pipenv lock"),
        ("pylock.web.toml", "the command that wrote it (uv export, pip lock, pdm export)"),
    ],
)
def test_bad_lock_names_command_of_its_tool(file: str, command: str) -> None:
    message = BadLock(file, "it is not a table").describe()

    assert message.fixes == (f"Write it again with {command}.",)


def test_lock_without_project_asks_for_the_missing_file() -> None:
    message = LockWithoutProject("Pipfile.lock", "Pipfile", "Pipenv").describe()

    assert message.title == "Pipfile.lock exists, but Pipfile is missing"
    assert message.fixes[0] == "Add Pipfile to the app."
    assert "Write it again" not in " ".join(message.fixes)


@pytest.mark.parametrize(
    ("file", "command"), [("Pipfile.lock", "pipenv lock"), ("pyproject.toml", "of your tool")]
)
def test_unknown_group_names_command_that_adds_it(file: str, command: str) -> None:
    _, add = UnknownGroup(file, "group", "prod", ("dev",)).describe().fixes

    assert "Add the group" in add
    assert command in add
