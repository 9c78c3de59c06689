"""Frameworks start with the commands that are found for them: one image with all."""

from dataclasses import replace

import pytest

from tests.support.builds import Builds, Built
from tests.support.found_commands import image_of_samples
from tests.support.trees import App
from tests.support.web_samples import WEB_SAMPLES

pytestmark = pytest.mark.thorough


@pytest.fixture(scope="module")
def every_app(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An image with all apps and packages; a process for each."""
    return image_of_samples(builds, WEB_SAMPLES, tmp_path_factory.mktemp("found"))


@pytest.mark.parametrize("name", WEB_SAMPLES)
def test_found_command_serves_and_stops(every_app: Built, name: str) -> None:
    sample = WEB_SAMPLES[name]
    with every_app.serve(name) as served:
        assert sample.expected in served.fetch(sample.path, patience=60)
        assert served.stop() is not None, served.output


@pytest.mark.parametrize("name", ["flask_app", "flask_dev", "fastapi_app", "quart_app"])
def test_found_command_listens_on_ipv6(every_app: Built, name: str) -> None:
    with every_app.serve(name, env={"BPL_PYTHON_HOST": "::"}) as served:
        assert "Hello" in replace(served, host="[::1]").fetch(patience=60)
        assert served.stop() is not None, served.output


def test_app_without_requirements_is_built_and_starts(builds: Builds, app: App) -> None:
    code = (
        "import os\nfrom http.server import HTTPServer, SimpleHTTPRequestHandler\n"
        "HTTPServer(('', int(os.environ['PORT'])), SimpleHTTPRequestHandler).serve_forever()\n"
    )
    built = builds.image(app({"main.py": code}))

    assert built.code == 0, built.output
    assert "The app names no packages" in built.output
    with built.serve() as served:
        assert "main.py" in served.fetch()
        assert served.stop() is not None


def test_image_without_a_process_prints_what_to_add(builds: Builds, app: App) -> None:
    built = builds.image(app({"requirements.txt": "", "shop/__init__.py": ""}))

    assert built.code == 0, built.output
    with built.serve() as served:
        assert served.process.wait(30) == 78
        assert "[tool.cnb-python.processes]" in served.output
