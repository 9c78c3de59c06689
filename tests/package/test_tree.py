"""The contents of a package: everything that is needed for its target, and nothing else."""

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from cnb_python.distributions import elf, native
from tools.package import assemble, bundled, execd
from tools.package import tree as trees_of

LIBRARY = f"python/lib/python{bundled.MINOR}"
UNCHECKED = 0b01  # https://peps.python.org/pep-0552/
ELF = {"amd64": "Advanced Micro Devices X86-64", "arm64": "AArch64"}


def readelf(flag: str, path: Path) -> str:
    if shutil.which("readelf") is None:
        pytest.skip("needs readelf, of binutils")
    command: list[str | Path] = ["readelf", flag, path]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_top_directory_has_only_the_expected_entries(trees: dict[str, Path], arch: str) -> None:
    assert sorted(path.name for path in trees[arch].iterdir()) == [
        *("LICENSE", "bin", "buildpack.toml", "bytecode", "python", "src", "tools")
    ]


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_programs_are_for_the_target(trees: dict[str, Path], arch: str) -> None:
    programs = [path for path in trees_of.files(trees[arch]) if trees_of.machine(path)]

    for path in programs:
        assert ELF[arch] in readelf("-h", path), path
    assert {"uv", "python3"} <= {path.name for path in programs}
    assert any(path.parent.name == "tomli" for path in programs)


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_programs_need_only_glibc(trees: dict[str, Path], arch: str) -> None:
    needed = set()
    for path in trees_of.files(trees[arch]):
        if trees_of.machine(path):
            needed |= {
                line.split("[")[1][:-1]
                for line in readelf("-dW", path).splitlines()
                if "NEEDED" in line
            }

    of_glibc = {"libc", "libm", "libdl", "libpthread", "librt", "libutil", "libgcc_s", "ld-linux"}
    assert {name.split(".")[0].split("-x86")[0].split("-aarch")[0] for name in needed} <= of_glibc


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_programs_run_with_every_glibc_since_2_17(trees: dict[str, Path], arch: str) -> None:
    versions = {
        version
        for path in trees_of.files(trees[arch])
        for _, version in elf.read(path).versions
        if not path.is_symlink()
    }

    assert native.highest(versions) == ("GLIBC_2.17",)


@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_code_has_unchecked_bytecode(trees: dict[str, Path], arch: str) -> None:
    root = trees[arch]
    sources = [*(root / "src").rglob("*.py"), *(root / "python").rglob("*.py")]

    for source in sources:
        compiled = source.parent / f"__pycache__/{source.stem}.{sys.implementation.cache_tag}.pyc"
        flags = struct.unpack_from("<I", compiled.read_bytes(), 4)[0]
        assert flags == UNCHECKED, source
    assert len(list(root.rglob("*.pyc"))) == len(sources) > 500


def test_tree_contains_no_path_of_the_build_machine(tree: Path, dist: Path) -> None:
    paths = [str(dist).encode(), str(assemble.ROOT).encode(), str(Path.home() / ".cache").encode()]

    for path in trees_of.files(tree):
        content = path.read_bytes()
        assert not [each for each in paths if each in content], path


@pytest.mark.thorough
@pytest.mark.parametrize("arch", assemble.ARCHES)
def test_two_runs_make_the_same_package(arch: str, tmp_path: Path) -> None:
    products = [
        assemble.Product(arch, assemble.declared_api(), (), tmp_path / run) for run in "ab"
    ]

    for product in products:
        assemble.assemble(product)

    assert trees_of.digest(products[0].folder) == trees_of.digest(products[1].folder)


@pytest.mark.thorough
def test_bundled_files_are_reproducible(tree: Path, tmp_path: Path) -> None:
    bundled.make(assemble.this_machine(), tmp_path)
    shutil.copy(execd.program(assemble.this_machine()), tmp_path / "tools")
    trees_of.normalise(tmp_path)

    for part in ("python", "tools"):
        assert trees_of.digest(tmp_path / part) == trees_of.digest(tree / part)


def test_unchanged_tree_is_not_made_again(dist: Path) -> None:
    product = assemble.Product(assemble.this_machine(), assemble.declared_api(), (), dist)

    assemble.assemble(product)

    assert assemble.assemble(product) is False


def test_bundled_python_imports_every_bundled_module(tree: Path) -> None:
    code = f"""
import importlib, pkgutil, sys
sys.path += [{str(tree / "src")!r}, {str(tree / LIBRARY / "site-packages")!r}]
# Programs for the app's Python import the modules beside them.
sys.path += [{str(tree / "src/cnb_python/app_steps")!r}]
import cnb_python, httpx, packaging.markers, packaging.requirements, tomli, tomli_w
import ctypes, hashlib, lzma, ssl, tarfile, zipfile, zlib, compression.zstd, concurrent.futures
for module in pkgutil.walk_packages(cnb_python.__path__, "cnb_python."):
    importlib.import_module(module.name)
httpx.Client(trust_env=False).close()
"""
    flags = ["-I", "-B", "-S", "-X", "utf8", "-W", "error"]
    command: list[str | Path] = [tree / "python/bin/python3", *flags, "-c", code]
    ended = subprocess.run(command, env={}, cwd="/", check=False, capture_output=True, text=True)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_bundled_uv_and_pip_run(tree: Path) -> None:
    uv = subprocess.run(
        [tree / "tools/uv", "--version"], env={}, check=True, capture_output=True, text=True
    )
    [wheel] = tree.glob("tools/pip-*.whl")
    # With the Python of an app, since the bundled one lacks parts of the standard library.
    pip = subprocess.run(
        [sys.executable, "-I", wheel / "pip", "--version"],
        env={},
        check=True,
        capture_output=True,
        text=True,
    )

    assert uv.stdout.startswith(f"uv {bundled.PINS['uv']['version']} ")
    assert pip.stdout.startswith(f"pip {bundled.PINS['pip']['version']} from {wheel}/pip ")
