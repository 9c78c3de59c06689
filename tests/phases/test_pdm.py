"""Apps with a `pdm.lock`: PDM decides, uv installs, and a rebuild asks neither."""

import re

import pytest

from tests.support.asking import asks_nobody, is_tidy, serves
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App

FLASK = fixture("pdm_flask")


@pytest.fixture(scope="module")
def greeter(builds: Builds, flask: Built) -> Built:
    built = builds.image(FLASK, flask)
    assert built.code == 0, built.output
    return built


def test_the_app_is_served_with_what_the_lock_names(greeter: Built) -> None:
    serves(
        greeter,
        ("flask", "werkzeug", "gunicorn", "greeter"),
        ("pytest", "inflect", "tomli", "pdm", "pdm-backend"),
    )


def test_the_app_is_installed_where_it_lies(greeter: Built) -> None:
    assert greeter.run("greet") == "Hello from the command!\n"
    asked = "import greeter; print(greeter.__file__)"
    assert greeter.run("python", "-c", asked) == "/workspace/src/greeter/__init__.py\n"


def test_nothing_of_pdm_stays(greeter: Built) -> None:
    is_tidy(greeter, FLASK, "pdm")


def test_the_build_says_who_decides(greeter: Built) -> None:
    assert "  Resolving with pdm: it alone reads pdm.lock\n" in greeter.output
    assert re.search(r"  Fetching pdm \d", greeter.output)
    assert "  Running `pdm lock --check`\n" in greeter.output
    assert "  Running `pdm export --prod`\n" in greeter.output
    assert "[Warning" not in greeter.output


def test_a_rebuild_asks_nobody(builds: Builds, greeter: Built) -> None:
    asks_nobody(builds, FLASK, greeter)


def test_extras_are_added_and_groups_for_development_stay_out(
    builds: Builds, greeter: Built
) -> None:
    built = builds.phases(FLASK, greeter, env={"BP_PYTHON_EXTRAS": "text"})
    assert built.code == 0, built.output
    assert re.search(r"  pdm \S+ from the store\n", built.output)
    assert "  Running `pdm export --prod --group text`\n" in built.output
    [changed] = re.findall(r"  Changed: (.*)", built.output)
    assert "+ inflect " in changed
    assert "pytest" not in changed


def test_a_stale_lock_stops_with_the_command(builds: Builds, greeter: Built, app: App) -> None:
    text = (FLASK / "pyproject.toml").read_text().replace("flask>=3.1", "flask>=3.0")
    built = builds.phases(app({"pyproject.toml": text}, FLASK), greeter)
    assert built.error.startswith("pdm.lock is out of date\n")
    assert "Run pdm lock on your machine." in built.error


@pytest.mark.parametrize(
    ("known", "changed", "title"),
    [
        ('lock_version = "4.5', 'lock_version = "5.0', "pdm.lock was made by a newer PDM"),
        (
            'requires_python = ">=3.11"\n',
            'requires_python = ">=3.11"\nplatform = "macos_14_0_arm64"\n',
            "pdm.lock cannot be used",
        ),
    ],
)
def test_a_lock_that_is_not_for_this_build_is_told(
    builds: Builds, greeter: Built, app: App, known: str, changed: str, title: str
) -> None:
    lock = (FLASK / "pdm.lock").read_text()
    built = builds.phases(app({"pdm.lock": lock.replace(known, changed, 1)}, FLASK), greeter)
    assert built.error.partition("\n")[0] == title


def test_a_group_that_does_not_exist_is_told(builds: Builds, greeter: Built) -> None:
    built = builds.phases(FLASK, greeter, env={"BP_PYTHON_EXTRAS": "txet"})
    assert built.error.startswith("There is no extra txet in pyproject.toml\n")
