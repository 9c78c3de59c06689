"""The bytecode of the standard library in a package: complete, and for the usual builds."""

import hashlib
import io
import tarfile
from compression import zstd
from pathlib import Path

import pytest

from cnb_python.layers import carried_bytecode
from tools.package import assemble, stdlib_bytecode
from tools.pythons import interpreters, mirror

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


def test_package_is_made_although_the_release_host_cannot_be_reached(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A closed port: the proxy that would lead to the release host.
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    stdlib_bytecode.files.cache_clear()

    files = stdlib_bytecode.files(assemble.this_machine(), released=True)

    assert len(files) >= len(mirror.VERSIONS)
    output = capsys.readouterr().out
    assert "The package has the bytecode of Python 3.14.6 from a Go module instead" in output
