"""Entries of a release that did not record which files are linked with libpython."""

import json
from compression import zstd
from pathlib import Path

import pytest

from cnb_python.distributions.model import Distribution
from cnb_python.store import files, manifest
from cnb_python.store.store import Damaged, Store
from tests.support.elf_files import elf
from tests.support.installed import SITE, distribution, file

LIBRARY = "libpython3.14.so.1.0"
NATIVE = f"{SITE}/embeds/_run.so"
PROGRAM = "bin/embeds"


def made(root: Path, path: str, content: bytes, *, program: bool = False) -> Distribution:
    """Return a distribution of the one file *path*, which lies below *root*."""
    (root / path).parent.mkdir(parents=True)
    (root / path).write_bytes(content)
    (root / path).chmod(0o755 if program else 0o644)
    return distribution("embeds", [file(path, size=len(content), program=program)])


def of_older_release(store: Store, installed: Distribution, root: Path, *, whole: bool) -> str:
    """Store *installed* as the previous release did; return the digest of the manifest."""
    digest = store.close([store.put(installed, root, whole=whole)], (), ())
    with files.verified(store.directory, digest, ".json.zst") as stream:
        content = json.loads(zstd.decompress(stream.read()))
    for row in content["distributions"]:
        del row["libpython"]
    with files.writing(store.directory, ".json.zst", "writing") as draft:
        draft.write(zstd.compress(json.dumps(content).encode()))
    return draft.digest


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "store").mkdir()
    return Store(tmp_path / "store")


def read(store: Store, digest: str) -> tuple[dict[str, tuple[str, ...]], dict[str, str]]:
    """Return libpython's names by distribution, and why others are lost."""
    again = Store(store.directory)
    entries = again.read(digest)
    assert not isinstance(entries, Damaged)
    assert all(entry.has_libpython for entry in entries.values())
    return {name: entry.distribution.libpython for name, entry in entries.items()}, again.lost


@pytest.mark.parametrize(("path", "program"), [(NATIVE, False), (PROGRAM, True)])
@pytest.mark.parametrize("needed", [(LIBRARY,), ()])
def test_archive_is_scanned(
    store: Store, tmp_path: Path, path: str, needed: tuple[str, ...], *, program: bool
) -> None:
    content = elf(needed=["libc.so.6", *needed])
    installed = made(tmp_path / "root", path, content, program=program)
    digest = of_older_release(store, installed, tmp_path / "root", whole=True)

    assert read(store, digest) == ({"embeds": needed}, {})


def test_small_program_is_scanned_without_the_whole_archive(store: Store, tmp_path: Path) -> None:
    installed = made(tmp_path / "root", PROGRAM, elf(needed=[LIBRARY]), program=True)
    digest = of_older_release(store, installed, tmp_path / "root", whole=False)

    assert read(store, digest) == ({"embeds": (LIBRARY,)}, {})


def test_native_library_without_archive_is_installed_again(store: Store, tmp_path: Path) -> None:
    installed = made(tmp_path / "root", NATIVE, elf())
    digest = of_older_release(store, installed, tmp_path / "root", whole=False)

    entries, lost = read(store, digest)

    assert entries == {}
    assert lost["embeds"].endswith("did not record if it needs libpython")


def test_damaged_archive_is_installed_again(store: Store, tmp_path: Path) -> None:
    installed = made(tmp_path / "root", NATIVE, elf())
    digest = of_older_release(store, installed, tmp_path / "root", whole=True)
    for path in store.directory.glob("*.tar.zst"):
        path.write_bytes(path.read_bytes()[:-1])

    assert read(store, digest)[0] == {}


def test_pure_python_needs_no_archive(store: Store, tmp_path: Path) -> None:
    installed = made(tmp_path / "root", f"{SITE}/embeds.py", b"")
    digest = of_older_release(store, installed, tmp_path / "root", whole=False)

    assert read(store, digest) == ({"embeds": ()}, {})


def test_scan_is_recorded_for_the_next_build(store: Store, tmp_path: Path) -> None:
    installed = made(tmp_path / "root", NATIVE, elf(needed=[LIBRARY]))
    digest = of_older_release(store, installed, tmp_path / "root", whole=True)
    again = Store(store.directory)
    entries = again.read(digest)
    assert not isinstance(entries, Damaged)

    with files.verified(
        store.directory, again.close(entries.values(), (), ()), ".json.zst"
    ) as stream:
        (entry,) = manifest.load(stream.read()).distributions.values()

    assert entry.has_libpython
    assert entry.distribution.libpython == (LIBRARY,)
