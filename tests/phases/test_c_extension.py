"""An app whose packages are compiled from source in the build."""

import json

import pytest

from tests.support.builds import Builds, Built, fixture


@pytest.fixture(scope="module")
def compiled(builds: Builds) -> Built:
    built = builds.image(fixture("pip_c_extension"))
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


def test_the_line_of_the_app_is_used(compiled: Built) -> None:
    with compiled.serve() as served:
        assert json.loads(served.fetch("/health"))["python"] == "3.13.13"


def test_neither_compiler_nor_source_comes_along(compiled: Built) -> None:
    names = compiled.names("venv")
    assert [name for name in names if name.endswith((".c", ".o", ".a", ".tar.gz"))] == []


def test_a_rebuild_compiles_nothing_again(builds: Builds, compiled: Built) -> None:
    again = builds.image(fixture("pip_c_extension"), after=compiled)
    assert again.code == 0, again.output
    assert "Building wheel" not in again.output
    assert again.layer("venv").diff_id == compiled.layer("venv").diff_id
