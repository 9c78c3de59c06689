"""Programs that embed Python work, and libpython is in the image only while they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import index
from tests.support.build_variants import digest_of, layers_of, without_cache, without_image
from tests.support.builds import Builds, Built
from tests.support.sdists import archive, c_module, checkout
from tests.support.trees import App, Files
from tests.support.wheels import wheel

PROCFILE = "web: python -V"
PYTHON = "layers/cnb-python_python/python"
LIBRARIES = {"libpython3.14.so", "libpython3.14.so.1.0", "libpython3.so"}
# As mod_wsgi and uWSGI link themselves.
OUTPUT = b', "-o", str(library)'
LINKING = b""", f"-L{sysconfig.get_config_var('LIBDIR')}", "-Wl,--no-as-needed", "-lpython3.14\""""
WORKER = """\
#include <Python.h>

int main(void) {
    Py_Initialize();
    int code = PyRun_SimpleString("import plain, sys; print('worker', sys.version_info[:2])");
    return Py_FinalizeEx() || code;
}
"""
COMPILE = """\
#!/bin/sh
set -e
cc $(python3-config --embed --cflags) -o worker worker.c $(python3-config --embed --ldflags)
LD_LIBRARY_PATH="$(python3-config --prefix)/lib" ./worker
"""
WITHOUT, WITH = "plain==1.0\n", "embeds==1.0\nplain==1.0\n"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Variables for an index with a package that is linked with libpython, and one that is not."""
    packages = tmp_path_factory.mktemp("packages")
    wheel(packages, "plain", "1.0", {"plain.py": "VALUE = 1\n"})
    members = dict(checkout("embeds", "1.0", {"embeds.c": c_module("embeds", 42)}))
    backend = members["backend.py"]
    assert isinstance(backend, bytes)
    linked = backend.replace(OUTPUT, OUTPUT + LINKING)
    assert linked != backend
    archive(packages, "embeds-1.0", {**members, "backend.py": linked})
    with index.running(packages) as running:
        yield {"PIP_INDEX_URL": running.url}


def build(
    builds: Builds,
    directory: Path,
    requirements: str,
    env: dict[str, str],
    after: Built | None = None,
) -> Built:
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)
    (directory / "requirements.txt").write_text(requirements)
    (directory / "Procfile").write_text(PROCFILE)
    built = builds.image(directory, after, env=env)
    assert built.code == 0, built.output
    return built


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("embedding") / "app"


@pytest.fixture(scope="module")
def without(builds: Builds, app_dir: Path, env: dict[str, str]) -> Built:
    """Build from nothing without the package that embeds Python."""
    return build(builds, app_dir, WITHOUT, env)


@pytest.fixture(scope="module")
def with_it(builds: Builds, app_dir: Path, env: dict[str, str]) -> Built:
    """Build from nothing with it."""
    return build(builds, app_dir, WITH, env)


def libraries(built: Built) -> set[str]:
    """Return the names of libpython's files in the image."""
    names = (name.rpartition("/")[2] for name in built.names("python"))
    return {name for name in names if name.startswith("libpython")}


def development_files(built: Built) -> list[str]:
    paths = [f"/{name}" for name in built.names("python")]
    marks = ("/include", "/pkgconfig", "/config-", "-config")
    return [path for path in paths if any(mark in path for mark in marks)]


def test_image_without_embedding_has_no_libpython(without: Built) -> None:
    assert libraries(without) == set()
    assert development_files(without) == []
    printed = without.run("python", "-m", "sysconfig")
    assert "Variables:" in printed
    assert "Traceback" not in printed
    assert "libpython" not in without.output


def test_package_that_embeds_python_is_built_and_runs(with_it: Built) -> None:
    assert libraries(with_it) == LIBRARIES
    assert development_files(with_it) == []
    assert "Keeping libpython for embeds" in with_it.output
    assert with_it.run("python", "-c", "import embeds; print(embeds.answer())") == "42\n"


def test_libpython_comes_and_goes_with_the_package(
    builds: Builds, app_dir: Path, env: dict[str, str], without: Built, with_it: Built
) -> None:
    added = build(builds, app_dir, WITH, env, without)
    assert layers_of(added) == layers_of(with_it)
    assert digest_of(added) == digest_of(with_it)

    removed = build(builds, app_dir, WITHOUT, env, added)
    assert "Leaving out libpython: nothing needs it any more" in removed.output
    assert layers_of(removed) == layers_of(without)
    assert digest_of(removed) == digest_of(without)


def test_lost_image_or_cache_changes_nothing(
    builds: Builds, app_dir: Path, env: dict[str, str], with_it: Built, tmp_path: Path
) -> None:
    new_tag = build(builds, app_dir, WITH, env, without_image(with_it, tmp_path / "cache"))
    assert digest_of(new_tag) == digest_of(with_it)

    elsewhere = build(builds, app_dir, WITH, env, without_cache(with_it, tmp_path / "image"))
    assert digest_of(elsewhere) == digest_of(with_it)
    assert "Nothing changed: reusing 2 packages from the previous image" in elsewhere.output


def hook(app: App, *, compiles: bool) -> Path:
    files: Files = {"requirements.txt": WITHOUT, "Procfile": PROCFILE, "worker.c": WORKER}
    directory = app({**files, "bin/post_compile": COMPILE if compiles else "#!/bin/sh\n"})
    (directory / "bin/post_compile").chmod(0o755)
    return directory


def test_program_that_a_hook_compiles_embeds_python(
    builds: Builds, app: App, env: dict[str, str], without: Built
) -> None:
    compiled = builds.image(hook(app, compiles=True), without, env=env)
    assert compiled.code == 0, compiled.output
    assert "    worker (3, 14)\n" in compiled.output
    assert "Keeping libpython for the app's file worker" in compiled.output
    assert libraries(compiled) == LIBRARIES
    assert development_files(compiled) == []
    assert compiled.run("/workspace/worker") == "worker (3, 14)\n"
    clean = builds.image(hook(app, compiles=True), env=env)
    assert compiled.layer("python").diff_id == clean.layer("python").diff_id

    back = builds.image(hook(app, compiles=False), compiled, env=env)

    assert back.code == 0, back.output
    assert layers_of(back)["cnb-python/python:python"] == without.layer("python").diff_id


def test_setting_keeps_everything(
    builds: Builds, app_dir: Path, env: dict[str, str], without: Built
) -> None:
    full = build(builds, app_dir, WITHOUT, {**env, "BP_PYTHON_FULL": "1"}, without)
    assert libraries(full) == LIBRARIES
    assert {path.rpartition("/")[2] for path in development_files(full)} >= {
        "Python.h",
        "Makefile",
        "python3-config",
    }

    again = build(builds, app_dir, WITHOUT, {**env, "BP_PYTHON_FULL": "1"}, full)
    assert "Nothing changed: reusing 1 packages from the previous image" in again.output
    back = build(builds, app_dir, WITHOUT, env, again)
    assert digest_of(back) == digest_of(without)
