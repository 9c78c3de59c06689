"""Files of layer `python` that foreign code changed are found and replaced."""

import hashlib
import os
import shutil
from collections.abc import Callable
from copy import replace
from pathlib import Path

import pytest

from cnb_python.layers import python, python_install
from cnb_python.layers.python_install import PythonFiles
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_build import FILES, FakeBuild, archive, contents, fake_build
from tests.support.fake_manager import FakeManager
from tests.support.fake_system import Programs

LIBRARY = "lib/python3.14"
BYTECODE = f"{LIBRARY}/__pycache__/os.cpython-314.pyc"


@pytest.fixture
def app(tmp_path: Path) -> FakeBuild:
    build = fake_build(tmp_path, FakeManager({}))
    files = {**FILES, "python/lib/python3.14/abc.py": "", "python/VERSION": "3.14.6"}
    content = archive(files, {"python/bin/python3": "python3.14"})
    (tmp_path / "python.tar.gz").write_bytes(content)
    build.release = replace(
        build.release,
        url=(tmp_path / "python.tar.gz").as_uri(),
        sha256=hashlib.sha256(content).hexdigest(),
    )
    build.programs = Programs(lambda command: compiling(build, command))
    return build


def compiling(app: FakeBuild, command: Command) -> Outcome:
    """Answer as an interpreter whose compiler writes the bytecode of one module."""
    if "-c" in command.argv:
        return Outcome(0, "3.14.6\n")
    bytecode = app.layers / "python" / BYTECODE
    bytecode.parent.mkdir(exist_ok=True)
    bytecode.write_bytes(b"bytecode")
    return Outcome(0, "1 0\n")


def new_store(app: FakeBuild) -> Store:
    directory = app.layers / "deps"
    directory.mkdir(exist_ok=True)
    return Store(directory)


def downloaded(app: FakeBuild) -> PythonFiles:
    files = python_install.materialize(app.runtime, new_store(app), app.system())
    files.complete()
    return files


def cached(app: FakeBuild) -> PythonFiles:
    """Return the files as they are after a build that takes them from the store."""
    store, runtime = new_store(app), app.runtime
    files = python_install.materialize(runtime, store, app.system())
    files.complete()
    files.archive_to_store()
    python.finish(runtime, python.ALL_PARTS, build=False)
    manifest = store.close((), {runtime.archive}, ())
    reread = new_store(app)
    assert not isinstance(reread.read(manifest), Damaged)
    files = python_install.materialize(app.runtime, reread, app.system())
    files.complete()
    assert app.log.lines[-1] == "Using cached Python 3.14.6"
    return files


def change(path: Path) -> None:
    """Change a file, and set its times back."""
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    os.utime(path, ns=times)


def replace_by_link(path: Path) -> None:
    content = path.read_bytes()
    path.unlink()
    copy = path.with_name("copy")
    copy.write_bytes(content)
    path.symlink_to("copy")


def link_elsewhere(path: Path, target: str) -> None:
    path.unlink()
    path.symlink_to(target)


def replace_by_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def move_behind_a_link(layer: Path) -> None:
    layer.rename(layer.with_name("moved"))
    layer.symlink_to("moved")


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


