"""The layer of a real Python: it runs, has only paths of the layer, and is reproducible."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from cnb_python.cnb.context import BuildContext, Buildpack, Platform, Target
from cnb_python.layers import python, python_install
from cnb_python.layers.python import Interpreter
from cnb_python.layers.python_install import PythonFiles
from cnb_python.layers.python_parts import remove_other_parts
from cnb_python.python.releases import Release
from cnb_python.store.store import Store
from cnb_python.system.download import Client
from cnb_python.system.interface import Command, Outcome, Run, System
from cnb_python.system.process import run
from cnb_python.system.verified_file import Fetcher
from tests.support.fake_system import Log
from tools.package import stdlib_bytecode
from tools.platforms import oci
from tools.pythons import interpreters

# Two layouts of sysconfig's data: a program that loads libpython, and a static one.
VERSIONS = ("3.12.3", "3.14.6")
IMPORTS = "import bz2, ctypes, curses, lzma, readline, sqlite3, ssl, uuid, zlib, zoneinfo"
ABSENT = ("ensurepip", "idlelib", "lib2to3", "pip", "setuptools", "test", "tkinter", "turtle")


def make_layer(
    version: str,
    layers_dir: Path,
    store: Store,
    cpus: int = 2,
    log: Log | None = None,
    runner: Run = run,
) -> Interpreter:
    """Make the layer of Python in *layers_dir*, from *store* if it is in there."""
    files = write_files(version, layers_dir, store, cpus, log, runner)
    files.start_archiving().result()
    python.finish(files.runtime, python.ALL_PARTS, build=False)
    return files.runtime.interpreter


def write_files(
    version: str,
    layers_dir: Path,
    store: Store,
    cpus: int = 2,
    log: Log | None = None,
    runner: Run = run,
) -> PythonFiles:
    """Write the compiled files of the layer."""
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
    log = log or Log()
    system = System(runner, Fetcher(Client({}, log.line).receive), log, date(2026, 11, 21), cpus)
    runtime = python.find_runtime(release, context, log)
    files = python_install.materialize(runtime, store, system)
    files.complete()
    return files


def store_in(directory: Path) -> Store:
    directory.mkdir()
    return Store(directory)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The store that the builds of `interpreter` share."""
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module", params=VERSIONS)
def interpreter(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, store: Store
) -> Interpreter:
    """One layer for all tests that only read it."""
    version: str = request.param
    return make_layer(version, tmp_path_factory.mktemp("layers"), store)


def output_of(interpreter: Interpreter, code: str) -> str:
    command = [str(interpreter.path), "-I", "-B", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True, env={}).stdout


def digests(layer: Path) -> dict[str, str]:
    """Return mode and content of each file in *layer*, without times."""
    digests_of = {}
    for path in sorted(layer.rglob("*")):
        mode = f"{path.lstat().st_mode:o} "
        if path.is_symlink():
            content = str(path.readlink())
        else:
            content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        digests_of[str(path.relative_to(layer))] = mode + content
    return digests_of


def test_standard_library_is_complete(interpreter: Interpreter) -> None:
    assert output_of(interpreter, f"{IMPORTS}; print('fine')") == "fine\n"


def test_unused_parts_are_trimmed(interpreter: Interpreter) -> None:
    code = f"""
from importlib.util import find_spec
print([name for name in {ABSENT} if find_spec(name)])
"""
    assert output_of(interpreter, code) == "[]\n"
    libraries = {path.name.partition(".")[0] for path in interpreter.layer.glob("lib/*.so*")}
    # This directory comes first on LD_LIBRARY_PATH of every process.
    assert libraries == {"libpython3"}


def test_sysconfig_has_no_path_of_the_build_machine(interpreter: Interpreter) -> None:
    code = """
import shlex, sysconfig
settings = sysconfig.get_config_vars()
print([name for name in ("prefix", "LIBDIR", "INCLUDEPY", "LIBPL", "BINDIR") if
       not settings[name].startswith(sysconfig.get_config_var("installed_base"))])
print([shlex.split(settings[name])[0] for name in ("CC", "CXX", "AR", "LDSHARED")])
"""
    assert output_of(interpreter, code) == "[]\n['cc', 'c++', 'ar', 'cc']\n"
    config = interpreter.layer / "bin/python3-config"
    flags = subprocess.run([config, "--includes"], check=True, capture_output=True, text=True)
    assert f"-I{interpreter.layer}/include" in flags.stdout


