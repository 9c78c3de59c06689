"""Commands of a Procfile, in the shells of a real system."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnb_python.launch import procfile

# Prints its process id and arguments.
PROGRAM = "import os, sys; print(os.getpid(), *sys.argv[1:])"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "program"
    program.write_text(f"#!{sys.executable}\n{PROGRAM}\n")
    program.chmod(0o755)
    return {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PORT": "8123"}


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("program a 'b c'", "a b c"),
        ("program --port $PORT", "--port 8123"),
        ('program --port="${PORT:-1}"', "--port=8123"),
        ("cd / && program a", "a"),
        ("true; false || program $((1 + $(echo 2)))", "3"),
        ("A=1 B='x y' program $A.", "."),
        ("program a 2>&1", "a"),
        ("test -n \"$PORT\" && A=2 program 'a && b'", "a && b"),
        ("[[ -n $PORT ]] && true && program {a,b}", None),
        ("exec program $PORT", "8123"),
    ],
)
def test_program_is_the_started_process(
    environment: dict[str, str], text: str, arguments: str | None
) -> None:
    """It receives SIGTERM and the arguments of `docker run`."""
    argv = [*procfile.parse_command(text).argv, "--more", "x"]
    expected = f"{arguments} --more x".split()

    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        output, _ = process.communicate(timeout=20)

    if arguments is None:
        # The shell is kept for a condition that only bash supports.
        assert output.split()[1:] == ["a", "b"]
    else:
        assert output.split() == [str(process.pid), *expected]
