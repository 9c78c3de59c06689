"""Variables for collectstatic alone reach nothing else, and a change of them runs it again."""

from pathlib import Path

import pytest

from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.secrets import find_text
from tests.support.trees import App, linked_copy, write_files

GALLERY = fixture("pip_django_static")
RUNS = "Running `python manage.py collectstatic --noinput`"
FROM_CACHE = "from the cache (nothing that collectstatic reads has changed)"
VALUE = "k3y-of-th3-bu1ld"
SETTINGS = (GALLERY / "site_settings.py").read_text()
STRICT = SETTINGS.replace(
    'os.environ.get("SECRET_KEY", "only-for-development")', 'os.environ["SECRET_KEY"]'
).replace('os.environ.get("STATIC_URL", "/static/")', 'os.environ["STATIC_URL"]')
HOOK = "#!/bin/sh\nenv | grep -c -e COLLECTSTATIC_ENV -e ^SECRET_KEY > found.txt || true\n"


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = linked_copy(GALLERY, tmp_path_factory.mktemp("strict") / "app")
    directory.chmod(0o755)
    return write_files(directory, {"site_settings.py": STRICT})


def variables(**values: str) -> dict[str, str]:
    words = " ".join(f"{name}={value}" for name, value in values.items())
    return {"BP_PYTHON_COLLECTSTATIC_ENV": words}


@pytest.fixture(scope="module")
def given(builds: Builds, flask: Built, strict: Path) -> Built:
    built = builds.image(strict, flask, env=variables(SECRET_KEY=VALUE, STATIC_URL="/static/"))
    assert built.code == 0, built.output
    return built


def test_missing_variable_is_named_with_the_ways_out(
    builds: Builds, flask: Built, strict: Path
) -> None:
    failed = builds.phases(strict, flask)
    assert failed.code
    assert "Likely cause: the settings need the variable SECRET_KEY." in failed.error
    assert 'BP_PYTHON_COLLECTSTATIC_ENV="SECRET_KEY=VALUE"' in failed.error
    assert "BP_PYTHON_COLLECTSTATIC_SECRET_KEY=true" in failed.error


def test_variables_are_in_no_layer_label_log_and_cache(given: Built) -> None:
    assert RUNS in given.output
    assert VALUE not in given.output
    assert find_text(VALUE, given.work / "cache", given.directory, given.layers) == []


def test_change_of_a_variable_alone_runs_collectstatic(
    builds: Builds, given: Built, strict: Path
) -> None:
    same = builds.image(strict, given, env=variables(STATIC_URL="/static/", SECRET_KEY=VALUE))
    assert FROM_CACHE in same.output
    assert layers_of(same) == layers_of(given)
    other = builds.image(strict, given, env=variables(SECRET_KEY="x", STATIC_URL="/static/"))
    assert RUNS in other.output
    assert layers_of(other) == layers_of(given)


def test_random_key_is_for_collectstatic_alone_and_equal_builds_stay_equal(
    builds: Builds, given: Built, app: App
) -> None:
    table = '[tool.cnb-python]\ncollectstatic_env = { STATIC_URL = "/static/" }\n'
    files = {"pyproject.toml": table, "site_settings.py": STRICT, "bin/post_compile": HOOK}
    hooked = app(files, based_on=GALLERY)
    (hooked / "bin/post_compile").chmod(0o755)
    env = {"BP_PYTHON_COLLECTSTATIC_SECRET_KEY": "true"}
    first = builds.image(hooked, given, env=env)
    assert first.code == 0, first.output
    assert "collectstatic_env = STATIC_URL (pyproject.toml, line 2)" in first.output
    assert (first.workspace / "found.txt").read_text() == "0\n"
    again = builds.image(hooked, first, env=env)
    assert FROM_CACHE in again.output
    clean = builds.image(hooked, given, env=env)
    assert RUNS in clean.output
    assert layers_of(first) == layers_of(again) == layers_of(clean)
