"""Running programs; these tests start real processes."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from cnb_python.errors.machine import ProgramNotStarted
from cnb_python.system import process
from cnb_python.system.interface import Command, Outcome

DEADLINE_SECONDS = 20


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard: starting processes is what is tested here."""


def python(code: str, directory: Path, **env: str) -> Command:
    return Command((sys.executable, "-I", "-S", "-c", code), env, directory)


def eventually(condition: object, directory: Path) -> None:
    assert callable(condition)
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, f"nothing happened in {directory}"
        time.sleep(0.02)


def test_stdout_and_stderr_come_together_with_the_exit_code(tmp_path: Path) -> None:
    code = "import sys; print('out', flush=True); print('err', file=sys.stderr); sys.exit(3)"

    assert process.run(python(code, tmp_path)) == Outcome(3, "out\nerr\n")


def test_lines_are_passed_on_while_the_program_runs(tmp_path: Path) -> None:
    code = (
        "import pathlib, time; print('first', flush=True)\n"
        "while not pathlib.Path('seen').exists(): time.sleep(0.01)\n"
        "print('second')"
    )
    lines: list[str] = []

    def on_line(line: str) -> None:
        lines.append(line)
        (tmp_path / "seen").touch()

    assert process.run(python(code, tmp_path), on_line).code == 0
    assert lines == ["first", "second"]


def test_a_last_line_without_a_newline_is_passed_on(tmp_path: Path) -> None:
    lines: list[str] = []

    process.run(python("print('a\\nb', end='')", tmp_path), lines.append)

    assert lines == ["a", "b"]


def test_of_a_rewritten_line_the_last_form_is_shown(tmp_path: Path) -> None:
    lines: list[str] = []

    process.run(python("print('10%\\r50%\\rdone\\r')", tmp_path), lines.append)

    assert lines == ["done"]


def test_bytes_that_are_not_utf8_are_replaced(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.buffer.write(b'caf\\xe9\\n')"
    lines: list[str] = []

    outcome = process.run(python(code, tmp_path), lines.append)

    assert lines == ["caf\ufffd"]
    assert outcome.output == "caf\ufffd\n"


def test_the_environment_is_only_that_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAKED", "1")
    code = "import os; print(sorted(set(os.environ) & {'LEAKED', 'MINE'}))"

    assert process.run(python(code, tmp_path, MINE="1")).output == "['MINE']\n"


def test_it_runs_in_the_given_directory(tmp_path: Path) -> None:
    output = process.run(python("import os; print(os.getcwd())", tmp_path)).output

    assert Path(output.strip()) == tmp_path.resolve()


def test_stdin_is_empty(tmp_path: Path) -> None:
    outcome = process.run(python("input('password: ')", tmp_path))

    assert outcome.code == 1
    assert "EOFError" in outcome.output


def test_a_program_is_searched_on_the_commands_path(tmp_path: Path) -> None:
    program = tmp_path / "hello"
    program.write_text("#!/bin/sh\necho hello\n")
    program.chmod(0o755)

    outcome = process.run(Command(("hello",), {"PATH": str(tmp_path)}, tmp_path))

    assert outcome.output == "hello\n"


def test_a_program_ended_by_a_signal_has_a_negative_code(tmp_path: Path) -> None:
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"

    assert process.run(python(code, tmp_path)).code == -signal.SIGKILL


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramNotStarted) as raised:
        process.run(Command(("/nowhere/python",), {}, tmp_path))

    message = raised.value.describe()
    assert message.title == "/nowhere/python could not be started"
    assert "No such file or directory (/nowhere/python)" in message.body[0]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(ProgramNotStarted) as raised:
        process.run(Command((sys.executable,), {}, tmp_path / "gone"))

    assert "gone" in raised.value.reason


def test_a_program_of_another_format_is_named(tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)

    with pytest.raises(ProgramNotStarted):
        process.run(Command((str(program),), {}, tmp_path))


def test_background_processes_are_ended_and_not_waited_for(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-ISc', 'import time; time.sleep(600)'])\n"
        "print(child.pid)"
    )

    outcome = process.run(python(code, tmp_path))

    assert outcome.code == 0
    eventually(lambda: not _alive(int(outcome.output)), tmp_path)


def test_output_without_an_end_of_a_background_process_is_cut(tmp_path: Path) -> None:
    forever = "import os\nwhile True: os.write(1, b'y' * 1000 + b'\\n')"
    code = (
        "import subprocess, sys\n"
        f"argv = [sys.executable, '-ISc', {forever!r}]\n"
        "child = subprocess.Popen(argv, start_new_session=True)\n"
        "print(child.pid, flush=True)"
    )
    lines: list[str] = []

    outcome = process.run(python(code, tmp_path), lines.append)

    assert outcome.code == 0
    number = next(line for line in lines if line.isdecimal())
    os.kill(int(number), signal.SIGKILL)


def test_an_interruption_ends_child_processes_too(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-ISc', 'import time; time.sleep(600)'])\n"
        "print(os.getpid(), child.pid, flush=True); time.sleep(600)"
    )
    started: list[int] = []

    def interrupt(line: str) -> None:
        started.extend(int(number) for number in line.split())
        raise SystemExit(143)

    with pytest.raises(SystemExit):
        process.run(python(code, tmp_path), interrupt)

    assert len(started) == 2
    eventually(lambda: not any(map(_alive, started)), tmp_path)


def test_a_program_that_ignores_sigterm_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "GRACE_SECONDS", 0.2)
    code = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "print(os.getpid(), flush=True); time.sleep(600)"
    )
    started: list[int] = []

    def interrupt(line: str) -> None:
        started.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        process.run(python(code, tmp_path), interrupt)

    eventually(lambda: not _alive(started[0]), tmp_path)


def _alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError, ProcessLookupError:
        return False
    # A grandchild is reaped by the process that adopts it; until then it has ended anyway.
    return state != "Z"
