"""The requirements lines that tools export from their lock files."""

from pathlib import Path

import pytest

from cnb_python.errors.locks import BadLock
from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.lock_export import ExportedLock, read_export
from cnb_python.managers.pylock_file import Choice

HERE = Choice("3.13.1", "x86_64")
HASH = f"--hash=sha256:{'a' * 64}"
COMMIT = "0123456789" * 4


def read(text: str, beside: Path = Path("/app"), **names: str) -> Resolution:
    """Read *text*; *names*: of the projects below *beside*, by their directories."""
    paths = {beside / directory: name for directory, name in names.items()}
    return read_export(text, ExportedLock("poetry.lock", beside, HERE, paths), "poetry")


def pin(line: str, beside: Path = Path("/app")) -> Pin:
    (only,) = read(line, beside).pins
    return only


def test_release_with_hashes_is_cacheable() -> None:
    pinned = pin(f"Zope.Interface[test]==7.2 {HASH}")

    assert (pinned.name, pinned.version, pinned.is_cacheable) == ("zope-interface", "7.2", True)
    assert pinned.line == f"zope-interface[test]==7.2 {HASH}"


def test_release_without_hashes_is_not_cacheable() -> None:
    assert not pin("six==1.17.0").is_cacheable


def test_order_of_hashes_does_not_change_the_origin() -> None:
    other = HASH.replace("a", "b")

    assert pin(f"six==1 {HASH} {other}").origin == pin(f"six==1 {other} {HASH}").origin


@pytest.mark.parametrize(
    ("marker", "counts"),
    [
        ('python_version < "3.13"', False),
        ('python_version >= "3.13" and sys_platform == "linux"', True),
        ('platform_machine == "aarch64"', False),
    ],
)
def test_markers_are_evaluated_for_the_apps_python(marker: str, *, counts: bool) -> None:
    for space in (" ; ", "; "):
        assert bool(read(f"six==1.17.0{space}{marker} {HASH}").pins) is counts


@pytest.mark.parametrize("marker", ["sys_platform ~= 'x'", "(" * 3000 + "os_name == 'a'", "'a'"])
def test_marker_that_cannot_be_evaluated_is_refused(marker: str) -> None:
    with pytest.raises(BadLock) as raised:
        read(f"six==1.0 ; {marker}")

    assert f"its marker {marker!r} cannot be used" in raised.value.problem


def test_index_options_are_not_packages() -> None:
    text = f"--index-url https://one.example/simple\n--find-links vendor\nsix==1 {HASH}\n"

    resolution = read(text)

    assert [pin.name for pin in resolution.pins] == ["six"]
    assert resolution.by == "poetry"


def test_commit_is_cacheable_and_branch_is_not() -> None:
    address = "git+https://token@git.example/thing.git@"

    assert pin(f"thing @ {address}{COMMIT}").is_cacheable
    assert pin(f"thing @ {address}{COMMIT}#subdirectory=a").is_cacheable
    assert not pin(f"thing @ {address}main").is_cacheable


def test_login_in_address_is_not_part_of_the_origin() -> None:
    address = f"git.example/thing.git@{COMMIT}"

    with_login, plain = (pin(f"thing @ git+https://{login}{address}") for login in ("a:b@", ""))

    assert with_login.origin == plain.origin


def test_archive_without_hash_is_not_cacheable() -> None:
    address = "thing @ https://files.example/thing-1.tar.gz"

    assert pin(f"{address} {HASH}").is_cacheable
    assert not pin(address).is_cacheable


@pytest.mark.parametrize(
    "line", ["./libs/core", "-e ./libs/core", "core @ file:///{app}/libs/core"]
)
@pytest.mark.parametrize("table", ["[project]\nname='core'", "[tool.poetry]\nname='core'"])
def test_directory_is_pinned_by_its_projects_name(tmp_path: Path, line: str, table: str) -> None:
    (tmp_path / "libs/core").mkdir(parents=True)
    (tmp_path / "libs/core/pyproject.toml").write_text(table, "utf-8")

    pinned = pin(line.replace("/{app}", str(tmp_path)), tmp_path)

    assert (pinned.name, pinned.is_cacheable) == ("core", False)
    assert str(tmp_path / "libs/core") in pinned.line
    assert pinned.line.startswith("-e ") is line.startswith("-e ")


def test_directory_without_project_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLock, match="does not name a package"):
        read("./libs/core", tmp_path)


def test_egg_fragment_names_the_package() -> None:
    pinned = pin(f"-e git+https://git.example/thing.git@{COMMIT}#egg=thing")

    assert pinned.name == "thing"
    assert pinned.line.startswith("-e git+https://")


@pytest.mark.parametrize("line", ["six>=1", "six", "six==1,==1.0", "!!"])
def test_line_without_single_release_is_refused(line: str) -> None:
    with pytest.raises(BadLock):
        read(line)


def test_two_entries_of_a_package_that_apply_are_refused() -> None:
    with pytest.raises(BadLock, match="two of its entries for six"):
        read(f"six==1 {HASH}\nsix==2 {HASH}\n")


def test_equal_entries_are_one_pin() -> None:
    assert len(read(f"six==1 {HASH}\nsix==1 {HASH}\n").pins) == 1


def test_name_in_the_lock_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    """A project with only a setup.py has no other place for it that can be read."""
    (tmp_path / "one").mkdir()

    (editable,) = read(f"-e {tmp_path.as_uri()}/one", tmp_path, one="One.Tool").pins
    (copied,) = read("./one", tmp_path, one="One.Tool").pins

    assert (editable.name, editable.line) == ("one-tool", f"-e {tmp_path}/one")
    assert copied.name == "one-tool"
    with pytest.raises(BadLock, match="does not name a package"):
        read("-e ./one", tmp_path)


def test_path_with_a_nul_is_refused() -> None:
    with pytest.raises(BadLock) as raised:
        read("-e ./a\0b")

    assert "is not a path" in raised.value.problem
