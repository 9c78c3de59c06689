"""Environments for real: the checkout's own interpreter and pip, without any network."""

import os
import subprocess
import sys
from datetime import date
from hashlib import sha256
from pathlib import Path

import pytest

from cnb_python.environment.fill import fill
from cnb_python.environment.request import Environment, EnvironmentRequest
from cnb_python.errors import HashMismatch, NoWheel
from cnb_python.layers.pip import find_pip
from cnb_python.managers.pip import Pip
from cnb_python.project import read_project
from cnb_python.system.outside import Download, System
from cnb_python.system.process import run
from tests.support.wheels import wheel

ROOT = Path(__file__).parents[2]
INTERPRETER = Path(sys.base_prefix).resolve() / f"bin/python3.{sys.version_info.minor}"
RELEASE = ".".join(map(str, sys.version_info[:3]))
# Compiles in no Python 3; wheels carry such templates.
TEMPLATE = "print 'hello {{ name }}'\n"
SETS = "NAMES = {'a', 'b', 'c'}\ndef known(x): return x in {'one', 'two', 'three', 'four'}\n"


class Log:
    """An output that remembers."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, title: str) -> None:
        self.said.append(title)

    line = detail = step

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        raise AssertionError(title, body)


def no_fetch(download: Download, to: Path) -> None:
    raise AssertionError(download, to)


def system(cpus: int = 2) -> System:
    return System(run, no_fetch, Log(), date(2026, 1, 1), cpus)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheels to install from: an ordinary one, what it needs, and ones that do not fit."""
    directory = tmp_path_factory.mktemp("packages")
    wheel(
        directory,
        "hello",
        "1.0",
        {
            "hello/__init__.py": "import warnings\ndef main(): print('hello')\n",
            "hello/sets.py": SETS,
            "hello/template.py": TEMPLATE,
            "hello/warned.py": "PATTERN = '\\d'\n",
        },
        requires=["below"],
        scripts={"hello": "hello:main"},
    )
    wheel(directory, "below", "2.0", {"below.py": "VALUE = 1\n"})
    wheel(
        directory, "elsewhere", "1.0", {"elsewhere.py": ""}, tag="cp39-cp39-manylinux_2_17_x86_64"
    )
    wheel(directory, "pip", "99.0", {"pip/__init__.py": ""})
    return directory


@pytest.fixture(scope="module")
def log() -> Log:
    """What was said while `environment` was filled."""
    return Log()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, packages: Path, log: Log) -> Environment:
    """An environment to look at."""
    directory = tmp_path_factory.mktemp("environment")
    wanted = request(directory / "app", packages, "hello\n")
    return fill(wanted, directory / "venv", System(run, no_fetch, log, date(2026, 1, 1), 2))


