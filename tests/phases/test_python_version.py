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
    asked = app({**NO_PACKAGES, ".python-version": "3.14\n"})
    built = builds.phases(asked, env={"BP_PYTHON_VERSION": "3.13.99"})
    assert built.error.startswith(
        "There is no Python 3.13.99\n\nIt is asked for by the setting BP_PYTHON_VERSION.\n"
    )


@pytest.mark.parametrize(
    ("text", "explanation"),
    [
        (
            "3.13.99\n",
            """\
There is no Python 3.13.99

It is asked for by .python-version, line 1.
The newest releases of Python 3.13 are 3.13.13.

What to do:
  1. Ask for 3.13 to get the newest of the line always, or for one of these.
  2. If it was released a short while ago, update the buildpack.""",
        ),
        (
            "3.99\n",
            """\
Python 3.99 is newer than this release of the buildpack

It is asked for by .python-version, line 1, but this release does not know it.
It knows 3.14, 3.13.

What to do:
  1. If it has been released, update the buildpack.
  2. Ask for one of these instead (.python-version, line 1).""",
        ),
        (
            "# legacy\n2.8\n",
            """\
There is no Python 2.8

It is asked for by .python-version, line 2, but no such line exists, or it is very old.
It knows 3.14, 3.13.

What to do:
  1. Ask for one of these instead (.python-version, line 2).""",
        ),
        (
            "3.9\n",
            """\
Python 3.9 has ended on 2025-10-31

It is asked for by .python-version, line 1.
Nobody mends its security holes since, so this buildpack no longer installs it.
Supported are 3.14, 3.13.

What to do:
  1. Move the app to a supported line; the newest is 3.14.
  2. Ask for it where 3.9 is asked for now: .python-version, line 1.""",
        ),
        (
            ">=3.13\n",
            """\
'>=3.13' is not a Python version

It is asked for by .python-version, line 1.
A version is a release line such as 3.14, or one release of it such as 3.14.6. Ranges, wildcards,\
 pre-releases and other words are not understood there.

What to do:
  1. Write digits and dots alone, without quotes, prefix or comment behind: 3.13""",
        ),
        (
            "3.13\n3.14\n",
            """\
.python-version names 2 Python versions

  line 1: 3.13
  line 2: 3.14
An image has one Python, so the file must name exactly one.

What to do:
  1. Keep the one the app runs on and delete the other lines of .python-version.""",
        ),
        (
            "",
            """\
.python-version names no Python version

It is empty, or holds blank lines and comments alone. A version is a release line such as 3.14, or\
 one release of it such as 3.14.6.

What to do:
  1. Write the line you want into it: echo 3.14 > .python-version
  2. Or delete .python-version to get this buildpack's default.""",
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
    assert title == "The table of Python releases could not be fetched"
    assert body.startswith(f"{dead}: ")
    assert "onnection refused" in body
    assert steps == (
        "What to do:\n"
        "  1. Build again: such faults often pass.\n"
        "  2. If builds reach the network through a proxy, give them HTTPS_PROXY.\n"
        "  3. If they reach none, name a copy of the releases with the setting BP_PYTHON_MIRROR,"
        " or use an offline package of this buildpack."
    )


def test_file_missing_on_the_mirror_is_named(builds: Builds, app: App, tmp_path: Path) -> None:
    table = runtimes.table([(NEWER, oci.arch(), interpreters.archive(NEWER, oci.arch()))])
    with mirror.serving(write_files(tmp_path / "mirror", {"python.toml": table})) as url:
        built = builds.phases(app(NO_PACKAGES), env={"BP_PYTHON_MIRROR": f"{url}/python.toml"})
    assert built.error.startswith(f"Python {NEWER} could not be fetched\n\n{url}/cpython-{NEWER}")
    assert "1. Check that the mirror in use has this file." in built.error


def test_archive_with_another_hash_is_refused(builds: Builds, app: App, tmp_path: Path) -> None:
    archive = interpreters.archive(NEWER, oci.arch())
    table = runtimes.table([(NEWER, oci.arch(), archive)])
    files: Files = {"python.toml": table, archive.name: SPOILT}
    with mirror.serving(write_files(tmp_path / "mirror", files)) as url:
        built = builds.phases(app(NO_PACKAGES), env={"BP_PYTHON_MIRROR": f"{url}/python.toml"})
    assert built.error == (
        f"Python {NEWER} is not the file it should be\n\n"
        f"From {url}/{archive.name}\n"
        f"Expected sha256  {_sha256(archive.read_bytes())}\n"
        f"Got              {_sha256(SPOILT)}\n"
        "It was not used. A proxy's error page, a damaged mirror or tampering look like this.\n\n"
        "What to do:\n"
        "  1. Find out what the address serves: curl -L the address | sha256sum\n"
        "  2. If it is a mirror of yours (the setting BP_PYTHON_MIRROR), fetch the file into it"
        " anew."
    )
    assert not (built.layers / "python").exists()


def test_full_disk_is_an_error(builds: Builds, app: App, small_disk: Path) -> None:
    built = builds.phases(app(NO_PACKAGES), layers=small_disk)
    assert built.error == (
        "The disk is full\n\n"
        f"No space was left while unpacking Python {NEWER} into /layers/{BUILDPACK}/python.\n\n"
        "What to do:\n"
        "  1. Free space where builds run (docker system df shows what Docker holds), or give them"
        " a larger disk.\n"
        "  2. Look for large packages in requirements.txt that the image does not need."
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
