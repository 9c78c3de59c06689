"""Bindings and variables that mirror downloads."""

from pathlib import Path

import pytest

from cnb_python.cnb.bindings import Binding, read_bindings
from cnb_python.errors.downloads import BadMirror
from cnb_python.python.mirror import DOWNLOADS, download_url
from cnb_python.python.releases import Release
from tests.support.messages import text_of
from tests.support.trees import Files, write_files

FILE = "20261021/cpython-3.14.9%2B20261021-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
RELEASE = Release("3.14.9", "amd64", "plain", f"{DOWNLOADS}/{FILE}", "a" * 64)
PATH = f"/astral-sh/python-build-standalone/releases/download/{FILE}"


def bound(directory: Path, **bindings: Files) -> tuple[Binding, ...]:
    for name, files in bindings.items():
        write_files(directory / name, files)
    return read_bindings(directory)


def mirrored(directory: Path, **entries: str) -> str:
    binding: Files = {"type": "dependency-mirror", **entries}
    return download_url(RELEASE, bound(directory, mirrors=binding), {})


def test_without_mirrors_a_release_has_its_own_url() -> None:
    assert download_url(RELEASE, (), {}) == RELEASE.url


def test_a_mapping_names_the_download_url_a_file_by_its_hash(tmp_path: Path) -> None:
    mapping: Files = {
        "type": "dependency-mapping",
        "a" * 64: "https://me:s3cret@files.example/py.tar.gz\n",
        "b" * 64: "https://files.example/other",
    }

    url = download_url(RELEASE, bound(tmp_path, ours=mapping), {"BP_DEPENDENCY_MIRROR": "x"})

    assert url == "https://me:s3cret@files.example/py.tar.gz"


@pytest.mark.parametrize(
    ("mirror", "start"),
    [
        ("https://mirror.example", "https://mirror.example"),
        ("https://mirror.example/", "https://mirror.example"),
        ("https://me:s3cret@mirror.example/all/\n", "https://me:s3cret@mirror.example/all"),
        ("https://mirror.example/{originalHost}", "https://mirror.example/github.com"),
        ("file:///srv/{originalHost}/", "file:///srv/github.com"),
        ("http://10.0.0.7:8080/x", "http://10.0.0.7:8080/x"),
    ],
)
def test_a_mirror_replaces_the_host(mirror: str, start: str, tmp_path: Path) -> None:
    assert mirrored(tmp_path, default=mirror) == f"{start}{PATH}"


def test_a_mirror_of_the_host_wins_over_one_of_all_hosts(tmp_path: Path) -> None:
    entries = {"default": "https://all.example", "GitHub.com": "https://one.example"}

    assert mirrored(tmp_path, **entries) == f"https://one.example{PATH}"


def test_a_mirror_of_another_host_has_no_effect(tmp_path: Path) -> None:
    assert mirrored(tmp_path, **{"files.example": "https://one.example"}) == RELEASE.url


def test_variables_win_over_bindings(tmp_path: Path) -> None:
    bindings = bound(
        tmp_path, mirrors={"type": "dependency-mirror", "github.com": "https://bound.example"}
    )
    environ = {"BP_DEPENDENCY_MIRROR_GITHUB_COM": "https://named.example"}

    assert download_url(RELEASE, bindings, environ) == f"https://named.example{PATH}"
    assert download_url(RELEASE, (), {"BP_DEPENDENCY_MIRROR": "https://all.example"}) == (
        f"https://all.example{PATH}"
    )
    assert download_url(RELEASE, (), {"BP_DEPENDENCY_MIRROR": " "}) == RELEASE.url
    assert (
        download_url(RELEASE, (), {"BP_DEPENDENCY_MIRROR_MY__HOST_X": "https://x"}) == RELEASE.url
    )


def test_a_url_of_the_setting_mirror_is_not_mirrored_again(tmp_path: Path) -> None:
    release = Release("3.14.9", "amd64", "plain", "https://ours.example/py.tar.gz", "a" * 64)
    mirror: Files = {"type": "dependency-mirror", "default": "https://mirror.example"}

    assert download_url(release, bound(tmp_path, mirrors=mirror), {}) == release.url


@pytest.mark.parametrize(
    "address",
    [
        "ftp://me:s3cret@x/y",
        "me:s3cret@mirror.example/py",
        "https://me:s3cret@x:999999/",
        "https://",
        "",
    ],
)
@pytest.mark.parametrize("kind", ["dependency-mapping", "dependency-mirror"])
def test_an_invalid_url_is_refused_without_its_secrets(
    address: str, kind: str, tmp_path: Path
) -> None:
    bindings = bound(tmp_path, mine={"type": kind, "default": address, "a" * 64: address})
    with pytest.raises(BadMirror) as caught:
        download_url(RELEASE, bindings, {})

    message = caught.value.describe()
    assert caught.value.origin == "the binding mine"
    assert "s3cret" not in text_of(message)
