"""The layer of a real interpreter: it runs, is at home, and is the same whoever makes it."""

import hashlib
import subprocess
from datetime import date
from pathlib import Path

import pytest

from cnb_python.cnb.context import BuildContext, Buildpack, Platform, Target
from cnb_python.layers.python import Interpreter, install
from cnb_python.system.fetch import fetcher
from cnb_python.system.outside import System
from cnb_python.system.process import run
from cnb_python.version.inventory import Release
from tests.unit.environment.worlds import Log
from tools import interpreters, oci

# Both forms that sysconfig's data has; the first a stub that loads libpython, the second whole.
VERSIONS = ("3.12.3", "3.14.6")
IMPORTS = "import bz2, ctypes, curses, lzma, readline, sqlite3, ssl, uuid, zlib, zoneinfo"
ABSENT = ("ensurepip", "idlelib", "lib2to3", "pip", "setuptools", "test", "tkinter", "turtle")


def made(version: str, layers_dir: Path, cpus: int = 2) -> Interpreter:
    archive = interpreters.archive(version, oci.arch())
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    release = Release(version, oci.arch(), "plain", str(archive), sha256)
    target = Target("linux", oci.arch(), "", "debian", "12")
    layers_dir.mkdir(exist_ok=True)
    context = BuildContext(
        app_dir=layers_dir,
        buildpack=Buildpack("cnb-python/python", "1", "0.12", layers_dir / "nowhere"),
        platform=Platform(layers_dir, {}, ()),
        target=target,
        exec_env="production",
        environ={},
        layers_dir=layers_dir,
        plan=(),
        store={},
    )
    log = Log()
    system = System(run, fetcher({}, log.line), log, date(2026, 11, 21), cpus)
    return install(release, context, system)


@pytest.fixture(scope="module", params=VERSIONS)
def interpreter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Interpreter:
    """One layer for all tests that only look at it."""
    version: str = request.param
    return made(version, tmp_path_factory.mktemp("layers"))


def said(interpreter: Interpreter, code: str) -> str:
    command = [str(interpreter.path), "-I", "-B", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={}).stdout


def digests(layer: Path) -> dict[str, str]:
    """Mode and content of everything in *layer*; times do not count."""
    found = {}
    for path in sorted(layer.rglob("*")):
        mode = f"{path.lstat().st_mode:o} "
        if path.is_symlink():
            content = str(path.readlink())
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[str(path.relative_to(layer))] = mode + content
    return found


def test_the_standard_library_is_whole(interpreter: Interpreter) -> None:
    assert said(interpreter, f"{IMPORTS}; print('fine')") == "fine\n"


def test_what_no_app_uses_is_gone(interpreter: Interpreter) -> None:
    code = f"""
from importlib.util import find_spec
print([name for name in {ABSENT} if find_spec(name)])
"""
    assert said(interpreter, code) == "[]\n"
    libraries = {path.name.partition(".")[0] for path in interpreter.layer.glob("lib/*.so*")}
    # Everything there comes first on every process's LD_LIBRARY_PATH.
    assert libraries == {"libpython3"}


def test_no_setting_leads_to_the_makers_machine(interpreter: Interpreter) -> None:
    code = """
import shlex, sysconfig
settings = sysconfig.get_config_vars()
print([name for name in ("prefix", "LIBDIR", "INCLUDEPY", "LIBPL", "BINDIR") if
       not settings[name].startswith(sysconfig.get_config_var("installed_base"))])
print([shlex.split(settings[name])[0] for name in ("CC", "CXX", "AR", "LDSHARED")])
"""
    assert said(interpreter, code) == "[]\n['cc', 'c++', 'ar', 'cc']\n"
    config = interpreter.layer / "bin/python3-config"
    flags = subprocess.run([config, "--includes"], check=True, capture_output=True, text=True)
    assert f"-I{interpreter.layer}/include" in flags.stdout


def test_a_virtual_environment_can_be_made_without_pip(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    environment = str(tmp_path / "venv")
    command = [str(interpreter.path), "-I", "-m", "venv", "--without-pip", environment]
    subprocess.run(command, check=True, env={})

    made_of = [f"{environment}/bin/python", "-c", "import sys; print(sys.base_prefix)"]
    found = subprocess.run(made_of, check=True, capture_output=True, text=True, env={})
    assert found.stdout == f"{interpreter.layer}\n"


def test_the_bytecode_is_never_looked_at_again(interpreter: Interpreter) -> None:
    compiled = [*interpreter.layer.rglob("*.pyc")]

    # PEP 552: the second word of the header; 1 is a hash that is not checked.
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\0\0\0"}
    library = interpreter.layer / "lib" / interpreter.path.name
    assert len(compiled) == len([*library.rglob("*.py")])


@pytest.mark.parametrize("version", VERSIONS)
def test_two_builds_yield_the_same_bytes(version: str, tmp_path: Path) -> None:
    layers_dir = tmp_path / "layers"
    first = digests(made(version, layers_dir, cpus=1).layer)
    (layers_dir / "python.toml").unlink()

    second = digests(made(version, layers_dir, cpus=3).layer)

    assert second == first
