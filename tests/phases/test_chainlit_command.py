"""The found command of Chainlit, run by a shell: where it has Chainlit keep its files."""

import subprocess
from pathlib import Path

from cnb_python.app import read_app
from cnb_python.launch.processes import plan_launch
from tests.support.trees import write_files

FILES = {
    "app.py": "import chainlit as cl\n@cl.on_message\nasync def main(message): ...\n",
    ".chainlit/config.toml": "[UI]\ncustom_build = './frontend/dist'\n",
    "public/logo.svg": "logo",
    "frontend/dist/index.html": "own",
}


def started(tmp_path: Path, **user: str) -> Path:
    """Return the directory that the command gives to Chainlit; the app's own if it gives none."""
    app = write_files(tmp_path / "app", FILES)
    plan = plan_launch(read_app(app), {"chainlit": "2.0"})
    (command,) = [each.command for each in plan.discovered if each.type == "web"]
    program = tmp_path / "bin/chainlit"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nprintf %s "${CHAINLIT_APP_ROOT:-$PWD}"\n')
    program.chmod(0o755)
    environ = {"PATH": f"{program.parent}:/usr/bin:/bin", "TMPDIR": str(tmp_path / "tmp"), **user}
    ran = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=app,
        env=environ,
        capture_output=True,
        check=True,
        text=True,
    )
    assert ran.stderr == ""
    return Path(ran.stdout)


def test_writable_app_keeps_its_directory(tmp_path: Path) -> None:
    assert started(tmp_path) == tmp_path / "app"
    assert not (tmp_path / "tmp").exists()


def test_directory_of_the_user_has_every_file_of_the_app(tmp_path: Path) -> None:
    root = started(tmp_path, CHAINLIT_APP_ROOT=str(tmp_path / "data"))

    assert root == tmp_path / "data"
    assert {path: (root / path).read_text() for path in FILES} == FILES
    (root / ".chainlit/translations").mkdir()  # a copy
    assert not (tmp_path / "app/.chainlit/translations").exists()
