"""Recorded output of pip 26.3 and uv 0.13.8 for projects of the app that cannot be built."""

from pathlib import Path

import pytest

from cnb_python.errors.base import BuildpackError
from cnb_python.errors.packages.building import MissingForBuild
from cnb_python.errors.projects import ProjectNotBuildable
from cnb_python.managers.build_errors import build_failure
from cnb_python.managers.project_errors import local_project
from cnb_python.managers.uv import errors as uv_errors
from tests.support.messages import explained

DATA = Path(__file__).parent / "data"
PYTHON = "3.14.6"
# What stands in every message about a package of an index.
ABOUT_PACKAGES = ("has no wheel", "Use a version of", "Use a newer version", ".python-version")

EXPECTED = {
    "flat_layout": ("several packages", "'web', 'api'", "`py-modules = []`"),
    "hatch": ("no files", "", '`packages = ["api"]` below [tool.hatch.build.targets.wheel]'),
    "flit": ("no files", "", "`name` below [tool.flit.module]"),
    "poetrycore": ("no files", "", "`packages` below [tool.poetry]"),
    "uvb": ("no files", "", "`module-name` and `module-root` below [tool.uv.build-backend]"),
    "readmehatch": ("missing file", "README.md", "Add README.md to the repository"),
    "open": ("missing file", "README.rst", "Add README.rst to the repository"),
    "scm": ("setuptools-scm", "", "--env SETUPTOOLS_SCM_PRETEND_VERSION=1.0"),
    "hatchvcs": ("setuptools-scm", "", 'fallback-version = "0"` below [tool.hatch.version]'),
    "git": ("Git", "", "Write a fixed version"),
    "reqpy": ("specifier", "", 'requires-python = ">=3.12"'),
    "norequires": ("pyproject", "", 'it needs at least `requires = ["setuptools"]`'),
    "badrequires": ("pyproject", "", "Correct pyproject.toml"),
    "nobackend": ("undeclared module", "setuptools.build_met", "`requires` below [build-system]"),
    "numpy": ("undeclared module", "numpy", "`requires` below [build-system]"),
    "self": ("undeclared module", "flask", "Do not import flask, or modules of the app that do"),
    "pipreq": ("parse_requirements", "pip", "open('requirements.txt')"),
    "pkgres": ("removed module", "pkg_resources", 'requires = ["setuptools<82"]'),
    "py2": (
        "Python 2",
        "SyntaxError: Missing parentheses in call to 'print'.",
        "Convert setup.py",
    ),
    "exit": ("refusal", "shop needs Python 3.11 or older", "Do what the message says"),
    "exit1": ("other", "it gave no reason", "pip wheel --no-deps ."),
}
"""By recording: the reason, how its detail starts, and a part of a fix that the tools confirm."""


def failure_of(name: str, tool: str) -> BuildpackError | None:
    output = (DATA / f"{name}.{tool}.txt").read_text(encoding="utf-8")
    return build_failure(output, PYTHON) if tool == "pip" else uv_errors.recognize(output, PYTHON)


@pytest.mark.parametrize("tool", ["pip", "uv"])
@pytest.mark.parametrize("name", EXPECTED)
def test_reason_is_named(name: str, tool: str) -> None:
    reason, detail, fix = EXPECTED[name]

    failure = failure_of(name, tool)

    assert isinstance(failure, ProjectNotBuildable)
    assert (failure.project, failure.reason) == ("", reason)
    assert failure.detail.startswith(detail)
    text = explained(failure)
    assert fix in text
    assert [words for words in ABOUT_PACKAGES if words in text] == []
    assert "file://" not in text


def test_every_recording_is_read() -> None:
    assert {file.name.split(".")[0] for file in DATA.glob("*.txt")} == EXPECTED.keys()


@pytest.mark.parametrize(
    ("package", "output", "project"),
    [
        ("shop", "error: Failed to build `shop @ file:///workspace`\n", "."),
        ("lib", "error: Failed to build `lib @ file://libs/lib`\n", "libs/lib"),
        ("lib", "error: Failed to build `lib @ file:///workspace/lib-1.0.tar.gz`\n", ""),
        ("lib", "error: Failed to build `lib @ git+https://git.example.org/lib`\n", ""),
        ("lib", "error: Failed to build `lib==1.0`\n", ""),
        (
            "file://libs/lib",
            "Obtaining file://libs/lib (from -r requirements.txt (line 1))\n",
            "libs/lib",
        ),
        ("lib", "Processing ./libs/lib (from -r requirements.txt (line 1))\n", "libs/lib"),
        ("lib", "Obtaining file:///workspace\nProcessing ./libs/lib\n", "lib"),
        ("lib", "Obtaining file:///workspace\nCollecting lib==1.0\n", ""),
        ("lib", "Processing ./wheels/lib-1.0.tar.gz\n", ""),
        ("lib", "Collecting lib\n  Downloading lib-1.0.tar.gz\n", ""),
    ],
)
def test_project_of_the_app_differs_from_a_package_of_an_index(
    package: str, output: str, project: str
) -> None:
    assert local_project(package, output) == project


def test_missing_compiler_of_a_project_needs_no_other_version() -> None:
    output = (DATA / "open.pip.txt").read_text(encoding="utf-8")
    failure = build_failure(output.replace("README.rst", "clang"), PYTHON)

    assert isinstance(failure, MissingForBuild)
    text = explained(failure)
    assert "The app needs the program clang" in text
    assert [words for words in ABOUT_PACKAGES if words in text] == []
