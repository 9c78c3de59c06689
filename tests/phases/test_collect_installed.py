"""Collecting what pip and uv really install, with the real interpreter."""

import itertools
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from cnb_python.distributions import dist_info
from cnb_python.distributions import wheel as wheel_roots
from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.distributions.model import Distribution
from cnb_python.install import staging, virtual_environment
from cnb_python.install.collecting import Collection, collect
from cnb_python.managers.base import Pin
from cnb_python.system.interface import Download, System
from cnb_python.system.process import run
from tests.support.fake_system import Log
from tests.support.wheels import wheel

ROOT = Path(__file__).parents[2]
LINE = f"3.{sys.version_info.minor}"
SITE = f"lib/python{LINE}/site-packages"
INTERPRETER = Path(sys.base_prefix).resolve() / f"bin/python{LINE}"
UV = Path(sys.executable).parent / "uv"
# Scripts, data files, headers, manuals, a large program, and the special scripts of pip.
SPECIAL = """\
greenlet==3.5.6
httpie==3.2.4
jsonpointer==3.0.0
jupyterlab-widgets==3.0.15
pip==26.1
ruff==0.14.1
xlsxwriter==3.2.9
"""


@dataclass
class Bench:
    """Installs packages, each into a root of its own, always at the same final path."""

    directory: Path
    final_name: str = "venv"
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def final(self) -> Path:
        return self.directory / self.final_name

    def pip(self, *arguments: str | Path) -> list[InstalledPin]:
        """Return what pip downloads, as wheels that are unpacked here."""
        into = self._new_directory()
        self._run(*self._pip, "download", "--no-deps", "--dest", into, *arguments)
        archives = self._new_directory()
        for file in into.iterdir():
            wheel_roots.unpack(file, archives / file.name)
        return self._roots(archives)

    def uv(self, *arguments: str | Path) -> list[InstalledPin]:
        """Return what uv fetches, as its cache has it."""
        self._make_environment()
        cache = self._new_directory()
        command = (UV, "pip", "install", "--no-config", "--no-deps", "--no-build")
        options = ("--cache-dir", cache, "--python", self.final / "bin/python")
        self._run(*command, *options, *arguments)
        return self._roots(cache / "archive-v0")

    def alone_by_pip(self, *arguments: str | Path) -> InstalledPin:
        """Return what pip installs into an environment, which is a single distribution."""
        self._make_environment()
        self._run(*self._pip, "install", "--no-compile", "--no-deps", *arguments)
        return self._alone()

    def alone_by_uv(self, *arguments: str | Path) -> InstalledPin:
        """Return what uv installs into an environment, which is a single distribution."""
        self._make_environment()
        command = (UV, "pip", "install", "--no-config", "--no-deps")
        self._run(*command, "--python", self.final / "bin/python", *arguments)
        return self._alone()

    @property
    def _pip(self) -> tuple[str | Path, ...]:
        pip = self.directory / "tool/pip"
        spec = find_spec("pip")
        assert spec
        assert spec.origin
        if not pip.exists():
            staging.copy_pip(Path(spec.origin).parent, pip.parent)
        self._make_environment()
        return (self.final / "bin/python", pip, "--disable-pip-version-check")

    def _make_environment(self) -> None:
        shutil.rmtree(self.final, ignore_errors=True)
        virtual_environment.make_environment(self.final, INTERPRETER, LINE)

    def _run(self, *command: str | Path) -> None:
        quiet = {"PIP_QUIET": "1", "UV_CACHE_DIR": str(self.directory / "cache")}
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(command, check=True, cwd=self.directory, env={**inherited, **quiet})

    def _roots(self, archives: Path) -> list[InstalledPin]:
        installed = []
        for directory in archives.iterdir():
            unpacked = wheel_roots.read(directory)
            root = DistributionRoot(self._new_directory() / "root", self.final, LINE)
            wheel_roots.make_root(unpacked, root)
            pin = Pin(unpacked.name, "", "", "")
            installed.append(InstalledPin(pin, root, may_be_built=False))
        shutil.rmtree(self.final)
        return sorted(installed, key=lambda each: each.pin)

    def _alone(self) -> InstalledPin:
        root = DistributionRoot(self._new_directory() / "root", self.final, LINE)
        self.final.rename(root.path)
        (info,) = root.site_packages.glob("*.dist-info")
        name = dist_info.identity((info / "METADATA").read_bytes(), info.name)[0]
        return InstalledPin(Pin(name, "", "", ""), root, may_be_built=True)

    def _new_directory(self) -> Path:
        directory = self.directory / f"new-{next(self._numbers)}"
        directory.mkdir()
        return directory


