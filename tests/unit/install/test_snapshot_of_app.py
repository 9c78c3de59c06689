"""Files that build backends write into the app are removed, unless the app may need them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cnb_python.errors.packages.foreign_code import AppChangedByPackage
from cnb_python.install.snapshot import AppSnapshot
from tests.support.trees import Files, write_files

APP: Files = {
    "pyproject.toml": "",
    "shop/__init__.py": "",
    "old.egg-info/PKG-INFO": "1",
    "libs/core.py": "",
    "docs/build/index.html": "",
    ".git/index": "1",
}


def names(app: Path) -> list[str]:
    return sorted(path.relative_to(app).as_posix() for path in app.rglob("*") if path.is_file())


@pytest.fixture
def app(tmp_path: Path) -> Path:
    return write_files(tmp_path / "app", APP)


def built(app: Path, files: Files) -> AppSnapshot:
    """Return the snapshot of *app* after a build wrote *files*."""
    snapshot = AppSnapshot(app)
    snapshot.take()
    write_files(app, files)
    snapshot.clean()
    return snapshot


def test_build_artifacts_are_removed(app: Path) -> None:
    snapshot = built(
        app,
        {
            "shop.egg-info/PKG-INFO": "",
            "shop.egg-info/more/deep.txt": "",
            "build/lib/shop/__init__.py": "",
            "build/bdist.linux-x86_64": None,
            "libs/build/lib.linux-x86_64-cpython-314/x.so": "",
            "libs/build/temp.linux-x86_64-cpython-314/x.o": "",
            ".pdm-build/x": "",
            "shop/__pycache__/__init__.cpython-314.pyc": "",
            ".git/index": "2",
        },
    )

    assert names(app) == sorted(APP)
    assert snapshot.written == set()


def test_other_new_files_are_kept_and_listed(app: Path) -> None:
    new: Files = {
        "shop/_version.py": "1.0",
        "shop/fast.cpython-314-x86_64-linux-gnu.so": "",
        "build/notes.txt": "",
    }

    snapshot = built(app, new)

    assert names(app) == sorted((*APP, *new))
    assert snapshot.written == {*new, "build"}


def test_changed_files_are_kept_and_listed(app: Path) -> None:
    assert built(app, {"old.egg-info/PKG-INFO": "2"}).written == {"old.egg-info/PKG-INFO"}


def test_existing_files_are_never_removed(app: Path) -> None:
    write_files(app, {"build/lib/x.py": "", "a.egg-info/x": "", "b/__pycache__/x.pyc": ""})
    before = names(app)

    snapshot = built(app, {})

    assert names(app) == before
    assert snapshot.written == set()


def test_changes_between_installations_are_not_listed(app: Path) -> None:
    snapshot = built(app, {"shop/_version.py": "1.0"})
    write_files(app, {"static/site.css": ""})
    snapshot.take()
    write_files(app, {"shop.egg-info/PKG-INFO": ""})
    snapshot.clean()

    assert names(app) == sorted((*APP, "shop/_version.py", "static/site.css"))
    assert snapshot.written == {"shop/_version.py"}


def taken(app: Path) -> AppSnapshot:
    snapshot = AppSnapshot(app)
    snapshot.take()
    return snapshot


def test_everything_that_another_package_leaves_is_removed_and_named(app: Path) -> None:
    before = names(app)
    snapshot = taken(app)
    write_files(
        app,
        {
            "sitecustomize.py": "",
            "shop/_version.py": "1.0",
            "shop/.git/hooks/x": "",
            "evil.egg-info/PKG-INFO": "",
            "empty": None,
            "odd\n": "",
        },
    )
    (app / "shop/link").symlink_to("/etc/passwd")

    assert snapshot.remove_foreign("evil-sdist") == (
        *("empty", "evil.egg-info/PKG-INFO", "odd\n", "shop/.git/hooks/x", "shop/_version.py"),
        *("shop/link", "sitecustomize.py"),
    )
    assert names(app) == before
    assert not (app / "empty").exists()
    assert snapshot.written == set()


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_text("import evil"),
        lambda path: path.unlink(),
        lambda path: path.chmod(0o777),
        lambda path: (path.unlink(), path.symlink_to("/etc/passwd")),
        lambda path: path.write_text(path.read_text()),
    ],
    ids=("content", "removed", "mode", "link", "same-content"),
)
def test_file_of_the_app_that_another_package_changes_stops_the_build(
    app: Path, change: Callable[[Path], object]
) -> None:
    write_files(app, {"shop/settings.py": "DEBUG = 0"})
    snapshot = taken(app)
    change(app / "shop/settings.py")

    with pytest.raises(AppChangedByPackage) as raised:
        snapshot.remove_foreign("evil-sdist")

    assert vars(raised.value) == vars(AppChangedByPackage.example())


def test_git_at_the_top_may_change(app: Path) -> None:
    snapshot = taken(app)
    write_files(app, {".git/index": "2", ".git/new": ""})

    assert snapshot.remove_foreign("evil-sdist") == ()


def test_file_of_the_app_with_an_odd_name_is_named_in_ascii(app: Path) -> None:
    write_files(app, {"a\x1b.py": ""})
    snapshot = taken(app)
    (app / "a\x1b.py").unlink()

    with pytest.raises(AppChangedByPackage) as raised:
        snapshot.remove_foreign("evil-sdist")

    assert raised.value.path == "a\\x1b.py"
