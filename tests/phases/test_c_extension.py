"""An app whose packages are compiled from source, built after one with another Python."""

import json

import pytest

from tests.support.builds import Builds, Built, fixture

LAYERS = ("python", "venv", "deps-00")


@pytest.fixture(scope="module")
def compiled(builds: Builds, flask: Built) -> Built:
    built = builds.image(fixture("pip_c_extension"), flask)
    assert built.code == 0, built.output
    return built


def test_modules_compiled_in_the_build_load_in_the_image(compiled: Built) -> None:
    with compiled.serve() as served:
        answer = json.loads(served.fetch("/?text=hello"))
    assert answer == {
        "text": "hello",
        "xxh64": "26c7827d889f6da3",
        "xxhash": "C",
        "markupsafe": "C",
    }


def test_release_line_of_the_app_is_used(compiled: Built) -> None:
    with compiled.serve() as served:
        assert json.loads(served.fetch("/health"))["python"] == "3.13.13"


def test_log_lists_every_reason_for_a_new_python(compiled: Built, flask: Built) -> None:
    old, new = (_metadata(built)["sha256"] for built in (flask, compiled))
    mark = "Not using the previous build's "
    assert [line.strip() for line in compiled.output.splitlines() if mark in line] == [
        f"{mark}Python: the Python release has changed from 3.14.6 to 3.13.13",
        f"{mark}Python: the SHA-256 of the Python archive has changed from {old} to {new}",
        f"{mark}packages: the Python release line has changed from 3.14 to 3.13",
    ]


def test_no_file_of_the_other_python_is_left(compiled: Built) -> None:
    names = [name for layer in LAYERS for name in compiled.names(layer)]
    assert [name for name in names if "3.14" in name or "-314" in name] == []


def test_build_files_are_not_in_the_image(compiled: Built) -> None:
    names = compiled.names("venv") + compiled.names("deps-00")
    assert [name for name in names if name.endswith((".o", ".a", ".tar.gz", ".whl"))] == []


def _metadata(built: Built) -> dict[str, str]:
    metadata: dict[str, str] = built.documents()["python.toml"]["metadata"]
    return metadata
