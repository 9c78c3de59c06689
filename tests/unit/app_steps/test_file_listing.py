"""Listings of an app directory are compared by files and links."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.app_steps import file_listing
from cnb_python.app_steps.file_trees import FileTree
from tests.support.trees import deep


@pytest.fixture
def app(tmp_path: Path) -> Path:
    (tmp_path / "shop/static").mkdir(parents=True)
    (tmp_path / "shop/settings.py").write_text("DEBUG = False", encoding="utf-8")
    (tmp_path / "manage.py").symlink_to("shop/manage.py")
    (tmp_path / "large.bin").write_bytes(bytes(1024 * 1024 + 1))
    return tmp_path


def rewritten(app: Path) -> None:
    (app / "shop/settings.py").write_text("DEBUG = True!", encoding="utf-8")


def rewritten_at_its_end(app: Path) -> None:
    (app / "large.bin").write_bytes(bytes(1024 * 1024) + b"1")


def executable(app: Path) -> None:
    (app / "shop/settings.py").chmod(0o755)


def relinked(app: Path) -> None:
    (app / "manage.py").unlink()
    (app / "manage.py").symlink_to("./shop/manage.py")


def renamed(app: Path) -> None:
    (app / "shop/settings.py").rename(app / "shop/setting.py")


def hidden(app: Path) -> None:
    (app / ".env").write_text("DEBUG=1", encoding="utf-8")


@pytest.mark.parametrize(
    "change", [rewritten, rewritten_at_its_end, executable, relinked, renamed, hidden]
)
def test_digest_changes_with_every_change(app: Path, change: Callable[[Path], None]) -> None:
    before = file_listing.digest(file_listing.listing(app))
    change(app)
    assert file_listing.digest(file_listing.listing(app)) != before


def test_digest_ignores_times_and_permissions(app: Path) -> None:
    before = file_listing.digest(file_listing.listing(app))
    (app / "shop/settings.py").touch()
    (app / "shop/settings.py").chmod(0o600)
    (app / "shop").chmod(0o700)
    assert file_listing.digest(file_listing.listing(app)) == before


def test_digest_covers_only_the_commit_of_git(app: Path) -> None:
    (app / ".git/refs/heads").mkdir(parents=True)
    (app / ".git/HEAD").write_text("ref: refs/heads/main", encoding="utf-8")
    before = file_listing.digest(file_listing.listing(app))
    (app / ".git/index").write_bytes(b"times")
    assert file_listing.digest(file_listing.listing(app)) == before
    (app / ".git/refs/heads/main").write_text("12ab", encoding="utf-8")
    assert file_listing.digest(file_listing.listing(app)) != before


def test_added_lists_new_and_changed_paths(app: Path) -> None:
    before = file_listing.listing(app)
    (app / "staticfiles/css").mkdir(parents=True)
    (app / "staticfiles/css/a.css").touch()
    executable(app)
    assert file_listing.added(before, file_listing.listing(app)) == (
        "shop/settings.py",
        "staticfiles",
        "staticfiles/css",
        "staticfiles/css/a.css",
    )


def test_added_is_none_if_a_path_was_removed(app: Path) -> None:
    before = file_listing.listing(app)
    (app / "large.bin").unlink()
    assert file_listing.added(before, file_listing.listing(app)) is None


def test_normalize_sets_the_modes_of_an_image(app: Path) -> None:
    root = app / "out/css"
    root.mkdir(parents=True)
    (root / "a.css").touch()
    (root / "run").touch()
    (root / "link").symlink_to("nowhere")
    (root / "a.css").chmod(0o640)
    (root / "run").chmod(0o700)
    root.chmod(0o2770)

    file_listing.normalize(app, ("out/css/a.css", "out/css/run", "out/css/link"))

    modes = [path.stat().st_mode & 0o7777 for path in (root, root / "a.css", root / "run")]
    assert modes == [0o755, 0o644, 0o755]


def test_directories_of_any_depth_are_listed(tmp_path: Path) -> None:
    directory = deep(tmp_path, 1500)
    (directory / "file").touch()

    files = file_listing.listing(tmp_path)

    assert len(files) == 1501
    assert FileTree(files, tmp_path).names("/".join("a" * 1500)) == {"file"}
