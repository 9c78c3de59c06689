"""The lines that other tools export from their locks."""

from pathlib import Path

import pytest

from cnb_python.errors.locks import BadLock
from cnb_python.managers import exported_requirements
from cnb_python.managers.base import Pin, Resolution
from cnb_python.managers.pylock_file import Choice

HERE = Choice("3.13.1", "x86_64")
HASH = f"--hash=sha256:{'a' * 64}"
COMMIT = "0123456789" * 4


def read(text: str, beside: Path = Path("/app")) -> Resolution:
    return exported_requirements.read_export(text, "poetry.lock", beside, HERE, "poetry")


def pin(line: str, beside: Path = Path("/app")) -> Pin:
    (only,) = read(line, beside).pins
    return only


def test_a_release_with_hashes_is_certain() -> None:
    found = pin(f"Zope.Interface[test]==7.2 {HASH}")

    assert (found.name, found.version, found.is_cacheable) == ("zope-interface", "7.2", True)
    assert found.line == f"zope-interface[test]==7.2 {HASH}"


def test_one_without_hashes_is_not_kept() -> None:
    assert not pin("six==1.17.0").is_cacheable


def test_the_order_of_hashes_does_not_count() -> None:
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
def test_markers_are_those_of_the_app_s_python(marker: str, *, counts: bool) -> None:
    for space in (" ; ", "; "):
        assert bool(read(f"six==1.17.0{space}{marker} {HASH}").pins) is counts


def test_index_options_are_no_packages() -> None:
    text = f"--index-url https://one.example/simple\n--find-links vendor\nsix==1 {HASH}\n"

    resolution = read(text)

    assert [pin.name for pin in resolution.pins] == ["six"]
    assert resolution.by == "poetry"


def test_a_commit_is_certain_and_a_branch_is_not() -> None:
    address = "git+https://token@git.example/thing.git@"

    assert pin(f"thing @ {address}{COMMIT}").is_cacheable
    assert pin(f"thing @ {address}{COMMIT}#subdirectory=a").is_cacheable
    assert not pin(f"thing @ {address}main").is_cacheable


def test_a_login_of_an_address_is_no_part_of_its_origin() -> None:
    address = f"git.example/thing.git@{COMMIT}"

    one, two = (pin(f"thing @ git+https://{login}{address}") for login in ("a:b@", ""))

    assert one.origin == two.origin


def test_an_archive_needs_a_hash_to_be_kept() -> None:
    address = "thing @ https://files.example/thing-1.tar.gz"

    assert pin(f"{address} {HASH}").is_cacheable
    assert not pin(address).is_cacheable


@pytest.mark.parametrize(
    "line", ["./libs/core", "-e ./libs/core", "core @ file:///{app}/libs/core"]
)
@pytest.mark.parametrize("table", ["[project]\nname='core'", "[tool.poetry]\nname='core'"])
def test_a_directory_is_known_by_its_own_name(tmp_path: Path, line: str, table: str) -> None:
    (tmp_path / "libs/core").mkdir(parents=True)
    (tmp_path / "libs/core/pyproject.toml").write_text(table, "utf-8")

    found = pin(line.replace("/{app}", str(tmp_path)), tmp_path)

    assert (found.name, found.is_cacheable) == ("core", False)
    assert str(tmp_path / "libs/core") in found.line
    assert found.line.startswith("-e ") is line.startswith("-e ")


def test_a_directory_without_a_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadLock, match="does not name a package"):
        read("./libs/core", tmp_path)


def test_an_address_can_name_its_package_behind_it() -> None:
    found = pin(f"-e git+https://git.example/thing.git@{COMMIT}#egg=thing")

    assert found.name == "thing"
    assert found.line.startswith("-e git+https://")


@pytest.mark.parametrize("line", ["six>=1", "six", "six==1,==1.0", "!!"])
def test_what_is_no_single_release_is_refused(line: str) -> None:
    with pytest.raises(BadLock):
        read(line)


def test_two_that_apply_at_once_are_refused() -> None:
    with pytest.raises(BadLock, match="two of its entries for six"):
        read(f"six==1 {HASH}\nsix==2 {HASH}\n")


def test_the_same_twice_is_one() -> None:
    assert len(read(f"six==1 {HASH}\nsix==1 {HASH}\n").pins) == 1