def test_virtual_environment_without_pip_can_be_made(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    environment = str(tmp_path / "venv")
    command = [str(interpreter.path), "-I", "-m", "venv", "--without-pip", environment]
    subprocess.run(command, check=True, env={})

    made_of = [f"{environment}/bin/python", "-c", "import sys; print(sys.base_prefix)"]
    result = subprocess.run(made_of, check=True, capture_output=True, text=True, env={})
    assert result.stdout == f"{interpreter.layer}\n"


def test_bytecode_is_unchecked(interpreter: Interpreter) -> None:
    compiled = [*interpreter.layer.rglob("*.pyc")]

    # PEP 552: the second word of the header; 1 is a hash that is not checked.
    assert {path.read_bytes()[4:8] for path in compiled} == {b"\x01\0\0\0"}
    library = interpreter.layer / "lib" / interpreter.path.name
    assert len(compiled) == len([*library.rglob("*.py")])


def test_python_from_the_store_is_the_same(interpreter: Interpreter, store: Store) -> None:
    first = digests(interpreter.layer)
    log = Log()

    make_layer(interpreter.version, interpreter.layer.parent, store, log=log)

    assert log.lines == [f"Using cached Python {interpreter.version}"]
    assert digests(interpreter.layer) == first


def test_interpreter_without_other_parts_is_complete(
    interpreter: Interpreter, tmp_path: Path
) -> None:
    root = tmp_path / "python"
    shutil.copytree(interpreter.layer, root, symlinks=True)
    is_shared = interpreter.version == "3.12.3"  # its program is linked with libpython

    remove_other_parts(root, frozenset())

    moved = replace(interpreter, path=root / "bin" / interpreter.path.name, layer=root)
    assert output_of(moved, f"{IMPORTS}; print('fine')") == "fine\n"
    assert output_of(moved, "import sysconfig; print(sysconfig.get_config_var('SOABI'))")
    printed = subprocess.run(
        [moved.path, "-I", "-B", "-m", "sysconfig"], check=True, capture_output=True, env={}
    )
    assert b"Variables:" in printed.stdout
    assert bool([*root.glob("lib/libpython3*")]) == is_shared
    names = {path.name for path in root.rglob("*")}
    assert names.isdisjoint({"include", "pkgconfig", "Python.h", "Makefile", "python3-config"})


def test_two_builds_give_the_same_bytes(interpreter: Interpreter, tmp_path: Path) -> None:
    first = digests(interpreter.layer)

    make_layer(interpreter.version, interpreter.layer.parent, store_in(tmp_path / "store"), cpus=3)

    assert digests(interpreter.layer) == first


def run_no_compiler(command: Command, on_line: Callable[[str], None] | None = None) -> Outcome:
    """Run the interpreter's version check, but nothing else."""
    assert "-c" in command.argv, command
    return run(command, on_line)


@pytest.mark.parametrize("damage", ["", "cut", "other directory"])
def test_carried_bytecode_equals_compiled_bytecode(damage: str, tmp_path: Path) -> None:
    layers, home = tmp_path / "layers", tmp_path / "layers/python"
    archive = interpreters.archive("3.14.6", oci.arch())
    source = stdlib_bytecode.Source("3.14.6", archive, archive)
    final = home if damage != "other directory" else Path("/other/python")
    name, content = stdlib_bytecode.bytecode_archive(source, final, level=1)
    carried = layers / "nowhere/bytecode" / name
    layers.mkdir()
    expected = digests(make_layer("3.14.6", layers, store_in(tmp_path / "store")).layer)
    carried.parent.mkdir(parents=True)
    carried.write_bytes(content[:-1] if damage == "cut" else content)

    runner = run if damage else run_no_compiler
    made = make_layer("3.14.6", layers, store_in(tmp_path / "other"), runner=runner)

    assert digests(made.layer) == expected


HOSTILE = """
import os, sys, textwrap
library = os.path.dirname(os.__file__)
with open(f"{library}/sitecustomize.py", "w") as file:
    file.write("print('evil')")
with open(f"{library}/json/decoder.py", "a") as file:
    file.write("# evil")
with open(textwrap.__cached__, "r+b") as file:
    file.write(b"evil")
os.remove(f"{library}/heapq.py")
os.chmod(f"{library}/shlex.py", 0o777)
os.remove(f"{sys.prefix}/bin/python3")
os.symlink("/bin/sh", f"{sys.prefix}/bin/python3")
"""


@pytest.mark.parametrize("source", ["download", "store"])
def test_what_foreign_code_did_to_the_interpreter_is_undone(source: str, tmp_path: Path) -> None:
    layers, store = tmp_path / "layers", store_in(tmp_path / "store")
    files = write_files("3.14.6", layers, store)
    if source == "store":
        files.archive_to_store()
        files = write_files("3.14.6", layers, store)
    interpreter = files.runtime.interpreter
    before = digests(interpreter.layer)
    assert files.verify() == ()
    output_of(interpreter, HOSTILE)

    changed = files.verify()

    library = "lib/python3.14"
    assert changed == (
        "bin/python3",
        f"{library}/__pycache__/textwrap.cpython-314.pyc",
        f"{library}/heapq.py",
        f"{library}/json/decoder.py",
        f"{library}/shlex.py",
        f"{library}/sitecustomize.py",
    )
    assert digests(interpreter.layer) == before
    assert output_of(interpreter, f"{IMPORTS}; print('fine')") == "fine\n"
