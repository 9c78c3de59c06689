"""What uv's cache and pip's downloads show of the files behind distributions."""

from pathlib import Path

import pytest

from cnb_python.distributions.dist_info import commit_of, read_direct_url
from cnb_python.distributions.model import Material
from cnb_python.install import downloads
from cnb_python.managers.base import Pin

ONE, OTHER = "1" * 64, "2" * 64
SECRET = "s3cr3t-token"
# As uv 0.13.8 writes them: an archive, or the revision of an sdist, then rules for HTTP's caches.
WHEEL = (
    b"\x95\xb0yLD-s6WicaC1-AHi\x91\x81\xa6Sha256\xd9@%s\xbcflask-3.1.1-py3-none-any.whl\0%s\0\0"
)
SDIST = b"\x92\x92\xb0LC7G-cvezaTHJgTu\x91\x81\xa6Sha256\xd9@%s\xceP9Rv7SgihbKSAo8Iy4%s\0\0"
FLASK = "https://files.example/packages/3d/flask-3.1.1-py3-none-any.whl"


def pointer(cache: Path, path: str, content: bytes, digest: str, url: str) -> Path:
    file = cache / path
    file.parent.mkdir(parents=True)
    file.write_bytes(content % (digest.encode(), url.encode()))
    return file


def wheel_in(cache: Path, url: str = FLASK) -> None:
    path = "wheels-v7/pypi/flask/3.1.1-py3-none-any"
    pointer(cache, f"{path}.http", WHEEL, ONE, url)
    (cache / path).symlink_to("../../../archive-v0/yLD-s6WicaC1-AHi")


def test_wheel_is_found_by_the_directory_that_it_was_unpacked_into(tmp_path: Path) -> None:
    wheel_in(tmp_path)

    assert downloads.fetched(tmp_path) == {
        "yLD-s6WicaC1-AHi": Material("flask-3.1.1-py3-none-any.whl", FLASK, f"sha256:{ONE}")
    }


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"https://me:{SECRET}@files.example/x-1-py3-none-any.whl", "files.example/x-1"),
        (f"https://files.example/{SECRET}/x-1-py3-none-any.whl", "files.example/****/x-1"),
        (f"https://files.example/token/{SECRET}/x-1-py3-none-any.whl", "/token/****/x-1"),
    ],
)
def test_addresses_hold_no_secret(tmp_path: Path, url: str, shown: str) -> None:
    wheel_in(tmp_path, url)

    (material,) = downloads.fetched(tmp_path, (SECRET,)).values()

    assert shown in material.address
    assert SECRET not in repr(material)


def test_build_lists_its_sdist_and_what_that_needs(tmp_path: Path) -> None:
    url = "https://files.example/packages/markupsafe-3.0.2.tar.gz"
    pointer(tmp_path, "sdists-v10/index/1a/markupsafe/3.0.2/revision.http", SDIST, OTHER, url)
    wheel_in(tmp_path)

    assert downloads.of_build(tmp_path, "markupsafe") == (
        Material("flask-3.1.1-py3-none-any.whl", FLASK, f"sha256:{ONE}", builds=True),
        Material("markupsafe-3.0.2.tar.gz", url, f"sha256:{OTHER}"),
    )


def test_code_of_a_package_cannot_list_any_number_of_files(tmp_path: Path) -> None:
    for number in range(600):
        url = f"https://files.example/x{number}-1-py3-none-any.whl"
        pointer(tmp_path, f"wheels-v7/pypi/x{number}/1.http", WHEEL, ONE, url)
    url = "https://files.example/packages/markupsafe-3.0.2.tar.gz"
    pointer(tmp_path, "sdists-v10/index/1a/markupsafe/3.0.2/revision.http", SDIST, OTHER, url)

    found = downloads.of_build(tmp_path, "markupsafe")

    assert len(found) == 500
    assert [each.address for each in found if not each.builds] == [url]


@pytest.mark.parametrize("content", [b"", b"Sha256\xd9@zz", b"https://files.example/x.whl"])
def test_what_code_of_a_package_left_there_is_passed_over(tmp_path: Path, content: bytes) -> None:
    pointer(tmp_path, "wheels-v7/pypi/flask/1.http", WHEEL, ONE, FLASK).write_bytes(content)
    (tmp_path / "wheels-v7/pypi/flask/2.http").symlink_to("/dev/zero")
    (tmp_path / "wheels-v7/pypi/flask/3.http").mkdir()

    assert downloads.of_build(tmp_path, "flask") == ()
    assert downloads.fetched(tmp_path) == {}


def pin(line: str, address: str = "", *files: str) -> Pin:
    return Pin("six", "1.0", "origin", line, address=address, files=files)


def test_only_hash_of_a_pin_is_that_of_its_file() -> None:
    of_pin = pin(f"six==1.0 --hash=sha256:{ONE}", f"https://me:{SECRET}@pip.example/six-1.0.zip")

    assert downloads.of_pin(of_pin, None) == Material(
        "six-1.0.zip", "https://pip.example/six-1.0.zip", f"sha256:{ONE}"
    )


def test_hash_of_a_pin_in_the_form_of_a_lock() -> None:
    line = f'# pylock.toml\n[[packages]]\n[packages.archive.hashes]\nsha256 = "{ONE}"\n'

    material = downloads.of_pin(pin(line, "", "six-1.0-py3-none-any.whl"), None)

    assert material == Material("six-1.0-py3-none-any.whl", "", f"sha256:{ONE}")


def test_one_of_several_hashes_is_not_guessed() -> None:
    several = pin(f"six==1.0 --hash=sha256:{ONE} --hash=sha256:{OTHER}")

    assert downloads.of_pin(several, None) is None


def test_file_that_pip_downloaded_is_hashed(tmp_path: Path) -> None:
    file = tmp_path / "six-1.0-py3-none-any.whl"
    file.write_bytes(b"abc")

    material = downloads.of_pin(pin("six==1.0"), file)

    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert material == Material(file.name, "", f"sha256:{sha256}")


def test_commit_is_named_without_the_login_of_its_repository() -> None:
    content = (
        f'{{"url": "https://me:{SECRET}@git.example/team/tool.git",'
        f' "vcs_info": {{"vcs": "git", "commit_id": "{"a" * 40}"}}}}'
    )

    assert commit_of(read_direct_url(content.encode())) == Material(
        "tool.git", f"git+https://git.example/team/tool.git@{'a' * 40}", f"gitCommit:{'a' * 40}"
    )


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"url": "https://files.example/six-1.0.zip", "archive_info": {}}',
        b'{"url": "https://git.example/x", "vcs_info": {"vcs": "git"}}',
        b'{"url": "https://git.example/x", "vcs_info": "git"}',
    ],
)
def test_other_sources_name_no_commit(content: bytes) -> None:
    assert commit_of(read_direct_url(content)) is None
