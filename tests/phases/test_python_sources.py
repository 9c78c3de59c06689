"""Version sources of an app, and where its Python is downloaded from."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnb_python.python.mirror import DOWNLOADS
from tests.support.builds import Builds
from tests.support.trees import App, Files, write_files
from tools.platforms import oci
from tools.pythons import interpreters, mirror, runtimes

OLDER, NEWER = mirror.VERSIONS
NO_PACKAGES = {"requirements.txt": "", "Procfile": "web: python -m http.server $PORT"}
RANGE = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.13,<3.14"\n'
POETRY = '[tool.poetry.dependencies]\npython = "~3.13"\n'
LOCK = json.dumps({"_meta": {"requires": {"python_version": "3.13"}}}, indent=2)


def with_packages(files: Files) -> Files:
    """Add an empty requirements file, unless there is a lock file."""
    return files if "Pipfile.lock" in files else {**NO_PACKAGES, **files}


type Chosen = Callable[..., str]
"""Returns the log of a build of files, which ends when it downloads Python."""


@pytest.fixture(scope="module")
def no_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a table without archives, so that builds end when they download Python."""
    archives = [(v, oci.arch(), interpreters.archive(v, oci.arch())) for v in mirror.VERSIONS]
    table = {"python.toml": runtimes.table(archives)}
    with mirror.serving(write_files(tmp_path_factory.mktemp("mirror"), table)) as url:
        yield f"{url}/python.toml"


@pytest.fixture
def chosen(builds: Builds, app: App, no_files: str) -> Chosen:
    def build(files: Files, **env: str) -> str:
        directory = app(with_packages(files))
        built = builds.phases(directory, env={"BP_PYTHON_MIRROR": no_files, **env})
        assert "could not be downloaded" in built.error
        return built.output

    return build


@pytest.mark.parametrize(
    ("files", "line"),
    [
        ({}, f"{NEWER} (default)"),
        (
            {".python-version": "\ufeff# web\r\n\r\n3.13\r\n"},
            f"{OLDER} (.python-version, line 3)",
        ),
        ({".python-version": "python-3.13.x\n"}, f"{OLDER} (.python-version, line 1)"),
        ({"runtime.txt": "python-3.13\n"}, f"{OLDER} (runtime.txt, line 1)"),
        ({"pyproject.toml": RANGE}, f"{OLDER} (requires-python in pyproject.toml, line 4)"),
        ({"pyproject.toml": POETRY}, f"{OLDER} (python in pyproject.toml, line 2)"),
        (
            {"Pipfile": "", "Pipfile.lock": LOCK},
            f"{OLDER} (python_version in Pipfile.lock, line 4)",
        ),
        ({".tool-versions": "python 3.13 3.9\n"}, f"{OLDER} (.tool-versions, line 1)"),
        ({"mise.toml": '[tools]\npython = ["3.13", "3.9"]\n'}, f"{OLDER} (mise.toml, line 2)"),
        (
            {
                ".config/mise/config.toml": '[tools]\npython = "3.13"\n',
                "setup.py": "from setuptools import setup\nsetup(python_requires='>=3.10')\n",
            },
            f"{OLDER} (.config/mise/config.toml, line 2)",
        ),
        (
            {"setup.py": "from setuptools import setup\nsetup(python_requires='<3.14')\n"},
            f"{OLDER} (python_requires in setup.py, line 2)",
        ),
    ],
)
def test_each_source_is_read_and_named(chosen: Chosen, files: Files, line: str) -> None:
    assert f"  Using Python {line}\n" in chosen(files)


def test_setting_may_be_a_range(chosen: Chosen) -> None:
    output = chosen({".python-version": "3.14"}, BP_PYTHON_VERSION=">=3.12,<3.14")

    assert f"  Using Python {OLDER} (the setting BP_PYTHON_VERSION)\n" in output
    assert "[Warning: .python-version names a different Python than the image has]" in output


def test_an_unused_version_file_gets_a_warning(chosen: Chosen) -> None:
    output = chosen({".python-version": "3.14", "runtime.txt": "python-3.13"})

    assert "[Warning: runtime.txt is deprecated]" in output
    assert "echo 3.13 > .python-version && git rm runtime.txt" in output
    assert f"The image has Python {OLDER}, as requested by runtime.txt, line 1: 3.13." in output


