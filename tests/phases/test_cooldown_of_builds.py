"""The age of packages with every manager, and of what builds a package; with the real tools."""

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support import company_codec, index
from tests.support.builds import Builds
from tests.support.index import Index
from tests.support.manager_cases import Lock, locked_by, locked_by_uv, nothing
from tests.support.trees import write_files
from tests.support.wheels import wheel

pytestmark = [
    pytest.mark.thorough,
    # uv closes connections early, which pypiserver's files do not survive tidily.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
YOUNG = "Packages are younger than 7 days"
DAY = 24 * 60 * 60
PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.14,<4"
dependencies = ["company-tools", "company-codec"]
"""
OF_POETRY = (
    '[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "ours"\nurl = "{}"\n'
)
OF_PDM = "[tool.pdm]\ndistribution = false\n"
OF_UV = '[[tool.uv.index]]\nname = "ours"\nurl = "{}"\ndefault = true\n'
PIPFILE = (
    '[[source]]\nname = "ours"\nurl = "{}"\nverify_ssl = true\n'
    '[packages]\ncompany-tools = "*"\ncompany-codec = "*"\n'
)
EXACT = "company-tools==1.0\ncompany-codec==1.0\n"
BY_PIP = {"PIP_INDEX_URL": "{}", "BP_PYTHON_INSTALLER": "pip"}

type App = tuple[Mapping[str, str], Mapping[str, str], Lock]
"""Files, variables of the build, and what locks them; `{}` is the address of the index."""

APPS: dict[str, App] = {
    "pip": ({"requirements.txt": EXACT}, BY_PIP, nothing),
    "uv": ({"pyproject.toml": PROJECT + OF_UV}, {}, locked_by_uv("lock")),
    "poetry": ({"pyproject.toml": PROJECT + OF_POETRY}, {}, locked_by("poetry")),
    "pdm": (
        {"pyproject.toml": PROJECT + OF_PDM, "pdm.toml": '[pypi]\nurl = "{}"\n'},
        {},
        locked_by("pdm"),
    ),
    "pipenv": ({"Pipfile": PIPFILE}, {}, locked_by("pipenv")),
}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    """An index with a package of three days, and one that an old or a new backend builds."""
    directory = tmp_path_factory.mktemp("packages")
    ages = {
        wheel(directory, "company-tools", "1.0", {"company_tools.py": ""}): 3,
        company_codec.add_backend(directory, "1.0", "old"): 30,
        company_codec.add_backend(directory, "2.0", "new"): 1,
        company_codec.add_sdist(directory): 30,
    }
    for path, days in ages.items():
        uploaded = time.time() - days * DAY
        os.utime(path, (uploaded, uploaded))
    with index.running(directory, times=True) as running:
        yield running


@pytest.mark.parametrize(
    "manager",
    [
        *("pip", "uv", "poetry"),
        *(pytest.param(name, marks=pytest.mark.matrix) for name in ("pdm", "pipenv")),
    ],
)
def test_packages_and_what_builds_them_are_old_enough(
    builds: Builds, packages: Index, tmp_path: Path, manager: str
) -> None:
    files, settings, lock = APPS[manager]
    texts = {name: text.replace("{}", packages.url) for name, text in files.items()}
    app = write_files(
        tmp_path / "app", {**texts, "Procfile": "web: python -m http.server $PORT\n"}
    )
    lock(app, packages, {})
    env = {name: value.replace("{}", packages.url) for name, value in settings.items()}
    before = len(packages.requests)

    refused = builds.phases(app, env={**env, "BP_PYTHON_COOLDOWN": "7 days"})

    # pip resolves pins without hashes: without building, which young backends would do.
    title = "No releases that are old enough can be installed" if manager == "pip" else YOUNG
    assert refused.error.startswith(f"{title}\n"), refused.output
    assert "company-tools" in refused.error
    assert "company-codec" not in refused.error
    requested = " ".join(packages.requests[before:])
    # To read what a wheel requires, pip and uv may download it, which runs nothing of it.
    assert "/packages/company_codec" not in requested
    assert "/packages/company_backend" not in requested

    built = builds.phases(app, env={**env, "BP_PYTHON_COOLDOWN": "2 days"})

    assert built.code == 0, built.output
    assert "Uploaded at least 2 days ago: 2 packages" in built.output
    downloaded = " ".join(packages.requests[before:])
    assert "/packages/company_backend-1.0-" in downloaded
    assert "/packages/company_backend-2.0-" not in downloaded


def test_build_without_an_old_enough_backend_names_the_limit(
    builds: Builds, tmp_path: Path
) -> None:
    directory = tmp_path / "packages"
    directory.mkdir()
    sdist = company_codec.add_sdist(directory)
    uploaded = time.time() - 30 * DAY
    os.utime(sdist, (uploaded, uploaded))
    company_codec.add_backend(directory, "2.0", "new")
    app = write_files(tmp_path / "app", {"requirements.txt": "company-codec==1.0\n", "app.py": ""})
    with index.running(directory, times=True) as young:
        env = {"PIP_INDEX_URL": young.url, "BP_PYTHON_COOLDOWN": "7 days"}

        refused = builds.phases(app, env=env)

    assert refused.code != 0, refused.output
    assert "company-backend" in refused.error
    assert " were left out (cooldown)\n" in refused.output


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_excepted_package_is_new_and_the_others_are_old(
    builds: Builds, tmp_path: Path, installer: str
) -> None:
    directory = tmp_path / "packages"
    directory.mkdir()
    for name in ("company-tools", "other-tools"):
        for version, days in (("1.0", 30), ("2.0", 1)):
            path = wheel(directory, name, version, {f"{name.replace('-', '_')}.py": ""})
            uploaded = time.time() - days * DAY
            os.utime(path, (uploaded, uploaded))
    app = write_files(
        tmp_path / "app", {"requirements.txt": "company-tools\nother-tools\n", "app.py": ""}
    )
    env = {
        "BP_PYTHON_COOLDOWN": "7 days",
        "BP_PYTHON_COOLDOWN_EXCEPT": "company-tools",
        "BP_PYTHON_INSTALLER": installer,
        # Later than the cooldown allows.
        "PIP_UPLOADED_PRIOR_TO": "P0D",
        "UV_EXCLUDE_NEWER": "1 hour",
    }
    with index.running(directory, times=True) as both:
        own = "UV_DEFAULT_INDEX" if installer == "uv" else "PIP_INDEX_URL"

        built = builds.phases(app, env={**env, own: both.url})

    assert built.code == 0, built.output
    sites = built.layers.glob("*/lib/python3.14/site-packages/*.dist-info")
    assert {path.name for path in sites} == {
        "company_tools-2.0.dist-info",
        "other_tools-1.0.dist-info",
    }
    assert f"{installer} leaves out releases since " in built.output
    assert "Uploaded at least 7 days ago: 1 package" in built.output
