"""uv is asked for the versions and Pythons that fit, where a version does not."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.building import MissingForBuild, SourceBuildFailed
from cnb_python.errors.packages.finding import (
    Alternative,
    NoSuchPackage,
    NoWheel,
    UnfitVersion,
    WrongPython,
)
from cnb_python.managers import alternatives
from cnb_python.managers.alternatives import Source
from cnb_python.managers.base import InstallContext
from cnb_python.managers.build_errors import source_version
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_system import Programs
from tests.support.messages import explained

PYTHON = "3.14.6"
DOWNLOADED = "  Downloading numpy-1.24.1.tar.gz (10.9 MB)\n"
# uv's words, recorded.
NO_WHEELS = (
    "error: No solution found when resolving dependencies\n  cause: Because numpy==1.24.1 has no "
    "usable wheels and you require numpy==1.24.1, we can conclude that your requirements are "
    "unsatisfiable.\n"
)
WINDOWS = (
    "hint: Wheels are available for `pywin32` (v306) on the following platforms: `win32`, "
    "`win_amd64`, `win_arm64`\n"
)

type Answers = Callable[[Command], Outcome]


def answers(newer: str, by_line: dict[str, str], otherwise: str = NO_WHEELS) -> Answers:
    """Answer *newer* for the app's Python, and *by_line* for others."""

    def answer(command: Command) -> Outcome:
        argv = command.argv
        if "lowest" in argv:
            return Outcome(0, f"{newer}\n") if newer else Outcome(1, NO_WHEELS)
        version = by_line.get(argv[argv.index("--python-version") + 1])
        return Outcome(0, f"{version}\n") if version else Outcome(1, otherwise)

    return answer


def improved(
    tmp_path: Path, failure: BuildpackError, output: str, answer: Answers
) -> tuple[Alternative, Programs]:
    """Return what `improve` adds to *failure*, and the commands that it ran."""
    programs = Programs(answer)
    context = InstallContext(
        *(tmp_path, Path("/layers/venv"), Path("/tool"), None, tmp_path, {}, PYTHON),
        uv=Path("/tools/uv"),
    )
    environ = {"UV_NO_BINARY_PACKAGE": "numpy", "PIP_NO_BINARY": ":all:", "UV_INDEX": "https://i"}
    source = Source(
        environ, tmp_path, ("--no-config",), finding=("--find-links wheels", "--no-binary numpy")
    )
    result = alternatives.improve(failure, output, context, lambda: source, programs)
    assert result is failure
    return (failure.alternative if isinstance(failure, UnfitVersion) else Alternative()), programs


def test_newer_version_and_older_python_are_named(tmp_path: Path) -> None:
    failure = SourceBuildFailed("numpy", "no", PYTHON)
    answer = answers("numpy==2.3.2", {"3.11": "numpy==1.24.1", "3.10": "numpy==1.24.1"})

    found, programs = improved(tmp_path, failure, DOWNLOADED, answer)

    assert found == Alternative("2.3.2", "3.11")
    text = explained(failure)
    assert "has a wheel for Python 3.14: numpy==2.3.2" in text
    assert "echo 3.11 > .python-version" in text
    assert "if there is one" not in text
    # The newest that fits; the app's own line is not asked for again.
    lines = [c.argv[c.argv.index("--python-version") + 1] for c in programs.ran[1:]]
    assert lines == ["3.15", "3.13", "3.12", "3.11"]


def test_binary_package_without_a_wheel_is_not_its_own_advice(tmp_path: Path) -> None:
    """psycopg2-binary==2.9.3 has no wheel for new Pythons, and its build needs pg_config."""
    words = "Downloading psycopg2-binary-2.9.3.tar.gz (384 kB)\n"
    failure = MissingForBuild("psycopg2-binary", "program", "pg_config", PYTHON, "libpq-dev", "")
    answer = answers("psycopg2-binary==2.9.11", {"3.10": "psycopg2-binary==2.9.3"})

    found, _ = improved(tmp_path, failure, words, answer)

    assert found == Alternative("2.9.11", "3.10")
    text = explained(failure)
    assert "has a wheel for Python 3.14: psycopg2-binary==2.9.11" in text
    assert "echo 3.10 > .python-version" in text
    assert "in its place" not in text


def test_question_takes_the_indexes_but_not_the_ban_on_wheels(tmp_path: Path) -> None:
    failure = SourceBuildFailed("numpy", "no", PYTHON)

    _, programs = improved(tmp_path, failure, DOWNLOADED, answers("", {}))

    first = programs.ran[0]
    assert first.env == {"UV_INDEX": "https://i"}
    assert "--no-config" in first.argv
    assert Path(first.argv[-1]).read_text() == "--find-links wheels\nnumpy==1.24.1\n"


