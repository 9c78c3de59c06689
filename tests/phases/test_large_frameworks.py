"""Frameworks whose packages are large or many: `make frameworks`, by hand.

The large ones are built alone, and found by the build. The others share an image.
"""

import html
import re
import time
from urllib.error import HTTPError
from urllib.parse import urljoin

import pytest

from tests.support.builds import Builds, Built
from tests.support.found_commands import Sample, image_of_samples
from tests.support.large_samples import WEB, WORKERS
from tests.support.trees import App
from tests.support.web_samples import FURTHER_WEB_SAMPLES, GRPC
from tools.platforms.serving import Served

# The exit codes with a handler for SIGTERM, and without one, as a shell reports it.
ENDED_BY_TERM = {0, 143}


def build(builds: Builds, app: App, sample: Sample) -> Built:
    files = {**sample.files, "requirements.txt": f"{sample.packages}\n"}
    built = builds.image(app(files), env={"BP_PYTHON_INSTALLER": "uv"})
    assert built.code == 0, built.output
    return built


def fetched(served: Served, path: str) -> str:
    """Return the text at *path*; wait for it, since Ray listens before it has the app."""
    deadline = time.monotonic() + 240
    while True:
        try:
            return served.fetch(path, patience=240)
        except HTTPError as error:
            error.close()
            if error.code not in {404, 503} or time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def scripts(page: str, path: str) -> list[str]:
    """Return the paths of the scripts that *page* at *path* loads from its own server."""
    found = re.findall(r"<script[^>]*\ssrc=\"([^\":]+)\"", page)
    return [urljoin(path, html.unescape(each)) for each in found if not each.startswith("//")]


@pytest.mark.parametrize("name", WEB)
def test_framework_serves_and_ends(builds: Builds, app: App, name: str) -> None:
    sample = WEB[name]
    with build(builds, app, sample).serve(env=sample.env) as served:
        page = fetched(served, sample.path)
        assert sample.expected in page
        for script in scripts(page, sample.path):
            assert served.fetch(script), script
        assert served.stop() in ENDED_BY_TERM, served.output


@pytest.mark.parametrize("name", WORKERS)
def test_worker_looks_for_its_server_and_ends(builds: Builds, app: App, name: str) -> None:
    sample = WORKERS[name]
    with build(builds, app, sample).serve("worker", env=sample.env) as served:
        assert served.prints(sample.expected, patience=60), served.output
        assert served.stop() in ENDED_BY_TERM, served.output


@pytest.fixture(scope="module")
def further_apps(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """An image with all further apps and packages; a process for each."""
    samples = {**FURTHER_WEB_SAMPLES, "grpc_app": GRPC}
    return image_of_samples(builds, samples, tmp_path_factory.mktemp("further"))


@pytest.mark.parametrize("name", FURTHER_WEB_SAMPLES)
def test_found_command_serves_and_stops(further_apps: Built, name: str) -> None:
    sample = FURTHER_WEB_SAMPLES[name]
    with further_apps.serve(name) as served:
        assert sample.expected in served.fetch(sample.path, patience=120)
        assert served.stop() is not None, served.output


def test_grpc_server_answers_and_stops(further_apps: Built) -> None:
    ask = (
        "import grpc, sys\nask = grpc.insecure_channel(sys.argv[1]).unary_unary('/shop/Hello')\n"
        "print(ask(b'Ada', wait_for_ready=True, timeout=20))"
    )
    with further_apps.serve("grpc_app") as served:
        assert (
            further_apps.run("python", "-c", ask, f"127.0.0.1:{served.port}") == "b'Hello Ada'\n"
        )
        assert served.stop() is not None, served.output
