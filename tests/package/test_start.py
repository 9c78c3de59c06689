"""The shell scripts `bin/detect` and `bin/build` start their phase in every way of calling."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools.package import assemble

PASSED, FAILED = 0, 100


class Phase:
    """Runs `bin/<phase>` of a tree in an app, with only the given variables."""

    def __init__(self, tree: Path, scratch: Path) -> None:
        self.tree = tree
        self.app = scratch / "app"
        self.app.mkdir()
        (self.app / "requirements.txt").write_text("flask\n")
        (scratch / "platform").mkdir()
        self.plan = scratch / "plan.toml"
        self.plan.touch()
        self.env = {
            "CNB_PLATFORM_DIR": str(scratch / "platform"),
            "CNB_BUILD_PLAN_PATH": str(self.plan),
            "CNB_BUILDPACK_DIR": str(tree),
            "CNB_TARGET_OS": "linux",
            "CNB_TARGET_ARCH": assemble.this_machine(),
        }

    def __call__(
        self, *command: str | Path, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> tuple[int, str]:
        """Return the exit code and the output."""
        ended = subprocess.run(
            command or [self.tree / "bin/detect"],
            env={**self.env, **(env or {})},
            cwd=cwd or self.app,
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return ended.returncode, ended.stdout


@pytest.fixture(name="phase")
def _phase(tree: Path, tmp_path: Path) -> Phase:
    return Phase(tree, tmp_path)


def test_python_app_passes(phase: Phase) -> None:
    assert phase() == (PASSED, "")
    assert 'name = "python"' in phase.plan.read_text()


def test_other_app_fails(phase: Phase) -> None:
    (phase.app / "requirements.txt").rename(phase.app / "package.json")

    assert phase()[0] == FAILED


def test_relative_path_works(phase: Phase) -> None:
    relative = (phase.tree / "bin/detect").relative_to(phase.app, walk_up=True)

    assert phase(relative) == (PASSED, "")


def test_explicit_shell_works(phase: Phase) -> None:
    assert phase("/bin/sh", phase.tree / "bin/detect") == (PASSED, "")


def test_name_without_path_works(phase: Phase) -> None:
    # start.py makes even this folder look like an app.
    assert phase("/bin/sh", "detect", cwd=phase.tree / "bin") == (PASSED, "")


def test_link_to_the_phase_works(phase: Phase, tmp_path: Path) -> None:
    (tmp_path / "detect").symlink_to(phase.tree / "bin/detect")

    assert phase(tmp_path / "detect") == (PASSED, "")


def test_link_to_the_buildpack_works(phase: Phase, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(phase.tree)

    assert phase(tmp_path / "link/bin/detect") == (PASSED, "")


def test_path_with_spaces_and_unicode_works(phase: Phase, tmp_path: Path) -> None:
    odd = tmp_path / "a b'\"$HOME é"
    shutil.copytree(phase.tree, odd, symlinks=True)

    assert phase(odd / "bin/detect", env={"CNB_BUILDPACK_DIR": str(odd)}) == (PASSED, "")


@pytest.mark.parametrize(
    "variable", ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT"]
)
def test_python_variables_are_ignored(phase: Phase, variable: str) -> None:
    (phase.app / "json.py").write_text("raise SystemExit('shadowed')")

    assert phase(env={variable: str(phase.app)}) == (PASSED, "")


def test_read_only_tree_of_another_user_works(phase: Phase, tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("needs root, and setpriv of util-linux")
    for path in (*phase.tree.parents, tmp_path):
        if path.is_relative_to("/tmp") and path != Path("/tmp"):  # pytest's folders are private
            path.chmod(0o755)
    tmp_path.chmod(0o777)
    become = ("setpriv", "--reuid=1001", "--regid=1000", "--clear-groups", "/bin/sh", "-c")

    shell = f'umask 077; exec "{phase.tree}/bin/detect"'
    assert phase(*become, shell, env={"PATH": "/usr/bin:/bin"}) == (PASSED, "")
    assert not [path for path in phase.tree.rglob("*") if path.stat().st_uid != 0]


@pytest.mark.parametrize("name", ["detect", "build"])
def test_missing_python_is_an_error_with_the_command(
    phase: Phase, tmp_path: Path, name: str
) -> None:
    shutil.copytree(assemble.ROOT / "bin", tmp_path / "checkout/bin")

    code, output = phase(tmp_path / "checkout/bin" / name)

    assert code == 1
    assert "make venv" in output


@pytest.mark.parametrize("name", ["detect", "build"])
def test_signals_reach_python(tmp_path: Path, name: str) -> None:
    # A program that prints its process id and arguments, to show that no shell is between.
    shutil.copytree(assemble.ROOT / "bin", tmp_path / "bin")
    python = tmp_path / "python/bin/python3"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho $$ "$@"\n')
    python.chmod(0o755)
    command: list[str | Path] = [tmp_path / "bin" / name, "one", "two words"]

    with subprocess.Popen(command, env={}, stdout=subprocess.PIPE, text=True) as started:
        output = started.communicate()[0].split(" ", 1)

    flags = "-I -B -S -X utf8"
    assert output == [str(started.pid), f"{flags} {tmp_path}/bin/start.py {name} one two words\n"]


def test_detect_and_build_differ_in_one_word() -> None:
    detect, build = ((assemble.ROOT / "bin" / name).read_text() for name in ("detect", "build"))

    assert detect.replace("phase=detect", "phase=build") == build
