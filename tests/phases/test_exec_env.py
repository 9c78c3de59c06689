"""Images for tests: the packages of production, with those for tests in a shard of their own.

The tests run in the image, read-only and as another user.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.build_variants import digest_of, layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.locked_managers import Images
from tests.support.trees import App, Files

TEST = {"BP_PYTHON_EXEC_ENV": "test"}
SHARD = "cnb-python/python:deps-dev"
# The platform's variables reach the container, and so the tests.
PYTEST = "import os\n\nimport flask\n\n\ndef test_app():\n    assert 'FAIL' not in os.environ\n"
UNITTEST = """\
import os
import unittest

import iniconfig


class Test(unittest.TestCase):
    def test_app(self):
        self.assertNotIn("FAIL", os.environ)
"""
PIP_FILES: Files = {
    "requirements-dev.txt": "-r requirements.txt\npytest>=8\n",
    "tests/test_app.py": PYTEST,
}
NOXFILE = """\
import nox


@nox.session
def tests(session):
    session.run("python", "-m", "unittest", "discover", "-s", "tests")
"""
TOX_AND_NOX: Files = {
    "pyproject.toml": """\
[dependency-groups]
test = [{ include-group = "runners" }]
runners = ["tox>=4", "nox"]
""",
    "tox.ini": """\
[tox]
env_list = here
[testenv]
skip_install = true
pass_env = FAIL
commands = python -m unittest discover -s tests
""",
    "noxfile.py": NOXFILE,
    "tests/test_app.py": UNITTEST.replace("import iniconfig\n\n\n", "\n"),
}


def of_packages(built: Built) -> dict[str, str]:
    """Return the digests of the image's layers of Python and of the packages of production."""
    prefixes = ("cnb-python/python:python", "cnb-python/python:deps-")
    return {
        title: digest
        for title, digest in layers_of(built).items()
        if title.startswith(prefixes) and title != SHARD
    }


def run_default(built: Built, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """Return the exit code and the output of the image's default process."""
    with built.serve(env=env) as served:
        return served.process.wait(60), served.output


def checked(built: Built, production: Built) -> Built:
    """Check that the image *built* runs its tests, over the layers of *production*."""
    assert built.code == 0, built.output
    assert SHARD in layers_of(built)
    assert of_packages(built) == of_packages(production)
    code, output = run_default(built)
    assert code == 0, output
    code, output = run_default(built, {"FAIL": "1"})
    assert code == 1, output
    return built


@pytest.fixture
def pip_app(app: App) -> Path:
    return app(PIP_FILES, fixture("pip_flask"))


def test_pip_app_runs_its_tests_over_the_layers_of_production(
    builds: Builds, flask: Built, pip_app: Path
) -> None:
    test = checked(builds.image(pip_app, flask, env=TEST), flask)

    again = builds.image(pip_app, test, env={**TEST, "PIP_INDEX_URL": ""})
    assert "Adding the packages for test: requirements-dev.txt" in again.output
    assert digest_of(again) == digest_of(test), again.output


@pytest.mark.thorough
def test_tox_and_nox_of_a_dependency_group_run_the_tests(
    builds: Builds, flask: Built, app: App
) -> None:
    """The groups are beside requirements.txt; tox first, and nox without its configuration."""
    directory = app(TOX_AND_NOX, fixture("pip_flask"))

    tox = builds.image(directory, flask, env=TEST)

    assert tox.code == 0, tox.output
    assert "Adding the packages for test: group test" in tox.output
    assert of_packages(tox) == of_packages(flask)
    with tox.serve(writable_tmp=True) as served:
        assert served.process.wait(90) == 0, served.output
        assert "congratulations :)" in served.output
    (directory / "tox.ini").unlink()
    nox = builds.image(directory, tox, env=TEST)
    with nox.serve(writable_tmp=True) as served:
        assert served.process.wait(90) == 0, served.output
        assert "Session tests was successful" in served.output
    with nox.serve(env={"FAIL": "1"}, writable_tmp=True) as served:
        assert served.process.wait(90) == 1, served.output


@pytest.mark.thorough
def test_order_of_test_and_production_builds_changes_no_image(
    builds: Builds, pip_app: Path
) -> None:
    production = builds.image(pip_app)
    assert production.code == 0, production.output
    test = builds.image(pip_app, env=TEST)
    assert test.code == 0, test.output

    test_after_production = builds.image(pip_app, production, env=TEST)
    assert layers_of(test_after_production) == layers_of(test), test_after_production.output
    assert digest_of(test_after_production) == digest_of(test)
    production_after_test = builds.image(pip_app, test)
    assert digest_of(production_after_test) == digest_of(production), production_after_test.output
    third = builds.image(pip_app, test_after_production)
    assert digest_of(third) == digest_of(production), third.output


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["poetry_flask", "pdm_flask", "pipenv_flask", "uv_fastapi"])
def test_locked_app_runs_its_tests_over_the_layers_of_production(
    builds: Builds, images: Images, app: App, name: str
) -> None:
    content = UNITTEST if name == "uv_fastapi" else PYTEST
    tested = app({"tests/test_app.py": content}, fixture(name))

    built = checked(builds.image(tested, images(name), env=TEST), images(name))

    assert "Adding the packages for test: group dev" in built.output


@pytest.mark.thorough
def test_django_project_runs_its_own_tests(builds: Builds, flask: Built, app: App) -> None:
    content = UNITTEST.replace("import iniconfig\n", "import django\n")
    directory = app({"gallery/tests.py": content}, fixture("pip_django_static"))

    built = builds.image(directory, flask, env=TEST)

    assert built.code == 0, built.output
    code, output = run_default(built)
    assert (code, "Ran 1 test in" in output) == (0, True), output
    code, output = run_default(built, {"FAIL": "1"})
    assert (code, "FAILED (failures=1)" in output) == (1, True), output


@pytest.mark.thorough
def test_image_without_tests_prints_what_to_add(builds: Builds, flask: Built) -> None:
    built = builds.image(fixture("pip_flask"), flask, env=TEST)

    assert built.code == 0, built.output
    assert "The app names no packages for test, such as a group dev or test" in built.output
    code, output = run_default(built)
    assert code == 78
    assert output.startswith("The image runs no tests: no test runner was found.")
    assert "    pytest\n" in output
