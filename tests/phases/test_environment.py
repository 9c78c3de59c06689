"""Real environments, made with the checkout's Python and pip, without network."""

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from cnb_python.app import read_app
from cnb_python.config.settings import AUTO, LINKED
from cnb_python.distributions.bytecode import Package, SourceFile, compile_modules
from cnb_python.errors.packages.finding import NoWheel
from cnb_python.errors.packages.install import HashMismatch
from cnb_python.install.installer import FilesNeeded, install_environment
from cnb_python.install.request import EnvironmentRequest
from cnb_python.layers import venv_and_shards
from cnb_python.layers.venv_and_shards import LayerPlan
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.tool import find_pip, find_uv
from cnb_python.store.store import Store
from cnb_python.system.interface import Download, System
from cnb_python.system.process import run
from tests.support.fake_system import Log
from tests.support.wheels import wheel

ROOT = Path(__file__).parents[2]
INTERPRETER = Path(sys.base_prefix).resolve() / f"bin/python3.{sys.version_info.minor}"
RELEASE = ".".join(map(str, sys.version_info[:3]))
LINE = ".".join(map(str, sys.version_info[:2]))
SITE = f"lib/python{LINE}/site-packages"
# Not valid in Python 3; some wheels contain such templates.
TEMPLATE = "print 'hello {{ name }}'\n"
SETS = "NAMES = {'a', 'b', 'c'}\ndef known(x): return x in {'one', 'two', 'three', 'four'}\n"


@dataclass(frozen=True, slots=True)
class Environment:
    """The environment that was made for an app."""

    layers: Path
    distributions: dict[str, str]
    """Versions by name."""

    @property
    def directory(self) -> Path:
        """The layer `venv`; the packages are in the shards beside it."""
        return self.layers / "venv"

    @property
    def site_packages(self) -> Path:
        return self.directory / SITE

    def files(self, pattern: str) -> list[Path]:
        """All files, in the layer venv and in shards."""
        return sorted(path for path in self.layers.rglob(pattern) if not path.is_symlink())


class StrictLog(Log):
    """An output that keeps its lines, and fails on a warning."""

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        raise AssertionError(title, body)


def no_fetch(download: Download, to: Path) -> None:
    raise AssertionError(download, to)


def system(cpus: int, log: Log | None = None) -> System:
    return System(run, no_fetch, log or StrictLog(), date(2026, 1, 1), cpus)


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory of wheels: an ordinary one, its dependencies, and incompatible ones."""
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
    """The log of making `environment`."""
    return Log()


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory, packages: Path, log: Log) -> Environment:
    """An environment for tests that only read it."""
    directory = tmp_path_factory.mktemp("environment")
    return make_environment(directory, packages, "hello\n", log=log)


def make_environment(
    directory: Path,
    packages: Path,
    requirements: str | bytes,
    log: Log | None = None,
    **environ: str,
) -> Environment:
    """Make the environment of an app in *directory* with these *requirements*."""
    layers, scratch = directory / "layers", directory / "scratch"
    for each in (directory / "app", layers, scratch, directory / "store"):
        each.mkdir(exist_ok=True)
    content = requirements.encode() if isinstance(requirements, str) else requirements
    (directory / "app/requirements.txt").write_bytes(content)
    request = EnvironmentRequest(
        app=read_app(directory / "app"),
        manager=Pip(),
        interpreter=INTERPRETER,
        python=RELEASE,
        pip=find_pip(ROOT),
        uv=find_uv(ROOT),
        environ={
            "PATH": os.environ["PATH"],
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(packages),
            **environ,
        },
        environment=layers / "venv",
        staging=scratch,
        installer=AUTO,
    )
    store = Store(directory / "store")
    nothing = FilesNeeded(frozenset(), frozenset())
    install_result = install_environment(
        request, None, {}, lambda *_: nothing, store, system(2, log)
    )
    plan = LayerPlan(
        layers_dir=layers,
        interpreter=INTERPRETER,
        line=LINE,
        scope="",
        layout=LINKED,
        build=False,
        env=lambda _: (),
        restored={},
    )
    layers_of_build = venv_and_shards.layers_of(plan, install_result.distributions)
    venv_and_shards.begin_shards(plan, layers_of_build)
    venv_and_shards.assemble(plan, layers_of_build, install_result)
    return Environment(
        layers,
        {distribution.name: distribution.version for distribution in install_result.distributions},
    )


def test_scripts_run_with_the_python_of_the_environment(environment: Environment) -> None:
    script = environment.directory / "bin/hello"
    assert script.read_text().splitlines()[0] == f"#!{environment.directory}/bin/python"
    assert subprocess.check_output([script], text=True, env={}) == "hello\n"
    assert list(environment.distributions) == ["below", "hello"]


def test_python_treats_it_as_a_virtual_environment(environment: Environment) -> None:
    code = "import sys, below; print(sys.prefix, sys.base_prefix, below.__file__, sep='\\n')"
    output = subprocess.check_output([environment.directory / "bin/python", "-c", code], text=True)

    assert output.splitlines() == [
        str(environment.directory),
        sys.base_prefix,
        str(environment.site_packages / "below.py"),
    ]


def test_environment_has_no_package_manager(environment: Environment) -> None:
    assert environment.files("*pip*") == []


@pytest.fixture(scope="module")
def strange(tmp_path_factory: pytest.TempPathFactory, packages: Path) -> Environment:
    """The environment of an app that looks like Python's own modules, saved by PowerShell."""
    directory = tmp_path_factory.mktemp("strange")
    app = directory / "app"
    (app / "vendor").mkdir(parents=True)
    wheel(app / "vendor", "mine", "3.0", {"mine.py": ""})
    for name in ("typing.py", "json.py", "pip.py", "sitecustomize.py"):
        (app / name).write_text("raise SystemExit('shadowed')")
    lines = "below\r\npip\r\n./vendor/mine-3.0-py3-none-any.whl\r\n".encode("utf-16")
    return make_environment(directory, packages, lines, PYTHONPATH=str(app), PYTHONHOME="/nowhere")