@pytest.mark.parametrize(
    ("files", "title"),
    [
        (
            {".python_version": "3.13"},
            "'.python_version' is not read: the version file is named .python-version",
        ),
        ({".python-version": "pypy3.11"}, "PyPy is not supported"),
        ({".python-version": "miniconda3-latest"}, "Miniconda is not supported"),
        ({".python-version": "2.7.18"}, "Python 2 reached its end of life on 2020-01-01"),
        ({".python-version": "3.13".encode("utf-16")}, ".python-version is UTF-16 text"),
        ({".python-version": "3.13\u200b"}, r"'3.13\\u200b' is not a Python version"),
        ({"runtime.txt": "python-3.9.2"}, "Python 3.9 reached its end of life on 2025-10-31"),
        (
            {"pyproject.toml": '[project]\nrequires-python = "<3.10"\n'},
            "No supported Python satisfies <3.10",
        ),
        (
            {"pyproject.toml": '[project]\nrequires-python = "^3.10"\n'},
            "'^3.10' is not a range of Python versions",
        ),
        ({"Pipfile": "", "Pipfile.lock": "{"}, "Pipfile.lock is not valid JSON"),
        ({"mise.toml": "[tools"}, "mise.toml is not valid TOML"),
    ],
)
def test_a_request_that_cannot_be_met_is_explained(
    builds: Builds, app: App, files: Files, title: str
) -> None:
    built = builds.phases(app(with_packages(files)))

    assert built.error.partition("\n")[0] == title
    assert "To fix this:" in built.error
    assert built.documents() == {}


def test_a_lock_and_a_version_file_that_contradict_each_other_are_both_named(
    builds: Builds, app: App
) -> None:
    project = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.14"\n'
    lock = 'version = 1\nrequires-python = ">=3.14"\n'
    files: Files = {"pyproject.toml": project, "uv.lock": lock, ".python-version": "3.13\n"}

    built = builds.phases(app(files))

    assert built.error == (
        ".python-version, line 1 and requires-python in pyproject.toml, line 4"
        " contradict each other\n\n"
        f"Found:    3.13, which is Python {OLDER} (.python-version, line 1).\n"
        "Expected: a version in the range >=3.14 (requires-python in pyproject.toml, line 4).\n"
        "The package manager installs nothing into a Python outside of that range.\n\n"
        "To fix this:\n"
        "  - Change the version in .python-version, line 1 to one in that range: 3.14\n"
        "  - Or widen requires-python in pyproject.toml, line 4, and update the lock file."
    )


def test_python_is_mirrored_by_a_binding_and_a_sticky_app_stays_on_its_line(
    builds: Builds, app: App, no_files: str, tmp_path: Path
) -> None:
    archive = interpreters.archive(OLDER, oci.arch())
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    # With URLs of the release host, as in the buildpack's table; the binding has a mirror of it.
    table = (
        f'[[release]]\nversion = "{OLDER}"\narch = "{oci.arch()}"\n'
        f'url = "{DOWNLOADS}/1/{archive.name}"\nsha256 = "{sha256}"\n'
    )
    path = f"github.com/{DOWNLOADS.partition('github.com/')[2]}/1/{archive.name}"
    files: Files = {"python.toml": table, path: archive.read_bytes()}
    directory = app({**NO_PACKAGES, "runtime.txt": "python-3.13"})
    with mirror.serving(write_files(tmp_path / "mirror", files)) as url:
        entries: Files = {"type": "dependency-mirror", "default": f"{url}/{{originalHost}}"}
        first = builds.image(
            directory,
            env={"BP_PYTHON_MIRROR": f"{url}/python.toml"},
            bindings=write_files(tmp_path / "bindings/mirrors", entries).parent,
        )
    assert first.code == 0, first.output
    assert first.run("python", "-V") == f"Python {OLDER}\n"

    (directory / "runtime.txt").unlink()
    # No download is possible now, or needed.
    env = {"BP_PYTHON_MIRROR": no_files, "BP_PYTHON_STICKY": "1"}
    second = builds.image(directory, after=first, env=env)
    assert second.code == 0, second.output
    assert f"Using Python {OLDER} (the previous build, BP_PYTHON_STICKY)" in second.output
    assert "Nothing changed" in second.output
