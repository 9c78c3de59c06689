"""Commands of the Procfile that cannot start in the image are warned of at build."""

from collections.abc import Collection
from pathlib import Path

import pytest

from cnb_python.launch import procfile, unstartable
from tests.support.trees import write_files


def warned(
    directory: Path, command: str, installed: Collection[str] = (), script: str = ""
) -> list[str]:
    """Return the titles and bodies of the warnings about `web: COMMAND`."""
    if script:
        write_files(directory, {"bin/start.sh": script})
    entries = procfile.parse(f"web: {command}\n")
    messages = unstartable.warnings(entries, directory, installed)
    return ["\n".join((message.title, *message.body)) for message in messages]


@pytest.mark.parametrize("manager", ["poetry", "uv", "pipenv", "pdm"])
def test_command_that_needs_a_package_manager_is_shown_without_it(
    tmp_path: Path, manager: str
) -> None:
    (text,) = warned(tmp_path, f"{manager} run gunicorn app:app --bind 0.0.0.0:$PORT")

    assert text.startswith(f"web cannot start: the image has no {manager}\n")
    assert "\n    web: gunicorn app:app --bind 0.0.0.0:$PORT" in text


def test_installed_package_manager_may_run_a_command(tmp_path: Path) -> None:
    assert warned(tmp_path, "uv run gunicorn app:app", installed=("uv",)) == []


def test_script_without_its_mode_is_named(tmp_path: Path) -> None:
    (text,) = warned(tmp_path, "./bin/start.sh --port $PORT", script="#!/bin/sh\nexit\n")

    assert text.startswith("web cannot start: ./bin/start.sh is not executable\n")
    assert "git update-index --chmod=+x bin/start.sh" in text


@pytest.mark.parametrize("command", ["bash bin/start.sh", "sh ./bin/start.sh"])
def test_script_with_line_endings_of_windows_is_named(tmp_path: Path, command: str) -> None:
    (text,) = warned(tmp_path, command, script="set -e\r\nexit\r\n")

    assert "has the line endings of Windows" in text
    assert "dos2unix bin/start.sh" in text


@pytest.mark.parametrize(
    "command",
    [
        *("gunicorn app:app", "bash -c 'exit'", "sh bin/start.sh", "python bin/start.sh"),
        *("bin/gone.sh", "/usr/bin/env python", "uvicorn run:app", "../outside.sh"),
    ],
)
def test_commands_that_may_start_are_not_warned_of(tmp_path: Path, command: str) -> None:
    (tmp_path / "outside.sh").write_text("x")

    assert warned(tmp_path / "app", command, script="set -e\n") == []


def test_executable_script_is_not_warned_of(tmp_path: Path) -> None:
    (tmp_path / "start.sh").write_text("#!/bin/sh\n")
    (tmp_path / "start.sh").chmod(0o755)

    assert warned(tmp_path, "exec ./start.sh") == []