def test_wheel_that_the_settings_forbid_is_named(tmp_path: Path) -> None:
    failure = SourceBuildFailed("numpy", "no", PYTHON)

    found, _ = improved(tmp_path, failure, DOWNLOADED, answers("numpy==1.24.1", {}))

    assert found == Alternative(is_refused=True)
    text = explained(failure)
    assert "The settings forbid the wheel of numpy" in text
    assert "has no wheel" not in text
    assert "remove the package from --no-binary" in text


def test_wheels_of_other_systems_count_as_none(tmp_path: Path) -> None:
    """In its words about a lock file, uv names the Pythons of wheels for Windows."""
    failure = NoWheel("pywin32==306", PYTHON, ("3.11", "3.12"), ())

    found, _ = improved(tmp_path, failure, "", answers("", {}, otherwise=WINDOWS))

    assert found == Alternative()
    text = explained(failure)
    assert "wheels for Windows" in text
    assert "sys_platform == 'win32'" in text
    assert ".python-version" not in text


@pytest.mark.parametrize(
    ("needs", "line"),
    [
        ((">=3.8,<3.12",), "3.11"),
        (("<3.12,>=3.8", "==3.13.*"), "3.13"),
        (("==3.12.4",), "3.12"),
        (("<3.9",), ""),
        (("nonsense",), ""),
    ],
)
def test_newest_supported_python_in_the_range_is_named(
    tmp_path: Path, needs: tuple[str, ...], line: str
) -> None:
    failure = WrongPython("shop", needs, PYTHON)

    found, programs = improved(tmp_path, failure, "", answers("", {}))

    assert found == Alternative(python=line)
    assert programs.ran == []
    assert (f"echo {line} > .python-version" in explained(failure)) == bool(line)


def test_version_that_pip_refuses_for_its_python_is_not_called_forbidden(tmp_path: Path) -> None:
    failure = WrongPython("scipy==1.10.1", ("<3.12,>=3.8",), PYTHON)

    found, programs = improved(tmp_path, failure, "", answers("scipy==1.16.1", {}))

    assert found == Alternative("1.16.1", "3.11")
    assert Path(programs.ran[0].argv[-1]).name == "question.in"
    assert "disallow" in programs.ran[0].argv


@pytest.mark.parametrize(
    ("pythons", "line"), [(("3.6", "3.9", "3.11"), "3.11"), (("2.7", "3.6", "3.9"), "")]
)
def test_unsupported_python_is_not_advised(
    tmp_path: Path, pythons: tuple[str, ...], line: str
) -> None:
    failure = NoWheel("shop>=1", PYTHON, pythons, ("manylinux1_x86_64",))

    found, _ = improved(tmp_path, failure, "", answers("", {}))

    assert found == Alternative(python=line)
    assert "3.9 > .python-version" not in explained(failure)


@pytest.mark.parametrize(
    ("failure", "output"),
    [
        (NoSuchPackage("numpy==1.24.1", "", ()), DOWNLOADED),
        (SourceBuildFailed("shop", "no", PYTHON), DOWNLOADED),
        (SourceBuildFailed("shop", "no", PYTHON), "Failed to build `shop @ file:///workspace`\n"),
    ],
)
def test_nothing_is_asked_without_a_release_of_an_index(
    tmp_path: Path, failure: BuildpackError, output: str
) -> None:
    found, programs = improved(tmp_path, failure, output, answers("", {}))

    assert found == Alternative()
    assert programs.ran == []


@pytest.mark.parametrize(
    ("package", "output", "version"),
    [
        ("numpy", DOWNLOADED, "1.24.1"),
        ("numpy", "  Using cached numpy-1.19.5.zip (7.3 MB)\n", "1.19.5"),
        ("PyYAML", "error: Failed to build `pyyaml==5.4.1`\n", "5.4.1"),
        ("ruamel.yaml", "Downloading ruamel_yaml-0.16.tar.bz2\n", "0.16"),
        ("psycopg2", "Downloading psycopg2-binary-2.9.3.tar.gz\n", ""),
        ("old", "Collecting old@ file:///w/old-1.0.tar.gz\n  Using cached old-1.0.tar.gz\n", ""),
        ("old", "error: Failed to build `old @ file:///w/old-1.0.tar.gz`\n", ""),
        ("old", "Processing ./wheels/old-1.0.tar.gz\n", ""),
        ("yaml", "Downloading PyYAML-5.4.1.tar.gz\n", ""),
        ("x", "Downloading x-1!2.0.post1+cu118.tar.gz\n", "1!2.0.post1+cu118"),
    ],
)
def test_version_of_a_source_is_in_its_file_name(package: str, output: str, version: str) -> None:
    assert source_version(package, output) == version
