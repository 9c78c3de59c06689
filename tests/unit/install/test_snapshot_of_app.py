"""Files that build backends write into the app are removed, unless the app may need them."""

from pathlib import Path

import pytest

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