def no_fetch(download: Download, to: Path) -> None:
    raise AssertionError(download, to)


def collected(installed: Sequence[InstalledPin], cpus: int = 2) -> Collection:
    system = System(run, no_fetch, Log(), date(2026, 1, 1), cpus)
    store = installed[0].root.path.parent / "store"
    store.mkdir(exist_ok=True)
    return collect(installed, INTERPRETER, store, system)


def alone(installed: InstalledPin) -> Distribution:
    (distribution,) = collected([installed]).distributions
    return distribution


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("fixture", ["pip_flask", "special"])
def test_pip_and_uv_give_equal_distributions(bench: Bench, fixture: str) -> None:
    requirements = ROOT / "fixtures" / fixture / "requirements.txt"
    if fixture == "special":
        requirements = bench.directory / "requirements.txt"
        requirements.write_text(SPECIAL)

    by_uv = collected(bench.uv("-r", requirements), cpus=3)
    by_pip = collected(bench.pip("-r", requirements), cpus=1)

    assert by_uv.distributions == by_pip.distributions
    files = [file for distribution in by_uv.distributions for file in distribution.files]
    assert any(file.path.endswith(".pyc") for file in files)
    assert (by_uv.messages, by_pip.messages) == ((), ())


@pytest.mark.parametrize("line", SPECIAL.split())
def test_wheel_gives_what_tools_install(bench: Bench, line: str) -> None:
    (by_uv,) = collected(bench.uv(line)).distributions

    for installed in (bench.alone_by_uv(line), bench.alone_by_pip(line)):
        assert replace(alone(installed), from_source=False) == by_uv


def schemes(directory: Path) -> tuple[str, ...]:
    """Return the arguments that install a wheel with a file in each scheme, without an index."""
    data = "schemes-1.0.data"
    wheel(
        directory,
        "schemes",
        "1.0",
        {
            "schemes/__init__.py": "def main(): print('declared')\n",
            f"{data}/scripts/custom": "#!python\nprint('custom')\n",
            f"{data}/scripts/flags": "#!python3 -u\nprint('flags')\n",
            f"{data}/scripts/shell": "#!/bin/sh\necho shell\n",
            f"{data}/data/share/schemes/x.txt": "x",
            f"{data}/data/etc/schemes.conf": "x",
            f"{data}/headers/schemes.h": "x",
            f"{data}/purelib/pure.py": "",
            f"{data}/platlib/plat.py": "",
        },
        scripts={"declared": "schemes:main", "nested": "schemes:main.__call__"},
    )
    return ("--no-index", "--find-links", str(directory), "schemes")


@pytest.mark.parametrize("name", ["venv", "with space", "long" * 40])
def test_scripts_run_at_any_path(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path, name)
    requirements = schemes(tmp_path)
    (by_uv,) = collected(bench.uv(*requirements)).distributions
    (of_pip,) = bench.pip(*requirements)

    assert collected([of_pip]).distributions == (by_uv,)
    for installed in (bench.alone_by_uv(*requirements), bench.alone_by_pip(*requirements)):
        assert replace(alone(installed), from_source=False) == by_uv
    virtual_environment.make_environment(bench.final, INTERPRETER, LINE)
    shutil.copytree(of_pip.root.path, bench.final, dirs_exist_ok=True)
    for script in ("declared", "custom", "flags", "shell"):
        output = subprocess.check_output([bench.final / "bin" / script], text=True, env={})
        assert output.strip() == script


