"""Settings in pyproject.toml and in variables, with the real lifecycle."""

from pathlib import Path

from tests.support import index
from tests.support.builds import Builds, Built, fixture
from tests.support.sdists import checkout
from tests.support.trees import App, Files
from tests.support.wheels import wheel

SHOP = checkout("shop", "1.0", {"shop.py": "NAME = 'shop'\n"})
REPOSITORY: Files = {
    "pyproject.toml": "[tool.cnb-python]\nproject = 'services/api'\nlayout = 'merged'\n",
    "name.txt": "the top",
    "services/web.txt": "printer==1.0\n",
    "services/api/pyproject.toml": (
        "[tool.cnb-python]\nrequirements = ['requirements/base.txt', '../web.txt']\n"
    ),
    "services/api/requirements/base.txt": "../../libs/shop\n",
    "services/api/bin/pre_compile": "#!/bin/sh\npwd\n",
    "services/api/Procfile": "web: python -m http.server $PORT\n",
    "services/api/name.txt": "the api",
    **{f"libs/shop/{path}": content for path, content in SHOP.items()},
}


def test_an_app_in_a_directory_runs_there_with_the_whole_repository(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    wheel(packages, "printer", "1.0", {"printer.py": ""})
    with index.running(packages) as running:
        env = {"PIP_INDEX_URL": running.url, "BP_PYTHON_LAYOUT": "linked"}
        built = builds.image(app(REPOSITORY), flask, env=env)

    assert built.code == 0, built.output
    lines = built.output.partition("Settings\n")[2].partition("\nPython\n")[0].splitlines()
    files = "requirements/base.txt, ../web.txt"
    assert lines[:2] == [
        f"  requirements = {files} (services/api/pyproject.toml, line 2)",
        "  project = services/api (pyproject.toml, line 2)",
    ]
    assert not any("layout" in line for line in lines)
    assert "\nbin/pre_compile\n" in built.output
    assert "    /workspace/services/api\n" in built.output
    assert " -r requirements/base.txt -r ../web.txt`" in built.output
    with built.serve() as served:
        assert served.fetch("/name.txt") == "the api"
    assert built.run("python", "-c", "import printer, shop; print(shop.NAME)") == "shop\n"


def test_unknown_settings_stop_the_build_before_anything_is_written(
    builds: Builds, app: App
) -> None:
    directory = app({"requirements.txt": "", "pyproject.toml": "[tool.cnb-python]\nlayuot = 1\n"})

    built = builds.phases(directory, env={"BP_PYTHON_INSTALER": "pip"})

    assert built.error.startswith(
        "2 settings do not exist\n\n"
        "Found:\n"
        "  - BP_PYTHON_INSTALER: did you mean BP_PYTHON_INSTALLER?\n"
        "  - layuot (pyproject.toml, line 2): did you mean layout?\n"
    )
    assert list(built.layers.iterdir()) == []


def test_a_missing_project_directory_is_refused_by_the_build_and_not_by_detection(
    builds: Builds, app: App
) -> None:
    built = builds.phases(app({"api/uv.lock": ""}), env={"BP_PYTHON_PROJECT": "apy"})

    assert built.error.startswith("There is no directory apy\n")
    assert "  - api\n" in built.error


def test_all_unsupported_variables_are_refused_together(builds: Builds, app: App) -> None:
    env = {"UV_PYTHON": "3.12", "PIP_TARGET": "/srv", "VIRTUAL_ENV": "/opt/venv"}

    built = builds.phases(app({"requirements.txt": ""}), env=env)

    assert (
        "  - PIP_TARGET: pip would install outside the app's environment\n"
        "  - UV_PYTHON: it chooses the app's Python: use BP_PYTHON_VERSION\n"
    ) in built.error
    assert "VIRTUAL_ENV" not in built.error


def test_the_buildpack_twice_in_a_group_builds_once(builds: Builds, flask: Built) -> None:
    built = builds.image(fixture("pip_flask"), flask, beside=(builds.buildpack,))

    assert built.code == 0, built.output
    assert built.output.count("Nothing changed") == 1
    titles = [layer.title for layer in built.image.layers if "python" in layer.title]
    assert titles == [layer.title for layer in flask.image.layers if "python" in layer.title]
