"""What is said of locks fits the file, and names the command of its tool."""

import pytest

from cnb_python.errors.locks import BadLock, LockWithoutProject, UnknownGroup


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("uv.lock", "uv lock"),
        ("poetry.lock", "poetry lock"),
        ("pdm.lock", "pdm lock"),
        ("Pipfile.lock", "pipenv lock"),
        ("pylock.web.toml", "the command that made it (uv export, pip lock, pdm export ...)"),
    ],
)
def test_a_lock_is_made_again_by_its_own_tool(file: str, command: str) -> None:
    steps = BadLock(file, "it is no table").describe().steps

    assert steps[-1] == f"Make it again with {command}, and commit it."


def test_a_lock_that_stands_alone_needs_no_making_but_its_other_half() -> None:
    message = LockWithoutProject("Pipfile.lock", "Pipfile", "Pipenv").describe()

    assert message.title == "Pipfile.lock is there without its Pipfile"
    assert "Commit Pipfile too" in message.steps[0]
    assert "Make it again" not in " ".join(message.steps)


@pytest.mark.parametrize(
    ("file", "command"), [("Pipfile.lock", "pipenv lock"), ("pyproject.toml", "of your tool")]
)
def test_a_group_that_is_added_has_to_be_locked(file: str, command: str) -> None:
    (step,) = UnknownGroup(file, "group", "prod", ("dev",)).describe().steps

    assert command in step
    assert "add the group" in step
