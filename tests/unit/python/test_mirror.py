"""The table of Python releases that counts, and bundled archives."""

from pathlib import Path

import pytest

from cnb_python.errors.downloads import UnusablePythonTable
from cnb_python.python.mirror import bundled_archive, find_inventory, own_inventory
from cnb_python.python.releases import Inventory
from cnb_python.system.interface import Download
from tests.support.inventory import release
from tests.support.messages import text_of

TABLE = f"""
[[release]]
version = "3.14.1"
arch = "amd64"
url = "builds/cpython-3.14.1%2B1.tar.gz"
sha256 = "{"0" * 64}"
"""


def refuse(download: Download, to: Path) -> None:
    pytest.fail(f"{download.url} was fetched to {to}")


def inventory_of(
    mirror: str, buildpack: Path, table: str | None = None
) -> tuple[Inventory, list[str]]:
    fetched: list[str] = []

    def fetch(download: Download, to: Path) -> None:
        fetched.append(download.url)
        assert table is not None
        to.write_text(table)

    return find_inventory(mirror, buildpack, fetch), fetched


def test_the_buildpacks_table_is_the_default(tmp_path: Path) -> None:
    assert find_inventory("", tmp_path, refuse) == own_inventory()


@pytest.mark.parametrize(
    ("mirror", "start"),
    [
        ("https://mirror.example/pbs", "https://mirror.example/pbs/"),
        ("https://mirror.example/pbs/", "https://mirror.example/pbs/"),
        ("https://me:secret@mirror.example", "https://me:secret@mirror.example/"),
        ("file:///srv/pbs", "file:///srv/pbs/"),
        ("/srv/my pythons", "file:///srv/my%20pythons/"),
    ],
)
def test_a_mirror_replaces_the_start_of_every_url(mirror: str, start: str, tmp_path: Path) -> None:
    inventory, fetched = inventory_of(mirror, tmp_path)

    ours = own_inventory().releases
    assert fetched == []
    assert [r.sha256 for r in inventory.releases] == [r.sha256 for r in ours]
    tail = ours[0].url.rpartition("/releases/download/")[2]
    assert inventory.releases[0].url == f"{start}{tail}"


def test_urls_in_a_downloaded_table_are_relative_to_it(
    tmp_path: Path,
) -> None:
    address = "https://me:secret@example.org/pythons/table.toml?token=1"
    inventory, fetched = inventory_of(address, tmp_path, TABLE)

    assert fetched == [address]
    (only,) = inventory.releases
    assert only.url == "https://me:secret@example.org/pythons/builds/cpython-3.14.1%2B1.tar.gz"
    assert inventory.origin == "https://example.org/pythons/table.toml"
    assert inventory.lines == own_inventory().lines


@pytest.mark.parametrize("form", ["{path}", "file://{path}"])
def test_a_local_table_is_not_downloaded(form: str, tmp_path: Path) -> None:
    path = tmp_path / "t.toml"
    path.write_text(TABLE)

    inventory, fetched = inventory_of(form.format(path=path), tmp_path)

    assert fetched == []
    assert inventory.releases[0].url == f"file://{tmp_path}/builds/cpython-3.14.1%2B1.tar.gz"


@pytest.mark.parametrize("mirror", ["mirror.example/pbs", "ftp://x/y", "pythons/t.toml"])
def test_an_unusable_url_is_refused(mirror: str, tmp_path: Path) -> None:
    with pytest.raises(UnusablePythonTable) as caught:
        inventory_of(mirror, tmp_path)

    assert "BP_PYTHON_MIRROR" in caught.value.problems[0]


def test_an_invalid_table_is_named_by_its_url(tmp_path: Path) -> None:
    with pytest.raises(UnusablePythonTable) as caught:
        inventory_of("https://example.org/t.toml", tmp_path, "<html>")

    assert caught.value.origin == "https://example.org/t.toml"


def test_the_table_of_an_offline_package_wins_over_the_buildpacks(tmp_path: Path) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes/python.toml").write_text(TABLE)

    (only,) = find_inventory("", tmp_path, refuse).releases

    assert only.url == f"file://{tmp_path}/runtimes/builds/cpython-3.14.1%2B1.tar.gz"


def test_the_setting_wins_over_an_offline_package(tmp_path: Path) -> None:
    (tmp_path / "runtimes").mkdir()
    (tmp_path / "runtimes/python.toml").write_text(TABLE)

    inventory, _ = inventory_of("https://mirror.example", tmp_path)

    assert len(inventory.releases) == len(own_inventory().releases)


@pytest.mark.parametrize("suffix", [".tar.gz", ".tar.zst"])
def test_a_bundled_archive_is_found_by_its_hash(suffix: str, tmp_path: Path) -> None:
    (tmp_path / "runtimes").mkdir()
    bundled = release("3.14.1")
    path = tmp_path / "runtimes" / f"{bundled.sha256}{suffix}"
    path.touch()

    assert bundled_archive(bundled, tmp_path) == path
    assert bundled_archive(release("3.14.2"), tmp_path) is None


@pytest.mark.parametrize(
    "address",
    ["https://u:s3cret@[bad/x", "https://mirror.example:999999/", "user:s3cret@mirror.example/py"],
)
def test_a_malformed_url_is_refused_without_its_password(address: str, tmp_path: Path) -> None:
    with pytest.raises(UnusablePythonTable) as raised:
        find_inventory(address, tmp_path, refuse)

    message = raised.value.describe()
    assert "s3cret" not in text_of(message)