def hostile(directory: Path, change: Callable[[str], str]) -> tuple[str, ...]:
    """Return the arguments that install a wheel with a changed RECORD, and an ordinary one."""
    files = {"lying/__init__.py": "", "lying/data.txt": "real", "stray.py": "STRAY = 1\n"}
    wheel_file = wheel(directory, "lying", "1.0", files)
    with zipfile.ZipFile(wheel_file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    record = "lying-1.0.dist-info/RECORD"
    members[record] = change(members[record].decode()).encode()
    with zipfile.ZipFile(wheel_file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    wheel(directory, "honest", "1.0", {"honest.py": ""})
    return ("--no-index", "--find-links", str(directory), "lying", "honest")


def without(name: str) -> Callable[[str], str]:
    return lambda record: "".join(
        line for line in record.splitlines(keepends=True) if not line.startswith(name)
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda record: record.replace("lying/data.txt,sha256=", "lying/data.txt,sha256=A"),
        lambda record: record + "lying/absent.py,sha256=AAAA,3\n",
        lambda record: record + "../../../../../../etc/passwd,,\n",
        lambda record: record + "/etc/passwd,sha256=AAAA,3\n",
        without("lying/data.txt"),
        without("stray.py"),
    ],
    ids=["hash", "absent", "outside", "absolute", "unlisted", "unlisted at the top"],
)
def test_wrong_record_does_not_change_files(bench: Bench, change: Callable[[str], str]) -> None:
    requirements = hostile(bench.directory, change)
    outcomes = []
    for install in (bench.uv, bench.pip):
        honest, lying = collected(install(*requirements)).distributions
        assert (honest.name, lying.name) == ("honest", "lying")
        outcomes.append(lying)

    assert outcomes[0] == outcomes[1]
    paths = {file.path for file in outcomes[0].files}
    assert {f"{SITE}/lying/data.txt", f"{SITE}/stray.py"} <= paths
    assert all(path.startswith((SITE, "bin/")) for path in paths)


def test_overlapping_distributions_keep_their_own_files(bench: Bench) -> None:
    for name in ("first", "second"):
        wheel(bench.directory, name, "1.0", {"shared/__init__.py": f"NAME = {name!r}\n"})
    offline = ("--no-index", "--find-links", str(bench.directory))

    for install in (bench.uv, bench.pip):
        first, second = install(*offline, "first", "second")
        for installed in (first, second):
            name, shared = installed.pin.name, installed.root.site_packages / "shared/__init__.py"
            assert shared.read_text() == f"NAME = {name!r}\n"
            assert f"{SITE}/shared/__init__.py" in {file.path for file in alone(installed).files}


def test_common_module_has_equal_bytecode(bench: Bench) -> None:
    shared = "import os\nNAMES = ('a', 'b', 1000, 2.5)\ndef call(a=1000, *, b='b'): return os, a\n"
    for name in ("first", "second"):
        files = {"ns/__init__.py": shared, f"ns/{name}.py": shared * 3}
        wheel(bench.directory, name, "1.0", files)
    offline = ("--no-index", "--find-links", str(bench.directory))

    combined = collected(bench.uv(*offline, "first", "second")).distributions

    apart = [collected(bench.uv(*offline, name)).distributions for name in ("first", "second")]
    assert combined == (*apart[0], *apart[1])


def test_editable_checkout_belongs_to_distribution(bench: Bench) -> None:
    repository = bench.directory / "repository"
    repository.mkdir()
    (repository / "thing.py").write_text("VALUE = 1\n")
    (repository / "pyproject.toml").write_text(
        "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    )
    (repository / "backend.py").write_text(BACKEND)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.org")
    for command in (("init", "-q"), ("add", "."), ("commit", "-qm", "first")):
        subprocess.run((*git, *command), check=True, cwd=repository)

    editable = ("-e", f"git+file://{repository}#egg=thing")

    distribution = alone(bench.alone_by_pip("--no-index", *editable))

    paths = {file.path for file in distribution.files}
    assert {"src/thing/thing.py", f"{SITE}/thing.pth"} <= paths
    assert any(path.startswith("src/thing/__pycache__/thing.") for path in paths)
    assert not [path for path in paths if ".git/" in path]


BACKEND = """\
import zipfile

def build_editable(directory, settings=None, metadata=None):
    with zipfile.ZipFile(f"{directory}/thing-1.0-py3-none-any.whl", "w") as archive:
        import os
        archive.writestr("thing.pth", os.getcwd() + "\\n")
        info = "thing-1.0.dist-info"
        metadata = "Metadata-Version: 2.1\\nName: thing\\nVersion: 1.0\\n"
        archive.writestr(f"{info}/METADATA", metadata)
        tags = "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "thing.pth,,\\n")
    return "thing-1.0-py3-none-any.whl"

build_wheel = build_editable
"""
