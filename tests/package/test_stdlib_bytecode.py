"""The bytecode of the standard library in a package: complete, and for the usual builds."""

import hashlib
import io
import subprocess
import tarfile
from compression import zstd
from pathlib import Path

import pytest

from cnb_python.layers import carried_bytecode
from tools import stage0
from tools.package import assemble, bundled, stdlib_bytecode
from tools.processes import Unavailable
from tools.pythons import interpreters, mirror, runtimes

HOME = Path("/layers/cnb-python_python/python")


def carried(tree: Path, version: str, arch: str) -> dict[str, bytes]:
    """Return the bytecode that builds with the archive of tests use, by its path."""
    archive = interpreters.archive(version, arch)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    file = carried_bytecode.find(tree, sha256, HOME)
    assert file is not None
    with tarfile.open(fileobj=io.BytesIO(zstd.decompress(file.read_bytes()))) as packed:
        members = packed.getmembers()
        assert {(member.mtime, member.uid, member.mode) for member in members} == {(0, 0, 0o644)}
        return {
            member.name: stream.read()
            for member in members
            if (stream := packed.extractfile(member))
        }


@pytest.mark.parametrize("version", mirror.VERSIONS)
def test_package_has_the_bytecode_of_every_module(tree: Path, version: str) -> None:
    arch, minor = assemble.this_machine(), version.rpartition(".")[0]
    compiled = carried(tree, version, arch)

    top = f"bytecode/lib/python{minor}"
    tag = f"cpython-{minor.replace('.', '')}"
    assert len(compiled) > 500
    assert f"{top}/json/__pycache__/decoder.{tag}.pyc" in compiled
    assert all(name.startswith(f"{top}/") and name.endswith(f".{tag}.pyc") for name in compiled)
    # With the path of the module in the image.
    path = f"{HOME}/lib/python{minor}/json/decoder.py".encode()
    assert path in compiled[f"{top}/json/__pycache__/decoder.{tag}.pyc"]


def is_for_one_machine(name: str) -> bool:
    return "/_sysconfigdata" in name or "/config-" in name


def test_only_build_settings_differ_between_architectures(trees: dict[str, Path]) -> None:
    compiled = [carried(trees[arch], "3.14.6", arch) for arch in assemble.ARCHES]

    amd64, arm64 = (
        {name: content for name, content in each.items() if not is_for_one_machine(name)}
        for each in compiled
    )
    assert amd64 == arm64
    # The settings as a module, and the program in `config-*` that prints them.
    assert [len(each) - 2 for each in compiled] == [len(amd64), len(arm64)]


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let the release host be unreachable, and nothing of it be in the cache."""
    # A closed port: the proxy that would lead to the release host.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stdlib_bytecode.files.cache_clear()
    runtimes.downloaded.cache_clear()


@pytest.mark.usefixtures("unreachable")
def test_package_for_others_has_only_pythons_of_the_release_host(tmp_path: Path) -> None:
    arch = assemble.this_machine()

    with pytest.raises(Unavailable, match="make package GO_MODULES=1"):
        stdlib_bytecode.files(arch, released=True)
    with pytest.raises(Unavailable, match="make package GO_MODULES=1"):
        runtimes.bundle(("3.14.6",), arch, tmp_path / "runtimes", released=True)
    with pytest.raises(SystemExit, match="make package GO_MODULES=1"):
        bundled.base(arch, released=True)


@pytest.mark.usefixtures("unreachable")
def test_other_packages_take_go_modules_and_print_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stage0.interpreter(assemble.this_machine(), tmp_path / "python", go_modules=True)

    assert (tmp_path / "python/bin/python3").exists()
    assert "the release host cannot be reached" in capsys.readouterr().out


@pytest.mark.parametrize("target", ["package", "builder"])
def test_makefile_allows_go_modules_only_where_asked(target: str) -> None:
    def commands(*arguments: str) -> str:
        # Under another make, it would print directories too.
        make = ("make", "--no-print-directory", "--dry-run", target, *arguments)
        return subprocess.run(
            make, cwd=stage0.ROOT, check=True, capture_output=True, text=True
        ).stdout

    *_, last = commands().splitlines()
    *_, allowed = commands("GO_MODULES=1").splitlines()

    assert "--go-modules" not in last
    assert "--go-modules" in allowed
