"""Finding and undoing changes by the app's code to the layers of the environment."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.errors.frameworks import PackagesChanged
from cnb_python.install.snapshot import Snapshot, states


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib/a.py").write_text("# a", encoding="utf-8")
    (tmp_path / "lib/b.py").symlink_to("a.py")
    return tmp_path


@pytest.fixture
def snapshot(layer: Path) -> Snapshot:
    before = Snapshot()
    before.add(layer)
    return before


def names(layer: Path) -> list[str]:
    return sorted(str(path.relative_to(layer)) for path in layer.rglob("*"))


def test_added_files_are_removed(layer: Path, snapshot: Snapshot) -> None:
    before = names(layer)
    (layer / "lib/__pycache__").mkdir()
    (layer / "lib/__pycache__/a.pyc").touch()
    (layer / "dropin.cache").touch()
    (layer / "lib/link").symlink_to("/")

    snapshot.remove_new(layer)

    assert names(layer) == before


def test_directory_outside_snapshot_is_kept(layer: Path) -> None:
    Snapshot().remove_new(layer)
    assert names(layer) == ["lib", "lib/a.py", "lib/b.py"]


def rewritten(layer: Path) -> None:
    (layer / "lib/a.py").write_text("# b", encoding="utf-8")


def replaced(layer: Path) -> None:
    (layer / "new").write_text("# a", encoding="utf-8")
    (layer / "new").rename(layer / "lib/a.py")


def removed(layer: Path) -> None:
    (layer / "lib/a.py").unlink()


def made_executable(layer: Path) -> None:
    (layer / "lib/a.py").chmod(0o755)


@pytest.mark.parametrize("change", [rewritten, replaced, removed, made_executable])
def test_changed_file_raises_packages_changed(
    layer: Path, snapshot: Snapshot, change: Callable[[Path], None]
) -> None:
    change(layer)

    with pytest.raises(PackagesChanged) as caught:
        snapshot.remove_new(layer)

    assert (caught.value.path, caught.value.count) == (str(layer / "lib/a.py"), 1)


def test_changed_directory_mode_raises_packages_changed(layer: Path, snapshot: Snapshot) -> None:
    (layer / "lib").chmod(0o700)
    with pytest.raises(PackagesChanged):
        snapshot.remove_new(layer)


def test_recorded_directory_is_removed_and_new_files_are_named(
    layer: Path, snapshot: Snapshot
) -> None:
    (layer / "lib/new").mkdir()
    (layer / "lib/new/six.py").touch()

    assert snapshot.remove_all(layer) == (str(layer / "lib/new/six.py"),)
    assert not layer.exists()


@pytest.mark.parametrize("change", [rewritten, replaced, removed, made_executable])
def test_changed_file_in_removed_directory_raises_packages_changed(
    layer: Path, snapshot: Snapshot, change: Callable[[Path], None]
) -> None:
    change(layer)

    with pytest.raises(PackagesChanged) as caught:
        snapshot.remove_all(layer)

    assert (caught.value.path, caught.value.count) == (str(layer / "lib/a.py"), 1)


def test_states_that_a_writer_recorded_are_compared(layer: Path) -> None:
    snapshot = Snapshot()
    snapshot.add(layer, states(layer))
    rewritten(layer)

    with pytest.raises(PackagesChanged):
        snapshot.remove_new(layer)
