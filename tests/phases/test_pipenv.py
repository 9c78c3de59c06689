"""Apps with a `Pipfile`: Pipenv decides, uv installs; without a lock, what is newest today."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App
from tests.support.wheels import wheel

FLASK = fixture("pipenv_flask")
# Where nobody listens: nothing can be fetched.
NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}


@pytest.fixture(scope="module")
def served(builds: Builds) -> Built:
    built = builds.image(FLASK)
    assert built.code == 0, built.output
    return built


def test_the_app_is_served_with_what_the_lock_names(served: Built) -> None:
    with served.serve() as running:
        assert "Hello, world!" in running.fetch()
        found = running.fetch("/health")
    for name in ("flask", "werkzeug", "gunicorn"):
        assert f'"{name}"' in found
    for name in ("pytest", "inflect", "colorama", "pipenv", "pip", "virtualenv"):
        assert f'"{name}"' not in found
    assert served.scratch == []
    assert sorted(path.name for path in served.workspace.iterdir()) == sorted(
        path.name for path in FLASK.iterdir()
    )


def test_the_build_says_who_decides(served: Built) -> None:
    assert "  Asking pipenv: it alone reads Pipfile.lock\n" in served.output
    assert re.search(r"  Fetching pipenv \d", served.output)
    assert "  Running `pipenv verify`\n" in served.output
    assert "  Running `pipenv requirements --hash`\n" in served.output
    assert "[Warning" not in served.output


def test_a_rebuild_asks_nobody(builds: Builds, served: Built) -> None:
    again = builds.image(FLASK, served, env=NOWHERE)
    assert again.code == 0, again.output
    assert "  Nothing changed: " in again.output
    assert "pipenv" not in again.output
    assert [layer.diff_id for layer in again.image.layers] == [
        layer.diff_id for layer in served.image.layers
    ]


def test_a_stale_lock_stops_with_the_command(builds: Builds, app: App) -> None:
    text = (FLASK / "Pipfile").read_text().replace("==3.1.3", "==3.1.2")
    built = builds.phases(app({"Pipfile": text}, FLASK))
    assert built.error.startswith("Pipfile.lock is out of date\n")
    assert "Run pipenv lock on your machine." in built.error


def test_a_group_is_added_by_the_program_that_was_kept(builds: Builds, served: Built) -> None:
    built = builds.image(FLASK, served, env={"BP_PYTHON_GROUPS": "text"})
    assert built.code == 0, built.output
    assert re.search(r"  pipenv \S+ from the store\n", built.output)
    asked = "import inflect, importlib.util as u; print(u.find_spec('pytest'))"
    assert built.run("python", "-c", asked) == "None\n"


def test_a_group_that_the_lock_does_not_have_is_told(builds: Builds) -> None:
    built = builds.phases(FLASK, env={"BP_PYTHON_GROUPS": "txet"})
    assert built.error.startswith("There is no group txet in Pipfile.lock\n")
    assert "text" in built.error


def test_a_pipfile_without_its_lock_is_resolved_with_a_warning(
    builds: Builds, served: Built, app: App, tmp_path: Path
) -> None:
    directory = app({"Procfile": "web: python app.py\n"})
    made = wheel(tmp_path, "kept", "1.0", {"kept.py": "here = 1\n"})
    shutil.copy(made, directory)
    (directory / "Pipfile").write_text(
        f'[packages]\nitsdangerous = "<3"\nkept = {{ file = "./{made.name}" }}\n'
    )
    built = builds.image(directory, served)
    assert built.code == 0, built.output
    assert "Run pipenv lock, and commit Pipfile.lock" in built.output
    assert built.run("python", "-c", "import itsdangerous, kept; print(kept.here)") == "1\n"
