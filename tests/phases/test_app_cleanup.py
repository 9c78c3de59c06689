"""Virtual environments, bytecode and repositories of a checkout are not in the image."""

from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, Files, linked_copy

FLASK = fixture("pip_flask")
CHECKOUT: Files = {
    ".git/HEAD": "ref: refs/heads/main\n",
    ".git/config": "[http]\n\textraheader = AUTHORIZATION: basic c2VjcmV0\n",
    ".venv/pyvenv.cfg": "home = /usr/bin\n",
    ".venv/bin/activate": "# activate\n",
    ".venv/lib/python3.14/site-packages/flask/__init__.py": "raise SystemExit('not this one')\n",
    "__pycache__/app.cpython-314.pyc": "stale",
    ".dockerignore": ".venv\n.git\n",
}


@pytest.fixture(scope="module")
def tidied(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The Flask app as on a developer's machine, built after the clean one."""
    app = linked_copy(FLASK, tmp_path_factory.mktemp("checkout") / "app", CHECKOUT)
    app.chmod(0o755)
    (app / ".venv/bin/python").symlink_to("/usr/bin/python3")
    return builds.image(app, flask)


def test_app_serves_without_the_removed_files(tidied: Built, flask: Built) -> None:
    assert tidied.code == 0, tidied.output
    assert _files(tidied.root / "workspace") - {".dockerignore"} == _files(
        flask.root / "workspace"
    )
    with tidied.serve() as served:
        assert "Hello, world!" in served.fetch()


def test_layers_stay_the_same_when_files_are_removed(tidied: Built, flask: Built) -> None:
    assert "Nothing changed: reusing 8 packages from the previous image" in tidied.output
    for name in ("python", "venv", "deps-00", "defaults"):
        assert tidied.layer(name).diff_id == flask.layer(name).diff_id


def test_warning_names_each_removed_kind_and_the_fix(tidied: Built) -> None:
    warning = (
        "\n[Warning: Some of the app's files do not belong in an image]\n"
        ".venv: removed. A virtual environment works only where it was made.\n"
        "1 file of bytecode (__pycache__, .pyc): removed. Python would not use them.\n"
        ".git: removed at the end of the build. It holds the history, and sometimes a login, "
        "which users of the image should not get.\n"
        "To exclude them from the build, write to project.toml (buildpacks do not read "
        ".dockerignore):\n"
        "    [_]\n"
        '    schema-version = "0.2"\n'
        "    [io.buildpacks]\n"
        '    exclude = [".venv", "__pycache__", ".git"]\n'
    )
    assert warning in tidied.output


def test_keep_setting_keeps_the_files(builds: Builds, flask: Built, app: App) -> None:
    env = {"BP_PYTHON_KEEP": ".git,.venv,__pycache__"}

    built = builds.phases(app(CHECKOUT, FLASK), flask, env=env)

    assert built.code == 0, built.output
    assert "do not belong" not in built.output
    assert {path for path in CHECKOUT if not (built.workspace / path).exists()} == set()


def test_links_to_other_directories_are_kept(builds: Builds, flask: Built, app: App) -> None:
    directory = app({"lib/pyvenv.cfg/x": ""}, FLASK)
    (directory / "venv").symlink_to("/opt")
    (directory / ".git").symlink_to("/etc")

    built = builds.phases(directory, flask)

    assert built.code == 0, built.output
    assert "do not belong" not in built.output
    assert (built.workspace / "venv").readlink() == Path("/opt")
    assert (built.workspace / ".git").readlink() == Path("/etc")


def test_procfile_that_names_a_virtual_environment_is_refused(builds: Builds, app: App) -> None:
    procfile = "web: .venv/bin/gunicorn --bind 0.0.0.0:$PORT app:app\n"

    refused = builds.phases(app({**CHECKOUT, "Procfile": procfile}, FLASK))

    assert refused.error == (
        "A process uses a virtual environment that is not in the image\n"
        "\n"
        "Found:\n"
        "  Procfile, line 1: web uses .venv/bin/gunicorn\n"
        "Expected: names of programs, since the programs of the image's own environment are on"
        " PATH.\n"
        "\n"
        "To fix this:\n"
        "  - Replace `.venv/bin/gunicorn` with `gunicorn`."
    )
    # Refused before anything was written.
    assert (refused.workspace / ".venv/bin/activate").exists()


def _files(directory: Path) -> set[str]:
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir()}
