"""System packages of Debian work in built images.

The images run read-only, without capabilities, as a user that does not exist in them, in the root
file system of the run image. docs/how-to/system-packages.md lists the packages.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built
from tests.support.debian_samples import DATABASES, SAMPLES, Job, SystemSample
from tests.support.trees import App, write_files
from tools.package.assemble import ROOT

PAGE = ROOT / "docs/how-to/system-packages.md"
# Seconds for one program, on a machine that does other work too.
PATIENCE = 120
JOBS = [(sample, job) for sample in SAMPLES for job in sample.jobs]

type Image = Callable[[SystemSample], Built]


@pytest.fixture(scope="module")
def image(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """Return a function that builds the image of a sample, once."""
    made: dict[str, Built] = {}

    def build(sample: SystemSample) -> Built:
        if sample.id not in made:
            directory = write_files(tmp_path_factory.mktemp(sample.id) / "app", sample.files)
            directory.chmod(0o755)
            made[sample.id] = builds.image(directory, flask)
        built = made[sample.id]
        assert built.code == 0, built.output
        return built

    return build


@pytest.mark.parametrize(("sample", "job"), JOBS, ids=[job.id for _, job in JOBS])
def test_package_works_in_the_image(image: Image, sample: SystemSample, job: Job) -> None:
    command = ("launcher", "--", "python", "-c", job.code)
    with image(sample).serve(*command, writable_tmp=True) as served:
        code = served.process.wait(PATIENCE)
        assert re.search(job.expected, served.output), served.output
        assert code == 0, served.output


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.id)
def test_warnings_do_not_name_the_base_system(image: Image, sample: SystemSample) -> None:
    warning = re.search(
        r"The build image has these libraries\.[^\n]*((?:\n  - .*)*)", image(sample).output
    )
    assert "for system-packages\n" not in (f"{warning[1]}\n" if warning else "")


def test_rebuild_reuses_the_layer_and_the_sbom_lists_it(
    builds: Builds, image: Image, tmp_path: Path
) -> None:
    built = image(DATABASES)
    directory = write_files(tmp_path / "app", {**DATABASES.files, "app.py": "print('new')\n"})
    directory.chmod(0o755)

    again = builds.image(directory, built)

    assert again.code == 0, again.output
    assert re.search(r"Reusing \d+ system packages from the previous image", again.output)
    assert "with apt" not in again.output
    assert again.layer("system-packages") == built.layer("system-packages")
    for each in (built, again):
        packed = json.loads((each.layers / "system-packages.sbom.cdx.json").read_text())
        urls = {component["purl"].partition("@")[0] for component in packed["components"]}
        assert urls >= {"pkg:deb/debian/libpq5", "pkg:deb/debian/libsqliteodbc"}
        assert "pkg:deb/debian/libpq-dev" not in urls


@pytest.mark.parametrize(
    ("requirement", "reason", "packages"),
    [
        ("psycopg2", "psycopg2 needs the program pg_config", "libpq-dev"),
        ("mysqlclient", "mysqlclient needs the ", "default-libmysqlclient-dev"),
        ("cairosvg", "libcairo.so.2", "libcairo2"),
        ("pyzbar", "libzbar.so.0", "libzbar0"),
    ],
)
def test_error_names_the_missing_package_and_the_setting(
    builds: Builds, flask: Built, app: App, requirement: str, reason: str, packages: str
) -> None:
    directory = app({"requirements.txt": f"{requirement}\n", "Procfile": "web: python -V\n"})

    built = builds.image(directory, flask)

    assert built.code != 0
    assert reason in built.error
    assert re.search(rf'system-packages = \["{packages}"\]', built.error), built.error


@pytest.mark.parametrize(
    ("package", "reason"),
    [
        ("avahi-daemon", "its installation adds a user or a group"),
        ("default-jre-headless", "its installation waits until another package"),
        ("cron", "its installation registers a service"),
        ("mount", "its program /usr/bin/mount runs as another user"),
        ("mecab-ipadic-utf8", "its installation compiles a dictionary"),
    ],
)
def test_unsupported_package_is_refused(
    builds: Builds, flask: Built, app: App, package: str, reason: str
) -> None:
    sample = SystemSample("refused", (), (package,), ())

    built = builds.image(app(sample.files), flask)

    assert built.code != 0
    assert package in built.error
    assert reason in built.error


def test_page_lists_what_is_tried() -> None:
    (tried,) = re.findall(r"(?s)## What was tried\n(.*?)\n## ", PAGE.read_text())
    for sample in SAMPLES:
        for name in (*sample.requirements, *sample.packages):
            assert f"`{name}`" in tried or name.partition("==")[0] in tried, name