def test_app_modules_do_not_shadow_those_of_pip(strange: Environment) -> None:
    assert strange.distributions


def test_utf_16_requirements_file_is_installed(strange: Environment) -> None:
    assert strange.distributions["below"] == "2.0"


def test_required_pip_is_installed(strange: Environment) -> None:
    assert strange.distributions["pip"] == "99.0"
    assert (strange.site_packages / "pip/__init__.py").is_file()


def test_paths_are_relative_to_the_app(strange: Environment) -> None:
    assert strange.distributions["mine"] == "3.0"


def test_bytecode_is_unchecked_and_complete(environment: Environment) -> None:
    compiled = {path.name.split(".")[0]: path for path in environment.files("*.pyc")}
    assert set(compiled) == {"__init__", "sets", "warned", "below"}
    for path in compiled.values():
        # PEP 552: bit 0 means hash-based, bit 1 that Python checks the source.
        assert int.from_bytes(path.read_bytes()[4:8], "little") == 1


@pytest.mark.usefixtures("environment")
def test_compiler_warnings_are_not_logged(log: Log) -> None:
    assert any(line.startswith("Successfully downloaded ") for line in log.lines)
    assert "SyntaxWarning" not in "\n".join(log.lines)


def test_number_of_cores_does_not_change_bytecode(tmp_path: Path) -> None:
    final, made_with = Path("/layers/venv"), []
    for cpus in (1, 4):
        root = tmp_path / str(cpus)
        sources = [[SourceFile(f"{number}/sets.py", len(SETS))] for number in range(9)]
        for ((source, _),) in sources:
            (root / source).parent.mkdir(parents=True)
            (root / source).write_text(SETS)
        packages = [Package(root, final, modules) for modules in sources]
        assert compile_modules(INTERPRETER, packages, system(cpus)).modules == 9
        files = sorted(root.rglob("*.pyc"))
        made_with.append([(path.relative_to(root), path.read_bytes()) for path in files])

    assert made_with[0] == made_with[1]


def test_empty_requirements_file_gives_an_empty_environment(
    tmp_path: Path, packages: Path
) -> None:
    assert make_environment(tmp_path, packages, "").distributions == {}


def test_wheel_for_another_python_is_an_error(tmp_path: Path, packages: Path) -> None:
    with pytest.raises(NoWheel) as raised:
        make_environment(tmp_path, packages, "below\nelsewhere==1.0\n")

    assert raised.value.pythons == ("3.9",)


def test_wrong_hash_is_an_error(tmp_path: Path, packages: Path) -> None:
    with pytest.raises(HashMismatch):
        make_environment(tmp_path, packages, f"below==2.0 --hash=sha256:{'0' * 64}\n")