EVERYTHING = {
    *(".", "bin", "bin/python3", "bin/python3.14", "VERSION", "lib", LIBRARY),
    *(f"{LIBRARY}/__pycache__", BYTECODE, f"{LIBRARY}/abc.py", f"{LIBRARY}/os.py"),
    f"{LIBRARY}/_sysconfigdata__x.py",
}
ATTACKS: dict[str, tuple[str, Callable[[Path], object], set[str]]] = {
    "changed module": (f"{LIBRARY}/os.py", change, {f"{LIBRARY}/os.py"}),
    "changed program": ("bin/python3.14", change, {"bin/python3.14"}),
    "changed bytecode": (BYTECODE, change, {BYTECODE}),
    "added module": (
        f"{LIBRARY}/sitecustomize.py",
        lambda path: path.write_text("evil"),
        {f"{LIBRARY}/sitecustomize.py"},
    ),
    "added bytecode": (
        f"{LIBRARY}/__pycache__/abc.cpython-314.pyc",
        lambda path: path.write_text("evil"),
        {f"{LIBRARY}/__pycache__/abc.cpython-314.pyc"},
    ),
    "added directory": (
        f"{LIBRARY}/site-packages",
        lambda path: path.mkdir(),
        {f"{LIBRARY}/site-packages"},
    ),
    "removed file": (f"{LIBRARY}/os.py", Path.unlink, {f"{LIBRARY}/os.py"}),
    "changed mode": (
        f"{LIBRARY}/os.py",
        lambda path: path.chmod(0o666),
        {f"{LIBRARY}/os.py"},
    ),
    "replaced link": (
        "bin/python3",
        lambda path: link_elsewhere(path, "/tmp/evil"),
        {"bin/python3"},
    ),
    "link in place of a file": (
        f"{LIBRARY}/os.py",
        replace_by_link,
        {f"{LIBRARY}/copy", f"{LIBRARY}/os.py"},
    ),
    "pipe in place of a file": (f"{LIBRARY}/os.py", replace_by_pipe, {f"{LIBRARY}/os.py"}),
    "directory in place of a file": (
        f"{LIBRARY}/os.py",
        replace_by_directory,
        {f"{LIBRARY}/os.py"},
    ),
    "nothing left": (
        ".",
        shutil.rmtree,
        EVERYTHING,
    ),
    "link in place of the layer": (
        ".",
        move_behind_a_link,
        EVERYTHING,
    ),
}


@pytest.mark.parametrize("made", [downloaded, cached])
@pytest.mark.parametrize("attack", ATTACKS)
def test_changes_are_named_and_undone(
    attack: str, made: Callable[[FakeBuild], PythonFiles], app: FakeBuild
) -> None:
    files, layer = made(app), app.layers / "python"
    before = contents(layer)
    path, attacking, expected = ATTACKS[attack]
    attacking(layer / path)

    changed = files.verify()

    assert set(changed) == expected
    assert contents(layer) == before
    assert not layer.is_symlink()
    assert files.verify() == ()


def test_files_that_nothing_changed_are_not_written_again(app: FakeBuild) -> None:
    files = downloaded(app)
    lines = [*app.log.lines]

    assert files.verify() == ()
    assert app.log.lines == lines


def test_without_the_stores_archive_python_is_downloaded_again(app: FakeBuild) -> None:
    files, layer = cached(app), app.layers / "python"
    before = contents(layer)
    for path in (app.layers / "deps").glob("*.tar.zst"):
        path.write_bytes(b"evil")
    change(layer / LIBRARY / "os.py")

    changed = files.verify()

    assert changed == (f"{LIBRARY}/os.py",)
    assert "Downloading Python 3.14.6" in app.log.lines
    assert contents(layer) == before


def test_bytecode_is_compiled_of_verified_modules(app: FakeBuild) -> None:
    files = python_install.materialize(app.runtime, new_store(app), app.system())
    (app.layers / "python" / LIBRARY / "os.py").write_text("evil")
    (app.layers / "python" / BYTECODE).parent.mkdir()
    (app.layers / "python" / BYTECODE).write_text("evil")

    changed = files.verify()
    files.complete()

    assert set(changed) == {f"{LIBRARY}/os.py", f"{LIBRARY}/__pycache__", BYTECODE}
    assert (app.layers / "python" / LIBRARY / "os.py").read_text() == "# os"
    assert (app.layers / "python" / BYTECODE).read_bytes() == b"bytecode"


@pytest.mark.parametrize(
    "attacking",
    [change, Path.unlink, replace_by_link, replace_by_pipe, lambda path: path.write_text("long")],
    ids=["changed", "removed", "link", "pipe", "longer"],
)
def test_a_changed_file_never_gets_into_the_store(
    attacking: Callable[[Path], object], app: FakeBuild
) -> None:
    store = new_store(app)
    files = python_install.materialize(app.runtime, store, app.system())
    attacking(app.layers / "python" / LIBRARY / "os.py")

    files.archive_to_store()

    assert app.log.lines[-1] == f"Not storing Python: {LIBRARY}/os.py was changed"
    assert not store.trees
    assert [*store.directory.iterdir()] == []


def test_an_added_file_never_gets_into_the_store(app: FakeBuild) -> None:
    store, layer = new_store(app), app.layers / "python"
    files = python_install.materialize(app.runtime, store, app.system())
    before = contents(layer)
    (layer / LIBRARY / "sitecustomize.py").write_text("evil")

    files.archive_to_store()
    files.restore()

    assert contents(layer) == before
