"""Apps with a `pdm.lock`: PDM decides, uv installs, and a rebuild asks neither."""

import re

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App

FLASK = fixture("pdm_flask")
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
    for name in ("pytest", "inflect", "tomli", "pdm", "pdm-backend"):
        assert f'"{name}"' not in found


def test_the_app_is_installed_where_it_lies(greeter: Built) -> None:
    assert greeter.run("greet") == "Hello from the command!\n"
    asked = "import greeter; print(greeter.__file__)"
    assert greeter.run("python", "-c", asked) == "/workspace/src/greeter/__init__.py\n"


def test_nothing_of_pdm_stays(greeter: Built) -> None:
    assert [path for path in greeter.root.rglob("*pdm*") if "workspace" not in str(path)] == []
    assert greeter.scratch == []
    assert ".pdm-python" not in {path.name for path in greeter.workspace.iterdir()}


def test_the_build_says_who_decides(greeter: Built) -> None:
    assert "  Asking pdm: it alone reads pdm.lock\n" in greeter.output
    assert re.search(r"  Fetching pdm \d", greeter.output)
    assert "  Running `pdm lock --check`\n" in greeter.output
    assert "  Running `pdm export --prod`\n" in greeter.output
    assert "[Warning" not in greeter.output


def test_a_rebuild_asks_nobody(builds: Builds, greeter: Built) -> None:
    again = builds.image(FLASK, greeter, env=NOWHERE)
    assert again.code == 0, again.output
    assert "  Nothing changed: " in again.output
    assert "pdm" not in again.output
    assert [layer.diff_id for layer in again.image.layers] == [
        layer.diff_id for layer in greeter.image.layers
    ]


def test_extras_are_added_and_groups_for_development_stay_out(
    builds: Builds, greeter: Built
) -> None:
    built = builds.image(FLASK, greeter, env={"BP_PYTHON_EXTRAS": "text"})
    assert built.code == 0, built.output
    assert "  Running `pdm export --prod --group text`\n" in built.output
    asked = "import inflect, importlib.util as u; print(u.find_spec('pytest'))"
    assert built.run("python", "-c", asked) == "None\n"


def test_a_stale_lock_stops_with_the_command(builds: Builds, app: App) -> None:
    text = (FLASK / "pyproject.toml").read_text().replace("flask>=3.1", "flask>=3.0")
    built = builds.phases(app({"pyproject.toml": text}, FLASK))
    assert built.error.startswith("pdm.lock is out of date\n")
    assert "Run pdm lock on your machine." in built.error


def test_a_group_that_does_not_exist_is_told(builds: Builds) -> None:
    built = builds.phases(FLASK, env={"BP_PYTHON_EXTRAS": "txet"})
    assert built.error.startswith("There is no extra txet in pyproject.toml\n")
