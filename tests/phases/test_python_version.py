"""Which Python is installed, from where, and the errors if that fails."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.builds import BUILDPACK, Builds, free_port
from tests.support.trees import App, Files, write_files
from tools.platforms import oci
from tools.processes import run
from tools.pythons import interpreters, mirror, runtimes

SPOILT = b"not what it was"
OLDER, NEWER = mirror.VERSIONS
NO_PACKAGES = {"requirements.txt": "", "Procfile": "web: python -m http.server $PORT"}


def test_setting_takes_precedence_over_the_file(builds: Builds, app: App) -> None:
    source = app({**NO_PACKAGES, ".python-version": "3.14\n"})
    built = builds.phases(source, env={"BP_PYTHON_VERSION": "3.13.99"})
    assert built.error.startswith(
        "There is no Python 3.13.99\n\nFound:    3.13.99 (the setting BP_PYTHON_VERSION).\n"
    )


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        (
            "3.13.99\n",
            """\
There is no Python 3.13.99

Found:    3.13.99 (.python-version, line 1).
Expected: a release of Python 3.13. The newest: 3.13.13

To fix this:
  - Change it to 3.13, which is always the newest release of that line.
  - Or change it to a release that exists.
  - Or if it was released recently, update the buildpack.""",
        ),
        (
            "3.99\n",
            """\
Python 3.99 is newer than this release of the buildpack

Found:    3.99 (.python-version, line 1).
Expected: one of 3.14, 3.13.

To fix this:
  - Update the buildpack, if that Python has been released.
  - Or change the version in .python-version, line 1 to one of these.""",
        ),
        (
            "# legacy\n2.8\n",
            """\
There is no Python 2.8

Found:    2.8 (.python-version, line 2).
Expected: one of 3.14, 3.13.

To fix this:
  - Change the version in .python-version, line 2 to one of these.""",
        ),
        (
            "3.9\n",
            """\
Python 3.9 reached its end of life on 2025-10-31

Found:    3.9 (.python-version, line 1).
Expected: one of 3.14, 3.13.
It gets no security fixes any more, so this buildpack does not install it.

To fix this:
  - Move the app to a supported version, and change the version in .python-version, line 1: 3.14\
""",
        ),
        (
            ">=3.13\n",
            """\
'>=3.13' is not a Python version

Found:    '>=3.13' (.python-version, line 1).
Expected: a release line such as 3.14, or a release such as 3.14.6. Ranges, wildcards and\
 pre-releases are not allowed here.

To fix this:
  - Write only digits and dots, without quotes, prefix or comment: 3.13""",
        ),
        (
            "3.13\n3.14\n",
            """\
.python-version names 2 Python versions

Found:
  line 1: 3.13
  line 2: 3.14
Expected: one version, since an image has one Python.

To fix this:
  - Keep the version the app runs on, and delete the others in .python-version.""",
        ),
        (
            "",
            """\
.python-version names no Python version

Found:    only blank lines and comments, if any.
Expected: a release line such as 3.14, or a release such as 3.14.6.

To fix this:
  - Write the version that you want into it: echo 3.14 > .python-version
  - Or delete .python-version to use the default version of this buildpack.""",
        ),
    ],
)
def test_unavailable_version_is_an_error(
    builds: Builds, app: App, text: str, explanation: str
) -> None:
    built = builds.phases(app({**NO_PACKAGES, ".python-version": text}))
    assert built.error == explanation
    assert built.documents() == {}


def test_unreachable_mirror_is_retried_and_named(builds: Builds, app: App) -> None:
    dead = f"http://127.0.0.1:{free_port()}/python.toml"
    built = builds.phases(app(NO_PACKAGES), env={"BP_PYTHON_MIRROR": dead})
    title, body, steps = built.error.split("\n\n")
    assert title == "The table of Python releases could not be downloaded"
    assert body.startswith(f"{dead}: ")
    assert "onnection refused" in body
    assert steps == (
        "To fix this:\n"
        "  - Build again: the failure may have been temporary.\n"
        "  - Or if builds reach the network through a proxy, set HTTPS_PROXY for them.\n"
        "  - Or if builds have no network, name a mirror of the Python releases in"
        " BP_PYTHON_MIRROR, or use an offline package of this buildpack."
    )


def test_file_missing_on_the_mirror_is_named(builds: Builds, app: App, tmp_path: Path) -> None:
    table = runtimes.table([(NEWER, oci.arch(), interpreters.archive(NEWER, oci.arch()))])
    with mirror.serving(write_files(tmp_path / "mirror", {"python.toml": table})) as url:
        built = builds.phases(app(NO_PACKAGES), env={"BP_PYTHON_MIRROR": f"{url}/python.toml"})
    assert built.error.startswith(
        f"Python {NEWER} could not be downloaded\n\n{url}/cpython-{NEWER}"
    )
    assert "- Check that the mirror in use has the file." in built.error


def test_archive_with_another_hash_is_refused(builds: Builds, app: App, tmp_path: Path) -> None:
    archive = interpreters.archive(NEWER, oci.arch())
    table = runtimes.table([(NEWER, oci.arch(), archive)])
    files: Files = {"python.toml": table, archive.name: SPOILT}
    with mirror.serving(write_files(tmp_path / "mirror", files)) as url:
        built = builds.phases(app(NO_PACKAGES), env={"BP_PYTHON_MIRROR": f"{url}/python.toml"})
    assert built.error == (
        f"Python {NEWER} has the wrong checksum\n\n"
        f"Address:  {url}/{archive.name}\n"
        f"Found:    sha256 {_sha256(SPOILT)}\n"
        f"Expected: sha256 {_sha256(archive.read_bytes())}\n"
        "The file was not used. It may be an error page of a proxy, incomplete, or tampered"
        " with.\n\n"
        "To fix this:\n"
        "  - Find out what the server sends: curl -L ADDRESS | sha256sum\n"
        "  - Or if it comes from your own mirror (BP_PYTHON_MIRROR), copy the file to it again."
    )
    assert not (built.layers / "python").exists()


def test_full_disk_is_an_error(builds: Builds, app: App, small_disk: Path) -> None:
    built = builds.phases(app(NO_PACKAGES), layers=small_disk)
    assert built.error == (
        "The disk is full\n\n"
        f"No space was left while unpacking Python {NEWER} into /layers/{BUILDPACK}/python.\n\n"
        "To fix this:\n"
        "  - Free space on the machine that runs the build: docker system df\n"
        "  - Or give the build a larger disk.\n"
        "  - Or remove large packages that the image does not need from the requirements."
    )
    assert built.documents() == {}


@pytest.fixture
def small_disk(builds: Builds, tmp_path: Path) -> Iterator[Path]:
    """A file system of 20 MB that the build's user owns."""
    directory = tmp_path / "disk"
    directory.mkdir()
    owner = f"uid={builds.platform.user},gid={builds.platform.group}"
    run("mount", "-t", "tmpfs", "-o", f"size=20m,{owner}", "cnb-python-test", directory)
    try:
        yield directory
    finally:
        run("umount", directory)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
