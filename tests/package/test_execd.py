"""The exec.d program: its Go tests pass, and it is reproducible and needs no other file."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tools.package import assemble, execd
from tools.platforms import real_tools

CGROUP = Path("/sys/fs/cgroup")
MB = 1024 * 1024


def settings(*command: str | Path) -> str:
    """Return what a program writes to file descriptor 3, with an empty environment."""
    reading, writing = os.pipe()
    third = (os.POSIX_SPAWN_DUP2, writing, 3)
    process = os.posix_spawn(command[0], [*map(str, command)], {}, file_actions=[third])
    os.close(writing)
    with os.fdopen(reading) as pipe:
        written = pipe.read()
    assert os.waitpid(process, 0)[1] == 0
    return written


@pytest.fixture(scope="module", name="program")
def _program() -> Path:
    return execd.program(assemble.this_machine())


def test_go_vet_and_tests_pass() -> None:
    go = subprocess.run(
        [real_tools.pinned_go(), "test", "-count=1", "-vet=all", "./..."],
        cwd=execd.SOURCE,
        env={**os.environ, **execd.ENV},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert go.returncode == 0, go.stdout


def test_source_is_formatted() -> None:
    gofmt = real_tools.pinned_go().with_name("gofmt")
    command: list[str | Path] = [gofmt, "-l", execd.SOURCE]
    unformatted = subprocess.run(command, check=True, capture_output=True, text=True)

    assert unformatted.stdout == ""


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_program_is_the_same_wherever_it_is_built(
    arch: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "built").mkdir()
    source = shutil.copytree(execd.SOURCE, tmp_path / "elsewhere")
    monkeypatch.setenv("GOFLAGS", "-race")
    monkeypatch.setenv("GOAMD64", "v4")

    execd.make(arch, tmp_path / "built", source)

    built = (tmp_path / "built" / execd.NAME).read_bytes()
    assert built == execd.program(arch).read_bytes()


def test_checkout_has_the_program(program: Path) -> None:
    execd.main()

    assert execd.IN_CHECKOUT.read_bytes() == program.read_bytes()


def test_program_needs_no_file_of_the_image(program: Path, tmp_path: Path) -> None:
    """In an empty root: no shell, no library, no /proc, no /sys."""
    if os.geteuid() != 0:
        pytest.skip("needs root: chroot")
    shutil.copy(program, tmp_path)

    variables = settings("/usr/sbin/chroot", tmp_path, f"/{program.name}")

    # There is no directory for temporary files, and no user has a name.
    assert variables == 'FORWARDED_ALLOW_IPS = "*"\nUSER = "app"\nLOGNAME = "app"\n'


def test_program_runs_without_file_descriptor_3(program: Path) -> None:
    """As when it is started by hand."""
    env = {"BPL_PYTHON_LOG": "1"}
    ended = subprocess.run([program], env=env, check=False, capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("Python: WEB_CONCURRENCY")


@contextmanager
def group(megabytes: int) -> Iterator[Path]:
    """Make a real control group with that much memory; yield its file of processes."""
    limit, top = "memory.limit_in_bytes", CGROUP / "memory"
    if not top.is_dir():
        limit, top = "memory.max", CGROUP
    directory = top / f"cnb-python-{os.getpid()}"
    try:
        directory.mkdir()
        (directory / limit).write_text(str(megabytes * MB))
    except OSError as error:
        pytest.skip(f"needs a control group of its own: {error}")
    try:
        yield directory / "cgroup.procs"
    finally:
        directory.rmdir()


@pytest.mark.parametrize(("megabytes", "number"), [(200, 1), (600, 2)])
def test_limits_of_the_kernel_are_read(program: Path, megabytes: int, number: int) -> None:
    with group(megabytes) as processes:
        enter = f'echo $$ > {processes} && exec "$@"'
        variables = settings("/bin/sh", "-c", enter, "sh", program)

    assert f'WEB_CONCURRENCY = "{number}"\n' in variables
