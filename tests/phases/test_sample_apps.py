"""A sample app for each kind of package file: built, started, and built again."""

from pathlib import Path

import pytest

from tests.support.build_variants import LIMITED
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, linked_copy

RESOLVES_AGAIN = {"pyproject_only", "setup_py"}
SERVERS = {"uv_fastapi": ("web", "script")}
ONE_MORE = "Rebuilding layer defaults: the list of processes with one worker"


@pytest.fixture(
    scope="module",
    params=[
        ("uv_fastapi", "/?name=Ada", '"message":"Hello, Ada!"'),
        ("pylock_flask", "/", "Hello from Python 3.14"),
        ("pyproject_only", "/", "One note: buy milk"),
        ("setup_py", "/3", "1 2 3"),
    ],
    ids=lambda row: str(row[0]),
)
def sample(
    request: pytest.FixtureRequest, builds: Builds, flask: Built
) -> tuple[str, Built, str, str]:
    """The name of the sample, its image, and a path with the expected text."""
    name, path, expected = request.param
    built = builds.image(fixture(name), flask)
    assert built.code == 0, built.output
    return name, built, path, expected


def test_processes_serve_and_stop_on_sigterm(
    sample: tuple[str, Built, str, str], tmp_path: Path
) -> None:
    name, built, path, expected = sample
    # With memory for several workers.
    root = linked_copy(built.root, tmp_path / "root", LIMITED)

    for process in SERVERS.get(name, ("web",)):
        with built.serve(process, root=root) as served:
            assert expected in served.fetch(path)
            assert served.stop() is not None, f"{process} had to be killed"


def test_locked_app_is_unchanged_by_a_new_process(
    builds: Builds, sample: tuple[str, Built, str, str], app: App
) -> None:
    name, built, _, _ = sample
    procfile = (fixture(name) / "Procfile").read_text() + "clock: python -m clock\n"

    again = builds.phases(app({"Procfile": procfile}, based_on=fixture(name)), built)

    assert again.code == 0, again.output
    assert ("Nothing changed" in again.output) is (name not in RESOLVES_AGAIN)
    assert "\nChanged: " not in again.output
    # uvicorn may not support several workers; the other servers have no such list.
    assert (ONE_MORE in again.output) is (name == "uv_fastapi")


def test_build_leaves_no_files_in_the_app(sample: tuple[str, Built, str, str]) -> None:
    name, built, _, _ = sample

    new = _files(built.workspace) - _files(fixture(name))

    # setuptools writes this directory beside every setup.py that it builds.
    assert {path.partition("/")[0] for path in new} <= {"counter.egg-info"}


def _files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*")}


def test_image_has_neither_uv_nor_pip(sample: tuple[str, Built, str, str]) -> None:
    _, built, _, _ = sample
    names = [name for layer in ("venv", "python") for name in built.names(layer)]

    assert [name for name in names if name.endswith(("/bin/uv", "/bin/pip"))] == []
