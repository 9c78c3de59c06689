"""Apps with a `poetry.lock`: Poetry decides, uv installs, and a rebuild asks neither."""

import re
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App

FLASK = fixture("poetry_flask")
# Where nobody listens: nothing can be fetched.
NOWHERE = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": ""}


@pytest.fixture(scope="module")
def greeter(builds: Builds) -> Built:
    built = builds.image(FLASK)
    assert built.code == 0, built.output
    return built


def test_the_app_is_served_with_what_the_lock_names(greeter: Built) -> None:
    with greeter.serve() as served:
        assert "Hello, world!" in served.fetch()
        found = served.fetch("/health")
    for name in ("flask", "werkzeug", "gunicorn", "greeter"):
        assert f'"{name}"' in found
    # Neither another group's, nor an extra's, nor those whose marker is about another Python.
    for name in ("pytest", "inflect", "tomli", "poetry"):
        assert f'"{name}"' not in found


def test_the_app_is_installed_where_it_lies(greeter: Built) -> None:
    assert greeter.run("greet") == "Hello from the command!\n"
    asked = "import greeter; print(greeter.__file__)"
    assert greeter.run("python", "-c", asked) == "/workspace/greeter/__init__.py\n"


def test_nothing_of_poetry_is_in_the_image(greeter: Built) -> None:
    assert [path for path in greeter.root.rglob("*poetry*") if "workspace" not in str(path)] == []
    assert greeter.scratch == []
    assert sorted(path.name for path in greeter.workspace.iterdir()) == sorted(
        path.name for path in FLASK.iterdir()
    )


def test_the_build_says_who_decides(greeter: Built) -> None:
    assert "  Asking poetry: it alone reads poetry.lock\n" in greeter.output
    assert re.search(r"  Fetching poetry \d", greeter.output)
    assert "  Running `poetry export`\n" in greeter.output
    assert "[Warning" not in greeter.output


def test_a_rebuild_asks_nobody(builds: Builds, greeter: Built) -> None:
    again = builds.image(FLASK, greeter, env=NOWHERE)
    assert again.code == 0, again.output
    assert "  Nothing changed: " in again.output
    assert "poetry" not in again.output
    assert [layer.diff_id for layer in again.image.layers] == [
        layer.diff_id for layer in greeter.image.layers
    ]


def test_poetry_comes_from_the_store_when_something_changed(
    builds: Builds, greeter: Built, app: App
) -> None:
    lock = (FLASK / "poetry.lock").read_text()
    changed = app({"poetry.lock": f"{lock}\n# a comment\n"}, FLASK)
    again = builds.image(changed, greeter, env=NOWHERE)
    assert again.code == 0, again.output
    assert re.search(r"  poetry \S+ from the store\n", again.output)
    assert [layer.diff_id for layer in again.image.layers if "python:" in layer.title] == [
        layer.diff_id for layer in greeter.image.layers if "python:" in layer.title
    ]


def test_extras_and_groups_are_added(builds: Builds, greeter: Built) -> None:
    env = {"BP_PYTHON_EXTRAS": "text", "BP_PYTHON_GROUPS": "dev"}
    built = builds.image(FLASK, greeter, env=env)
    assert built.code == 0, built.output
    assert "  Running `poetry export --with dev --extras text`\n" in built.output
    assert "inflect" in built.output
    assert "pytest" in built.output


def test_a_lock_of_poetry_1_is_read(builds: Builds, greeter: Built) -> None:
    built = builds.image(fixture("poetry_old_lock"), greeter)
    assert built.code == 0, built.output
    with built.serve() as served:
        assert "Hello, world!" in served.fetch()
        assert '"greeter"' not in served.fetch("/health")


def test_another_poetry_is_fetched_with_a_warning(builds: Builds, greeter: Built) -> None:
    env = {"BP_PYTHON_POETRY": "2.1.3"}
    built = builds.image(fixture("poetry_old_lock"), greeter, env=env)
    assert built.code == 0, built.output
    assert "poetry 2.1.3 is not one that this buildpack has checked" in built.output
    assert built.run("python", "-c", "import flask; print('here')") == "here\n"


def test_a_stale_lock_stops_with_the_command(builds: Builds, app: App) -> None:
    text = (FLASK / "pyproject.toml").read_text().replace("flask (>=3.1", "flask (>=3.0")
    built = builds.phases(app({"pyproject.toml": text}, FLASK))
    assert built.error.startswith("poetry.lock is out of date\n")
    assert "Run poetry lock on your machine." in built.error


def test_an_app_without_code_of_a_package_is_told_what_to_write(
    builds: Builds, app: App, tmp_path: Path
) -> None:
    directory = app({}, fixture("poetry_old_lock"))
    del tmp_path
    file = directory / "pyproject.toml"
    text = file.read_text()
    file.unlink()  # a link: the fixture stays as it is
    file.write_text(text.replace("package-mode = false\n", ""))
    built = builds.phases(directory)
    assert built.error.startswith("Poetry cannot install the app itself\n")
    assert "package-mode = false" in built.error
