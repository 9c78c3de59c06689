"""Apps with a `poetry.lock`: Poetry decides, uv installs, and a rebuild asks neither."""

import re
from pathlib import Path

import pytest

from tests.support.asking import NOWHERE, asks_nobody, is_tidy, serves
from tests.support.build_variants import digest_of, layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App

FLASK, OLD = fixture("poetry_flask"), fixture("poetry_old_lock")


@pytest.fixture(scope="module")
def greeter(builds: Builds) -> Built:
    """From nothing."""
    built = builds.image(FLASK)
    assert built.code == 0, built.output
    return built


@pytest.fixture(scope="module")
def old(builds: Builds, greeter: Built) -> Built:
    """Another app after that, which is no package itself."""
    built = builds.image(OLD, greeter)
    assert built.code == 0, built.output
    return built


def test_the_app_is_served_with_what_the_lock_names(greeter: Built) -> None:
    # Neither another group's, nor an extra's, nor those whose marker is about another Python.
    serves(
        greeter,
        ("flask", "werkzeug", "gunicorn", "greeter"),
        ("pytest", "inflect", "tomli", "poetry"),
    )


def test_the_app_is_installed_where_it_lies(greeter: Built) -> None:
    assert greeter.run("greet") == "Hello from the command!\n"
    asked = "import greeter; print(greeter.__file__)"
    assert greeter.run("python", "-c", asked) == "/workspace/greeter/__init__.py\n"


def test_nothing_of_poetry_is_in_the_image(greeter: Built) -> None:
    is_tidy(greeter, FLASK, "poetry")


def test_the_build_says_who_decides(greeter: Built) -> None:
    assert "  Resolving with poetry: it alone reads poetry.lock\n" in greeter.output
    assert re.search(r"  Fetching poetry \d", greeter.output)
    assert "  Running `poetry export`\n" in greeter.output
    assert "[Warning" not in greeter.output


def test_a_rebuild_asks_nobody(builds: Builds, greeter: Built) -> None:
    asks_nobody(builds, FLASK, greeter)


def test_poetry_comes_from_the_store_when_something_changed(
    builds: Builds, greeter: Built, app: App
) -> None:
    lock = (FLASK / "poetry.lock").read_text()
    changed = app({"poetry.lock": f"{lock}\n# a comment\n"}, FLASK)
    again = builds.phases(changed, greeter, env=NOWHERE)
    assert again.code == 0, again.output
    assert re.search(r"  poetry \S+ from the store\n", again.output)
    assert {path.name for path in again.layers.iterdir() if path.is_dir()} == {"deps"}


def test_extras_and_groups_are_added(builds: Builds, greeter: Built) -> None:
    env = {"BP_PYTHON_EXTRAS": "text", "BP_PYTHON_GROUPS": "dev"}
    built = builds.phases(FLASK, greeter, env=env)
    assert built.code == 0, built.output
    assert "  Running `poetry export --with dev --extras text`\n" in built.output
    [changed] = re.findall(r"  Changed: (.*)", built.output)
    assert "+ inflect " in changed
    assert "+ pytest " in changed


def test_a_lock_of_poetry_1_is_read(old: Built) -> None:
    with old.serve() as served:
        assert "Hello, world!" in served.fetch()
        assert '"greeter"' not in served.fetch("/health")


def test_an_editable_app_that_comes_back_makes_the_image_of_a_clean_build(
    builds: Builds, greeter: Built, old: Built
) -> None:
    again = builds.image(FLASK, old)
    assert again.code == 0, again.output
    assert "+ greeter 1.0.0" in again.output
    assert layers_of(again) == layers_of(greeter)
    assert digest_of(again) == digest_of(greeter)


def test_an_older_poetry_is_fetched_with_a_warning_and_told_apart_from_what_came_later(
    builds: Builds, old: Built, app: App
) -> None:
    first = builds.phases(OLD, old, env={"BP_PYTHON_POETRY": "1.8.5"})
    assert first.code == 0, first.output
    assert "poetry 1.8.5 is not one that this buildpack has checked" in first.output
    assert "  Running `poetry export`\n" in first.output
    text = (OLD / "pyproject.toml").read_text()
    asking = text.replace("package-mode", 'requires-poetry = "==1.8.5"\npackage-mode')
    again = builds.phases(app({"pyproject.toml": asking}, OLD), first)
    assert "  poetry 1.8.5 from the store\n" in again.output
    assert again.error.startswith("Poetry refuses requires-poetry in pyproject.toml\n")
    assert "BP_PYTHON_POETRY" in again.error


def test_a_stale_lock_stops_with_the_command(builds: Builds, greeter: Built, app: App) -> None:
    text = (FLASK / "pyproject.toml").read_text().replace("flask (>=3.1", "flask (>=3.0")
    built = builds.phases(app({"pyproject.toml": text}, FLASK), greeter)
    assert built.error.startswith("poetry.lock is out of date\n")
    assert "Run poetry lock on your machine." in built.error


def test_a_lock_of_a_later_poetry_is_told_from_a_broken_one(
    builds: Builds, greeter: Built, app: App
) -> None:
    lock = (FLASK / "poetry.lock").read_text()
    later = lock.replace('lock-version = "2.1"', 'lock-version = "3.0"')
    built = builds.phases(app({"poetry.lock": later}, FLASK), greeter)
    assert built.error.startswith("poetry.lock was made by a newer Poetry\n")
    assert "setting poetry" in built.error


def test_an_app_without_code_of_a_package_is_told_what_to_write(
    builds: Builds, old: Built, app: App
) -> None:
    text = (OLD / "pyproject.toml").read_text().replace("package-mode = false\n", "")
    directory: Path = app({"pyproject.toml": text}, OLD)
    built = builds.phases(directory, old)
    assert built.error.startswith("Poetry cannot install the app itself\n")
    assert "package-mode = false" in built.error