def request(app: Path, packages: Path, requirements: str, **environ: str) -> EnvironmentRequest:
    app.mkdir(exist_ok=True)
    (app / "requirements.txt").write_text(requirements)
    return EnvironmentRequest(
        project=read_project(app),
        manager=Pip(),
        interpreter=INTERPRETER,
        python=RELEASE,
        tool=find_pip(ROOT),
        cache=None,
        environ={
            "PATH": os.environ["PATH"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(packages),
            **environ,
        },
    )


def filled(tmp_path: Path, packages: Path, requirements: str = "hello\n") -> Environment:
    return fill(request(tmp_path / "app", packages, requirements), tmp_path / "venv", system())


def digest(directory: Path) -> str:
    files = sorted(path for path in directory.rglob("*.pyc"))
    assert files
    return sha256(b"".join(path.name.encode() + path.read_bytes() for path in files)).hexdigest()


def test_scripts_run_with_the_environments_own_interpreter(environment: Environment) -> None:
    script = environment.directory / "bin/hello"
    assert script.read_text().splitlines()[0] == f"#!{environment.directory}/bin/python"
    assert subprocess.check_output([script], text=True, env={}) == "hello\n"
    assert list(environment.distributions) == ["below", "hello"]


def test_the_environment_is_one_to_python(environment: Environment) -> None:
    code = "import sys, below; print(sys.prefix, sys.base_prefix, below.__file__, sep='\\n')"
    told = subprocess.check_output([environment.directory / "bin/python", "-c", code], text=True)

    assert told.splitlines() == [
        str(environment.directory),
        sys.base_prefix,
        str(environment.site_packages / "below.py"),
    ]


def test_no_package_manager_is_in_it(environment: Environment) -> None:
    assert [*environment.directory.rglob("*pip*")] == []


def test_pip_is_installed_where_a_package_needs_it(tmp_path: Path, packages: Path) -> None:
    assert filled(tmp_path, packages, "pip\n").distributions == {"pip": "99.0"}


def test_modules_of_the_app_do_not_shadow_those_of_pip(tmp_path: Path, packages: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    for name in ("typing.py", "json.py", "pip.py", "sitecustomize.py"):
        (app / name).write_text("raise SystemExit('shadowed')")
    wanted = request(app, packages, "hello\n", PYTHONPATH=str(app), PYTHONHOME="/nowhere")

    assert "hello" in fill(wanted, tmp_path / "venv", system()).distributions


def test_paths_are_relative_to_the_app(tmp_path: Path, packages: Path) -> None:
    vendored = tmp_path / "app/vendor"
    vendored.mkdir(parents=True)
    wheel(vendored, "mine", "3.0", {"mine.py": ""})

    environment = filled(tmp_path, packages, "./vendor/mine-3.0-py3-none-any.whl\n")

    assert environment.distributions == {"mine": "3.0"}


def test_bytecode_is_never_checked_and_complete(environment: Environment) -> None:
    compiled = {path.name.split(".")[0]: path for path in environment.directory.rglob("*.pyc")}
    assert set(compiled) == {"__init__", "sets", "warned", "below"}
    for path in compiled.values():
        # PEP 552: bit 0 says hash-based, bit 1 that the source is to be looked at.
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 1


@pytest.mark.usefixtures("environment")
def test_warnings_of_the_compiler_stay_out_of_the_log(log: Log) -> None:
    assert log.said[-1] == "2 packages installed, 4 modules compiled"
    assert "SyntaxWarning" not in "\n".join(log.said)


def test_bytecode_is_the_same_whatever_the_number_of_cores(tmp_path: Path, packages: Path) -> None:
    # The path is in the bytecode, so that both are made under one name.
    directory, digests = tmp_path / "venv", []
    for cpus in (1, 4):
        fill(request(tmp_path / "app", packages, "hello\n"), directory, system(cpus))
        digests.append(digest(directory))
        directory.rename(tmp_path / f"venv-{cpus}")

    assert digests[0] == digests[1]


def test_a_requirements_file_of_powershell_is_installed(tmp_path: Path, packages: Path) -> None:
    wanted = request(tmp_path / "app", packages, "")
    (tmp_path / "app/requirements.txt").write_text("below\r\n", encoding="utf-16")

    assert fill(wanted, tmp_path / "venv", system()).distributions == {"below": "2.0"}


def test_an_empty_file_makes_an_empty_environment(tmp_path: Path, packages: Path) -> None:
    assert filled(tmp_path, packages, "").distributions == {}


def test_a_wheel_for_another_python_is_recognised(tmp_path: Path, packages: Path) -> None:
    with pytest.raises(NoWheel) as raised:
        filled(tmp_path, packages, "below\nelsewhere==1.0\n")

    assert raised.value.pythons == ("3.9",)


def test_a_wrong_hash_is_recognised(tmp_path: Path, packages: Path) -> None:
    with pytest.raises(HashMismatch):
        filled(tmp_path, packages, f"below==2.0 --hash=sha256:{'0' * 64}\n")
