"""Pythons that are made from Go modules are as good as those of the release host."""

import hashlib
import shutil
import subprocess
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.python.mirror import bundled_archive, find_inventory
from cnb_python.system.interface import Download
from tools import stage0
from tools.package import assemble
from tools.pythons import interpreters, mirror

VERSION = "3.14.6"
EXTENSION = """\
#include <Python.h>
static PyObject *answer(PyObject *self, PyObject *none) { return PyLong_FromLong(42); }
static PyMethodDef methods[] = {{"answer", answer, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "compiled", "", -1, methods};
PyMODINIT_FUNC PyInit_compiled(void) { return PyModule_Create(&module); }
"""


@pytest.fixture(scope="module", name="archive")
def _archive() -> Path:
    return interpreters.archive(VERSION, assemble.this_machine())


@pytest.fixture(scope="module", name="unpacked")
def _unpacked(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    into = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as packed:
        packed.extractall(into, filter="data")
    return into / "python"


@pytest.fixture(scope="module", name="address")
def _address() -> Iterator[str]:
    with mirror.running((VERSION,)) as url:
        yield f"{url}/python.toml"


def python(unpacked: Path, code: str) -> str:
    command: list[str | Path] = [unpacked / "bin/python3", "-I", "-c", code]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_archive_has_the_layout_of_the_release_host(archive: Path) -> None:
    with tarfile.open(archive) as packed:
        entries = packed.getmembers()

    names = {entry.name for entry in entries}
    assert {name.partition("/")[0] for name in names} == {"python"}
    assert {"python/bin/python3", "python/lib/python3.14/os.py"} <= names
    assert "python/lib/python3.14/site-packages/pip/__init__.py" in names
    assert "python/include/python3.14/Python.h" in names
    assert {(entry.uid, entry.uname) for entry in entries} == {(0, "")}
    assert {entry.mode for entry in entries if entry.isfile()} <= {0o755, 0o644}


def test_python_is_complete(unpacked: Path) -> None:
    modules = "ssl, sqlite3, ctypes, lzma, bz2, zlib, uuid, decimal, readline, venv, unittest, pip"

    output = python(unpacked, f"import {modules}, sys; print(sys.version.split()[0])")

    assert output == f"{VERSION}\n"


def test_c_extensions_compile_with_its_headers(unpacked: Path, tmp_path: Path) -> None:
    if shutil.which("cc") is None:
        pytest.skip("needs a C compiler")
    (tmp_path / "compiled.c").write_text(EXTENSION)
    include = python(unpacked, "import sysconfig; print(sysconfig.get_path('include'))").strip()
    flags = ["-Wall", "-Werror", "-shared", "-fPIC", f"-I{include}", "-o", "compiled.so"]
    subprocess.run(["cc", *flags, "compiled.c"], check=True, cwd=tmp_path)

    load = f"import sys; sys.path.append({str(tmp_path)!r}); import compiled"
    assert python(unpacked, f"{load}; print(compiled.answer())") == "42\n"


def test_headers_match_their_build(unpacked: Path) -> None:
    code = "import sysconfig; print(sysconfig.get_config_var({!r}))"
    config = (unpacked / "include/python3.14/pyconfig.h").read_text()

    for name in ("SIZEOF_LONG", "SIZEOF_WCHAR_T", "HAVE_DECL_TZNAME", "PY_SUPPORT_TIER"):
        assert f"#define {name} {python(unpacked, code.format(name)).strip()}\n" in config


def fetch(download: Download, to: Path) -> None:
    with urllib.request.urlopen(download.url) as answer:
        to.write_bytes(answer.read())


def test_mirror_serves_the_files_of_its_table(address: str, archive: Path, tmp_path: Path) -> None:
    [release] = find_inventory(address, tmp_path, fetch).releases

    fetch(Download(release.url, release.sha256, ""), tmp_path / "fetched")

    assert (tmp_path / "fetched").read_bytes() == archive.read_bytes()
    assert (release.version, release.arch) == (VERSION, assemble.this_machine())
    assert release.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()


def test_offline_package_has_archives_that_the_buildpack_finds(tmp_path: Path) -> None:
    product = assemble.Product(assemble.this_machine(), "0.12", (VERSION,), tmp_path / "dist")

    assemble.assemble(product)

    [release] = find_inventory("", product.folder, fetch).releases
    archive = bundled_archive(release, product.folder)
    assert archive is not None
    assert hashlib.sha256(archive.read_bytes()).hexdigest() == release.sha256
    names = {path.name for path in (product.folder / "runtimes").iterdir()}
    assert names == {"python.toml", archive.name}


def test_archive_for_the_other_architecture_is_made() -> None:
    other = ({*stage0.ARCHES.values()} - {assemble.this_machine()}).pop()

    with tarfile.open(interpreters.archive(VERSION, other)) as packed:
        names = packed.getnames()

    assert "python/include/python3.14/pyconfig.h" in names
