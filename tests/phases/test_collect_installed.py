"""What pip and uv really leave, taken apart by the real interpreter."""

import itertools
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from importlib.util import find_spec
from pathlib import Path

import pytest

from cnb_python.distributions.collect import Collection, collect
from cnb_python.distributions.dist_info import StagedEnvironment
from cnb_python.distributions.model import Distribution
from cnb_python.install import staging
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
# Scripts, data beside the modules, headers, manuals, a large program, pip's own rule for scripts.
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
    """Installs and takes apart, always under one final path."""

    directory: Path
    final_name: str = "venv"
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def final(self) -> Path:
        return self.directory / self.final_name

    def pip(self, *arguments: str | Path) -> StagedEnvironment:
        pip = self.directory / "tool/pip"
        spec = find_spec("pip")
        assert spec
        assert spec.origin
        if not pip.exists():
            staging.copy_pip(Path(spec.origin).parent, pip.parent)
        command = (self.final / "bin/python", pip, "--disable-pip-version-check", "install")
        return self._stage(*command, "--no-compile", "--no-deps", *arguments)

    def uv(self, *arguments: str | Path) -> StagedEnvironment:
        command = (UV, "pip", "install", "--no-config", "--no-deps")
        return self._stage(*command, "--python", self.final / "bin/python", *arguments)

    def _stage(self, *command: str | Path) -> StagedEnvironment:
        staging.make(self.final, INTERPRETER, LINE)
        quiet = {"PIP_QUIET": "1", "UV_CACHE_DIR": str(self.directory / "cache")}
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run(command, check=True, cwd=self.directory, env={**inherited, **quiet})
        root = self.directory / f"stage-{next(self._numbers)}"
        self.final.rename(root)
        return StagedEnvironment(root, self.final, LINE)

    def place(self, stage: StagedEnvironment) -> None:
        """Put *stage* where its files belong, to be run."""
        stage.root.rename(self.final)


def no_fetch(download: Download, to: Path) -> None:
    raise AssertionError(download, to)


def taken(stage: StagedEnvironment, cpus: int = 2) -> Collection:
    pins = {name: Pin(name, "", "", "") for name in stage.metadata_files()}
    system = System(run, no_fetch, Log(), date(2026, 1, 1), cpus)
    return collect(stage, pins, INTERPRETER, system)


def by_name(found: Collection) -> dict[str, Distribution]:
    return {one.name: one for one in found.distributions}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("fixture", ["pip_flask", "special"])
def test_pip_and_uv_leave_the_same_bytes(bench: Bench, fixture: str) -> None:
    requirements = ROOT / "fixtures" / fixture / "requirements.txt"
    if fixture == "special":
        requirements = bench.directory / "requirements.txt"
        requirements.write_text(SPECIAL)

    by_uv = taken(bench.uv("-r", requirements), cpus=3)
    by_pip = taken(bench.pip("-r", requirements), cpus=1)

    assert by_uv.distributions == by_pip.distributions
    assert by_uv.modules == by_pip.modules > 0
    assert (by_uv.conflicts, by_uv.notes, by_uv.dropped) == ((), (), ())
    assert (by_pip.conflicts, by_pip.notes, by_pip.dropped) == ((), (), ())


def schemes(directory: Path) -> tuple[str, ...]:
    """Return how to install a wheel with something in each scheme, without an index."""
    data = "schemes-1.0.data"
    wheel(
        directory,
        "schemes",
        "1.0",
        {
            "schemes/__init__.py": "def main(): print('declared')\n",
            f"{data}/scripts/brought": "#!python\nprint('brought')\n",
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
def test_scripts_run_and_are_the_same_under_any_path(tmp_path: Path, name: str) -> None:
    bench = Bench(tmp_path, name)
    wanted = schemes(tmp_path)
    by_uv, stage = taken(bench.uv(*wanted)), bench.pip(*wanted)

    assert taken(stage).distributions == by_uv.distributions
    bench.place(stage)
    for script in ("declared", "brought", "flags", "shell"):
        told = subprocess.check_output([bench.final / "bin" / script], text=True, env={})
        assert told.strip() == script


def hostile(directory: Path, change: Callable[[str], str]) -> tuple[str, ...]:
    """Return how to install a wheel whose RECORD was changed, and an ordinary one."""
    files = {"lying/__init__.py": "", "lying/data.txt": "real", "stray.py": "STRAY = 1\n"}
    made = wheel(directory, "lying", "1.0", files)
    with zipfile.ZipFile(made) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    record = "lying-1.0.dist-info/RECORD"
    members[record] = change(members[record].decode()).encode()
    with zipfile.ZipFile(made, "w") as archive:
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
def test_of_a_wheel_whose_record_lies_the_files_count(
    bench: Bench, change: Callable[[str], str]
) -> None:
    wanted = hostile(bench.directory, change)
    outcomes = []
    for install in (bench.uv, bench.pip):
        found = taken(install(*wanted))
        lying = by_name(found).get("lying")
        if found.conflicts:  # only alone it can be said whose the files are
            (lying,) = taken(install(*wanted[:-1])).distributions
        assert lying
        outcomes.append(lying)

    assert outcomes[0] == outcomes[1]
    paths = {file.path for file in outcomes[0].files}
    assert {f"{SITE}/lying/data.txt", f"{SITE}/stray.py"} <= paths
    assert all(path.startswith((SITE, "bin/")) for path in paths)


def test_two_that_overlap_are_what_each_alone_is(bench: Bench) -> None:
    for name in ("first", "second"):
        wheel(bench.directory, name, "1.0", {"shared/__init__.py": f"NAME = {name!r}\n"})
    wheel(bench.directory, "third", "1.0", {"third.py": ""})
    offline = ("--no-index", "--find-links", str(bench.directory))

    together = taken(bench.uv(*offline, "first", "second", "third"))

    assert together.conflicts == (frozenset({"first", "second"}),)
    assert list(by_name(together)) == ["third"]
    for name in ("first", "second"):
        alone = taken(bench.uv(*offline, name))
        assert not alone.conflicts
        assert f"{SITE}/shared/__init__.py" in {file.path for file in by_name(alone)[name].files}


def test_a_module_that_two_bring_has_the_bytecode_of_either_alone(bench: Bench) -> None:
    shared = "import os\nNAMES = ('a', 'b', 1000, 2.5)\ndef call(a=1000, *, b='b'): return os, a\n"
    for name in ("first", "second"):
        files = {"ns/__init__.py": shared, f"ns/{name}.py": shared * 3}
        wheel(bench.directory, name, "1.0", files)
    offline = ("--no-index", "--find-links", str(bench.directory))

    together = by_name(taken(bench.uv(*offline, "first", "second")))

    for name in ("first", "second"):
        assert by_name(taken(bench.uv(*offline, name)))[name] == together[name]


def test_an_editable_checkout_is_the_distributions(bench: Bench) -> None:
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

    found = taken(bench.pip("--no-index", "-e", f"git+file://{repository}#egg=thing"))

    paths = {file.path for file in by_name(found)["thing"].files}
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
