"""Apps with a `Pipfile`: Pipenv decides, uv installs; without a lock, what is newest today."""

import re
import shutil
from pathlib import Path

import pytest

from tests.support.asking import asks_nobody, is_tidy, serves
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App
from tests.support.wheels import wheel

FLASK = fixture("pipenv_flask")


@pytest.fixture(scope="module")
def served(builds: Builds, flask: Built) -> Built:
    built = builds.image(FLASK, flask)
    assert built.code == 0, built.output
    return built


def test_the_app_is_served_with_what_the_lock_names(served: Built) -> None:
    serves(
        served,
        ("flask", "werkzeug", "gunicorn"),
        ("pytest", "inflect", "colorama", "pipenv", "pip", "virtualenv"),
    )


def test_nothing_of_pipenv_is_in_the_image(served: Built) -> None:
    is_tidy(served, FLASK, "pipenv", "virtualenv")


def test_the_build_says_who_decides(served: Built) -> None:
    assert "  Resolving with pipenv: it alone reads Pipfile.lock\n" in served.output
    assert re.search(r"  Fetching pipenv \d", served.output)
    assert "  Running `pipenv verify`\n" in served.output
    assert "  Running `pipenv requirements --hash`\n" in served.output
    assert "[Warning" not in served.output


def test_a_rebuild_asks_nobody(builds: Builds, served: Built) -> None:
    asks_nobody(builds, FLASK, served)


def test_a_stale_lock_stops_with_the_command(builds: Builds, served: Built, app: App) -> None:
    text = (FLASK / "Pipfile").read_text().replace("==3.1.3", "==3.1.2")
    built = builds.phases(app({"Pipfile": text}, FLASK), served)
    assert built.error.startswith("Pipfile.lock is out of date\n")
    assert "Run pipenv lock on your machine." in built.error


def test_a_lock_of_a_later_form_is_told(builds: Builds, served: Built, app: App) -> None:
    lock = (FLASK / "Pipfile.lock").read_text()
    later = lock.replace('"pipfile-spec": 6', '"pipfile-spec": 7')
    built = builds.phases(app({"Pipfile.lock": later}, FLASK), served)
    assert built.error.startswith("Pipfile.lock was made by a newer Pipenv\n")


def test_a_group_is_added_by_the_program_that_was_kept(builds: Builds, served: Built) -> None:
    built = builds.phases(FLASK, served, env={"BP_PYTHON_GROUPS": "text"})
    assert built.code == 0, built.output
    assert re.search(r"  pipenv \S+ from the store\n", built.output)
    [changed] = re.findall(r"  Changed: (.*)", built.output)
    assert "+ inflect " in changed
    assert "pytest" not in changed


def test_a_group_that_the_lock_does_not_have_is_told(builds: Builds, served: Built) -> None:
    built = builds.phases(FLASK, served, env={"BP_PYTHON_GROUPS": "txet"})
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
