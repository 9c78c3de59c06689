"""What foreign code does to the entries of the layers directory is undone."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.errors.packages.foreign_code import LayersDirectoryReplaced
from cnb_python.install import foreign_files
from tests.support.fake_system import Log
from tests.support.trees import Files, write_files

LAYERS: Files = {
    "python/bin/python": "",
    "python.toml": "[types]\nlaunch = true\n",
    "deps.toml": "[metadata]\ndigest = '1'\n",
    "deps/archive": "1",
    "store.toml": "[metadata]\n",
    ".cnb-python-work/x": "",
}
type Change = Callable[[Path], object]


def pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


@pytest.fixture
def layers(tmp_path: Path) -> Path:
    return write_files(tmp_path / "cnb-python_python", LAYERS)


def contents(layers: Path) -> dict[str, str | None]:
    """What every entry is: the text of files, None for directories."""
    assert not any(path.is_symlink() for path in layers.iterdir())
    return {
        path.name: None if path.is_dir() else path.read_text() for path in sorted(layers.iterdir())
    }


def undone(layers: Path, *changes: Change) -> foreign_files.Undone:
    before = foreign_files.entries(layers)
    for change in changes:
        change(layers)
    return foreign_files.remove_foreign(layers, before)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("evil.toml", lambda path: path.write_text("[types]\nlaunch = true\n")),
        ("launch.sbom.cdx.json", lambda path: path.write_text("{}")),
        ("build.toml", lambda path: path.write_text("")),
        ("deps-\n.toml", lambda path: path.write_text("")),
        ("deps-\udcff.toml", lambda path: path.write_text("")),
        ("evil", lambda path: (path / "env.launch").mkdir(parents=True)),
        ("venv", lambda path: path.symlink_to("/etc")),
        ("dangling.toml", lambda path: path.symlink_to("/nowhere")),
        ("pipe.toml", pipe),
        (".evil.partial", lambda path: path.mkdir()),
        (".pipe.partial", pipe),
    ],
)
def test_new_entry_is_removed_and_named(layers: Path, name: str, change: Change) -> None:
    before = contents(layers)

    assert undone(layers, lambda _: change(layers / name)) == ((name,), ())

    assert contents(layers) == before


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("python.toml", lambda path: path.write_text("[types]\nlaunch = false\n")),
        ("store.toml", lambda path: path.unlink()),
        ("deps.toml", lambda path: (path.unlink(), path.mkdir())),
        ("deps.toml", lambda path: (path.unlink(), path.symlink_to("python.toml"))),
        ("store.toml", lambda path: (path.unlink(), pipe(path))),
        ("store.toml", lambda path: path.chmod(0o600)),
        ("store.toml", lambda path: os.truncate(path, 1 << 40)),
        ("python", lambda path: path.chmod(0o700)),
        ("deps", shutil.rmtree),
        ("deps", lambda path: (shutil.rmtree(path), path.write_text(""))),
        ("deps", lambda path: (shutil.rmtree(path), path.symlink_to("/etc"))),
    ],
    ids=(
        "text",
        "gone",
        "directory",
        "link",
        "pipe",
        "mode",
        "size",
        "layer-mode",
        "no-layer",
        "file",
        "away",
    ),
)
def test_changed_entry_is_restored_and_named(layers: Path, name: str, change: Change) -> None:
    before, mode = contents(layers), (layers / name).stat().st_mode

    assert undone(layers, lambda _: change(layers / name)) == ((), (name,))

    assert contents(layers) == before
    assert (layers / name).stat().st_mode == mode


def test_directory_that_was_moved_is_removed_and_an_empty_one_restored(layers: Path) -> None:
    changes = undone(layers, lambda _: (layers / "deps").rename(layers / "old"))

    assert changes == (("old",), ("deps",))
    assert list((layers / "deps").iterdir()) == []


def test_exchanged_documents_are_restored(layers: Path) -> None:
    def exchange(_: Path) -> None:
        (layers / "deps.toml").rename(layers / "x")
        (layers / "store.toml").rename(layers / "deps.toml")
        (layers / "x").rename(layers / "store.toml")

    before = contents(layers)

    assert undone(layers, exchange) == ((), ("deps.toml", "store.toml"))
    assert contents(layers) == before


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda layers: os.utime(layers / "deps.toml"),
        lambda layers: (layers / "deps/archive").write_text("2"),
        lambda layers: layers.chmod(0o777),
    ],
    ids=("nothing", "time", "contents-of-layer", "mode"),
)
def test_nothing_is_named_if_the_entries_are_as_before(layers: Path, change: Change) -> None:
    mode = layers.stat().st_mode

    assert undone(layers, change) == ((), ())

    assert layers.stat().st_mode == mode


def test_draft_of_an_answer_stays(layers: Path) -> None:
    assert undone(layers, lambda _: (layers / ".answer.partial").write_text("{}")) == ((), ())

    assert (layers / ".answer.partial").exists()


def test_target_of_a_link_is_not_touched(layers: Path, tmp_path: Path) -> None:
    outside = write_files(tmp_path / "outside", {"file": "1"})
    (tmp_path / "outside").chmod(0o500)

    undone(layers, lambda _: (layers / "evil").symlink_to(outside))

    assert (outside / "file").read_text() == "1"
    assert outside.stat().st_mode & 0o777 == 0o500


@pytest.mark.parametrize(
    "change",
    [
        lambda layers: layers.rename(layers.with_name("other")),
        lambda layers: (layers.rename(layers.with_name("other")), layers.mkdir()),
        lambda layers: (
            layers.rename(layers.with_name("other")),
            layers.symlink_to(layers.with_name("other")),
        ),
    ],
    ids=("gone", "new", "link"),
)
def test_replaced_layers_directory_stops_the_build(layers: Path, change: Change) -> None:
    with pytest.raises(LayersDirectoryReplaced) as raised:
        undone(layers, change)

    assert raised.value.directory == str(layers)
    assert layers.name == "cnb-python_python"
    assert LayersDirectoryReplaced.example().directory == f"/layers/{layers.name}"


def test_one_warning_names_everything(layers: Path) -> None:
    log = Log()

    with foreign_files.undoing(layers, "uv pip install evil", log):
        for letter in "abcdefg":
            (layers / f"{letter}\x1b.toml").touch()
        (layers / "store.toml").unlink()

    (warning,) = log.lines
    assert warning.splitlines()[:3] == [
        "The directory of the image's layers was changed by uv pip install evil",
        "Removed:  a\\x1b.toml, b\\x1b.toml, c\\x1b.toml, d\\x1b.toml, e\\x1b.toml and 2 more.",
        "Restored: store.toml.",
    ]


def test_changes_are_undone_if_the_code_fails(layers: Path) -> None:
    before = contents(layers)

    def fail() -> None:
        with foreign_files.undoing(layers, "pip", Log()):
            (layers / "evil.toml").touch()
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert contents(layers) == before
