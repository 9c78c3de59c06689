"""What uv compiled from requirements files becomes pins."""

from pathlib import Path

import pytest

from cnb_python.errors.inputs import UnreadableToml
from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.pylock_file import read_compiled
from cnb_python.managers.source_lines import OwnLines

ONE, TWO = "ab" * 32, "cd" * 32
NOTHING = OwnLines((), {}, {}, {})


def pin(tmp_path: Path, package: str, own: OwnLines = NOTHING) -> Pin:
    lock = tmp_path / "pylock.toml"
    lock.write_text(f'lock-version = "1.0"\n[[packages]]\nname = "my-lib"\n{package}\n')
    (pinned,) = read_compiled(lock, own).pins
    return pinned


def test_release_has_all_its_hashes(tmp_path: Path) -> None:
    pinned = pin(
        tmp_path,
        f"""\
version = "1.0"
index = "https://index.example.org/simple"
sdist = {{ url = "https://x.example/a.tar.gz", hashes = {{ sha256 = "{TWO}" }} }}
wheels = [{{ url = "https://x.example/a.whl", hashes = {{ sha256 = "{ONE}" }} }}]""",
    )

    assert pinned.line == f"my-lib==1.0 --hash=sha256:{ONE} --hash=sha256:{TWO}"
    assert pinned.is_cacheable


def test_hashes_of_the_apps_lines_are_stronger_than_those_of_uv(tmp_path: Path) -> None:
    table = f"""\
version = "1.0"
wheels = [{{ url = "https://x.example/a.whl", hashes = {{ sha256 = "{ONE}" }} }}]"""
    pinned = pin(tmp_path, table, NOTHING._replace(hashes={"my-lib": (f"sha256:{TWO}",)}))

    assert pinned.line == f"my-lib==1.0 --hash=sha256:{TWO}"
    assert pinned.origin != pin(tmp_path, table).origin


def test_release_without_hashes_is_not_cacheable(tmp_path: Path) -> None:
    pinned = pin(tmp_path, 'version = "1.0"\nsdist = { url = "https://x.example/a.tar.gz" }')

    assert (pinned.line, pinned.is_cacheable) == ("my-lib==1.0", False)


@pytest.mark.parametrize(
    ("editable", "form"), [("false", "my-lib @ file://{}"), ("true", "-e {}")]
)
def test_directory_is_installed_from_its_path(tmp_path: Path, editable: str, form: str) -> None:
    pinned = pin(tmp_path, f'directory = {{ path = "../lib", editable = {editable} }}')

    assert (pinned.line, pinned.is_cacheable) == (form.format(tmp_path.parent / "lib"), False)


def test_repository_is_pinned_by_its_commit(tmp_path: Path) -> None:
    pinned = pin(
        tmp_path,
        """\
vcs = { type = "git", url = "https://git.example.org/lib.git", requested-revision = "main", \
commit-id = "c0ffee", subdirectory = "a" }""",
    )

    assert pinned.line == "my-lib @ git+https://git.example.org/lib.git@c0ffee#subdirectory=a"
    assert pinned.is_cacheable


def test_archive_is_pinned_by_its_hash(tmp_path: Path) -> None:
    url, path = (
        pin(tmp_path, f'archive = {{ {where}, hashes = {{ sha256 = "{ONE}" }} }}')
        for where in ('url = "https://x.example/a.zip"', 'path = "a.zip"')
    )

    assert url.line == f"my-lib @ https://x.example/a.zip --hash=sha256:{ONE}"
    assert path.line == f"my-lib @ {(tmp_path / 'a.zip').as_uri()} --hash=sha256:{ONE}"


def test_line_of_the_app_is_preferred(tmp_path: Path) -> None:
    line = "git+https://${TOKEN}@git.example.org/lib.git"
    own = OwnLines((), {}, {"https://git.example.org/lib.git": line}, {})
    vcs = 'vcs = { type = "git", url = "https://git.example.org/lib.git", commit-id = "c0ffee" }'

    assert pin(tmp_path, vcs, own).line == line


def test_resolution_is_by_uv_and_not_from_files_alone(tmp_path: Path) -> None:
    lock = tmp_path / "pylock.toml"
    lock.write_text("")

    assert read_compiled(lock, NOTHING) == Resolution((), from_files_alone=False, by="uv")


def test_missing_lock_is_reported(tmp_path: Path) -> None:
    with pytest.raises(UnreadableToml):
        read_compiled(tmp_path / "missing.toml", NOTHING)
