"""Apps with a `poetry.lock`: what Poetry alone has. The rest: test_locked_managers."""

import re

import pytest

from tests.support.build_variants import digest_of, layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.locked_managers import NO_INDEX, Images
from tests.support.trees import App

FLASK, OLD_LOCK = fixture("poetry_flask"), fixture("poetry_old_lock")


@pytest.fixture(scope="module")
def greeter(images: Images) -> Built:
    """The image of an app that is a package."""
    return images("poetry_flask")


@pytest.fixture(scope="module")
def old_lock(builds: Builds, greeter: Built) -> Built:
    """The image of another app built after it, which is not a package."""
    built = builds.image(OLD_LOCK, greeter)
    assert built.code == 0, built.output
    return built


def test_changed_lock_is_exported_by_the_stored_poetry(
    builds: Builds, greeter: Built, app: App
) -> None:
    lock = (FLASK / "poetry.lock").read_text()
    changed = app({"poetry.lock": f"{lock}\n# a comment\n"}, FLASK)

    again = builds.phases(changed, greeter, env=NO_INDEX)

    assert again.code == 0, again.output
    assert re.search(r"  Using cached poetry \S+\n", again.output)
    assert {path.name for path in again.layers.iterdir() if path.is_dir()} == {"deps"}


def test_lock_of_poetry_1_is_read(old_lock: Built) -> None:
    with old_lock.serve() as served:
        assert "Hello, world!" in served.fetch()
        assert '"greeter"' not in served.fetch("/health")


def test_returning_editable_app_gives_the_image_of_a_clean_build(
    builds: Builds, greeter: Built, old_lock: Built
) -> None:
    again = builds.image(FLASK, old_lock)

    assert again.code == 0, again.output
    assert "+ greeter 1.0.0" in again.output
    assert layers_of(again) == layers_of(greeter)
    assert digest_of(again) == digest_of(greeter)


def test_chosen_older_poetry_is_fetched_with_a_warning_and_refuses_newer_keys(
    builds: Builds, old_lock: Built, app: App
) -> None:
    first = builds.phases(OLD_LOCK, old_lock, env={"BP_PYTHON_POETRY": "1.8.5"})

    assert first.code == 0, first.output
    assert "This buildpack has no hashes for poetry 1.8.5" in first.output
    assert "  Running `poetry export`\n" in first.output

    text = (OLD_LOCK / "pyproject.toml").read_text()
    requiring = text.replace("package-mode", 'requires-poetry = "==1.8.5"\npackage-mode')
    again = builds.phases(app({"pyproject.toml": requiring}, OLD_LOCK), first)

    assert "  Using cached poetry 1.8.5\n" in again.output
    assert again.error.startswith("Poetry does not know requires-poetry in pyproject.toml\n")
    assert "BP_PYTHON_POETRY" in again.error


def test_app_without_a_package_is_left_out_with_a_warning(
    builds: Builds, old_lock: Built, app: App
) -> None:
    """Whatever its backend: Poetry does not use it."""
    text = (OLD_LOCK / "pyproject.toml").read_text().replace("package-mode = false\n", "")
    text += '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
    source = app({"pyproject.toml": text}, OLD_LOCK)

    built = builds.image(source, old_lock)

    assert built.code == 0, built.output
    assert "[Warning: Poetry cannot install the app itself, only its dependencies]" in built.output
    # The result of the build, in the layer `config`, has the line that chose Python.
    other = {"app": "", "config": ""}
    assert {**layers_of(built), **other} == {**layers_of(old_lock), **other}
    with built.serve() as served:
        assert "Hello, world!" in served.fetch()
    again = builds.phases(source, built, env=NO_INDEX)
    assert "  Nothing changed: " in again.output
    # What runs a script of the app needs it to be installed.
    scripts = '[tool.poetry.scripts]\nhello = "app:main"\n'
    files = {"pyproject.toml": text + scripts, "Procfile": "web: hello\n"}
    stopped = builds.phases(app(files), old_lock)
    assert stopped.error.startswith("Poetry cannot install the app itself\n")
    assert "runs hello, a script of it" in stopped.error
