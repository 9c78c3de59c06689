"""The bundled Python, packages and tools: downloaded, verified, trimmed and compiled.

No program of the target runs, so either architecture can be made on the other.
"""

import shutil
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from tools import cache, stage0
from tools.package import trim
from tools.processes import run
from tools.pythons import go_module

PINS = tomllib.loads(stage0.PINS.read_text())
LOCK = stage0.ROOT / "requirements/runtime.txt"
MINOR = ".".join(PINS["interpreter"]["version"].split(".")[:2])
# The oldest glibc first. Wheels for these run on Debian 10, Ubuntu 20.04 and UBI 8.
GLIBC = ("17", "24", "26", "27", "28")
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


def unpacked_interpreter(arch: str, *, released: bool = False) -> Path:
    """Return the pinned Python for *arch*, unpacked but not trimmed.

    *released*: only from the release host, not from a Go module if that cannot be reached.
    """
    pins = cache.digest(repr(PINS["interpreter"]))
    title = f"Downloading Python {PINS['interpreter']['version']} for {arch}"
    unpack = partial(_unpack, arch, released=released)
    return (
        cache.entry(_named("interpreter", arch, released=released), pins, title, unpack) / "python"
    )


def base(arch: str, *, released: bool = False) -> Path:
    """Return a tree with `python/` (interpreter, packages) and `tools/` (uv, pip) for *arch*.

    *released* as that of `unpacked_interpreter`.
    """
    makers = (trim.__file__, stage0.__file__, go_module.__file__, __file__)
    inputs = (stage0.PINS, LOCK, *map(Path, makers))
    pins = cache.digest(*(path.read_bytes() for path in inputs))
    title = f"Making the bundled Python and tools for {arch} (some seconds)"
    fill = partial(make, arch, released=released)
    return cache.entry(_named("package", arch, released=released), pins, title, fill)


def _named(name: str, arch: str, *, released: bool) -> str:
    # A package for others must never take what was made from a Go module.
    return f"{name}-released-{arch}" if released else f"{name}-{arch}"


def compile_tree(root: Path, *folders: str) -> None:
    """Write reproducible bytecode of *folders* below *root*.

    As unchecked hashes, since all modification times in a builder are 1980 and its files are
    read-only. In one process and in sorted order, since the bytecode of a file depends on the
    files that the process compiled before.
    """
    python = (sys.executable, "-I", "-B", "-S", "-m", "compileall", "-q", "-s", root)
    mode = ("--invalidation-mode", "unchecked-hash")
    run(*python, *mode, *(root / folder for folder in folders), cwd=Path("/"))


def download(arch: str, lock: Path, into: Path) -> None:
    """Download the wheels of the requirements file *lock* for *arch* into *into*."""
    _pip("download", arch, ["--dest", str(into), "--requirement", str(lock)])


def _unpack(arch: str, into: Path, *, released: bool) -> None:
    stage0.interpreter(arch, into / "python", go_modules=not released)


def make(arch: str, into: Path, *, released: bool = False) -> None:
    """Make the tree of `base` in the empty directory *into*."""
    trim.interpreter(unpacked_interpreter(arch, released=released), into / "python")
    site_packages = into / f"python/lib/python{MINOR}/site-packages"
    _install_packages(arch, site_packages)
    trim.packages(site_packages)
    add_tools(arch, PINS, into / "tools")
    compile_tree(into, "python")


def _install_packages(arch: str, into: Path) -> None:
    flags = ["--target", str(into), "--no-compile", "--requirement", str(LOCK)]
    _pip("install", arch, [*flags, "--root-user-action=ignore"])


def add_tools(arch: str, pins: Mapping[str, Any], into: Path) -> None:
    """Put uv and pip for *arch* into the new directory *into*, as the tables of *pins* name them.

    The tables have the form of those in `data/tools.toml`.
    """
    into.mkdir()
    with tempfile.TemporaryDirectory() as scratch:
        wheels = Path(scratch)
        hashes = {"uv": pins["uv"]["sha256"][arch], "pip": pins["pip"]["sha256"]}
        lock = wheels / "lock.txt"
        lines = [f"{n}=={pins[n]['version']} --hash=sha256:{hashes[n]}" for n in hashes]
        lock.write_text("\n".join(lines))
        download(arch, lock, wheels)
        shutil.copy2(next(wheels.glob("pip-*.whl")), into)
        _unpack_uv(next(wheels.glob("uv-*.whl")), into)


def _unpack_uv(wheel: Path, into: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        for name in packed.namelist():
            if name.endswith(".data/scripts/uv"):
                (into / "uv").write_bytes(packed.read(name))
                (into / "uv").chmod(0o755)
            elif ".dist-info/licenses/" in name:
                (into / f"uv.{name.rpartition('/')[2]}").write_bytes(packed.read(name))


def _pip(action: str, arch: str, flags: list[str]) -> None:
    platforms = [f"--platform=manylinux_2_{minor}_{MACHINES[arch]}" for minor in GLIBC]
    run(
        *(sys.executable, "-I", "-m", "pip", action, "--quiet", "--no-input", "--no-deps"),
        *("--disable-pip-version-check", "--only-binary=:all:", "--require-hashes"),
        *("--implementation=cp", f"--python-version={MINOR}", *platforms, *flags),
        cwd=Path("/"),
    )
