"""Requirements that cannot be installed, each explained by one message that a user can act on."""

from collections.abc import Callable

import pytest

from tests.support.builds import Builds, Built
from tests.support.trees import App, Files

SIX = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
type Try = Callable[[Files], Built]

RENAME = """\
No requirements.txt, but {0}

Found:    {0}, which no tool reads.
Expected: requirements.txt, in lower-case letters.

To fix this:
  - Rename it: git mv '{0}' requirements.txt"""


@pytest.fixture
def tried(builds: Builds, flask: Built, app: App) -> Try:
    """Build an app of these files, going on from an earlier build of it."""
    return lambda files: builds.phases(app(files), after=flask)


def test_no_requirements_file(builds: Builds, app: App) -> None:
    built = builds.phases(app({"main.py": "import flask", "README.md": ""}))
    assert (
        built.error
        == """\
No requirements.txt

This looks like a Python app, but no file says which packages it needs.
The top of the app contains README.md, main.py.

To fix this:
  - Create requirements.txt at the top of the app, one package per line: flask==3.1.2
  - Or if the app needs no packages, create an empty file: touch requirements.txt
  - Or if you have the file on your machine, check that it is in the repository, and that no\
 .gitignore or project.toml excludes it."""
    )
    assert built.documents() == {}


@pytest.mark.parametrize(
    "name",
    [
        *("requirement.txt", "requirements.txt.txt", "requirments.txt", "Requirements.txt"),
        *("requirements.text", "requirements.txt "),
    ],
)
def test_a_misspelt_requirements_file_is_named(builds: Builds, app: App, name: str) -> None:
    assert builds.phases(app({name: "flask"})).error == RENAME.format(name)


def test_a_directory_in_place_of_the_file(builds: Builds, app: App) -> None:
    built = builds.phases(app({"requirements.txt": None, "app.py": ""}))
    assert (
        built.error
        == """\
requirements.txt is not a file

Found:    a directory.
Expected: a text file at the top of the app.

To fix this:
  - Rename it, and create the file requirements.txt.
  - Or delete it, if the app does not need it."""
    )


def test_a_file_that_is_not_utf8(builds: Builds, app: App) -> None:
    built = builds.phases(app({"requirements.txt": b"flask\n# f\xfcr Kunden\n"}))
    assert (
        built.error
        == """\
requirements.txt is not UTF-8 text

Found:    the byte 0xfc in line 2.
Expected: UTF-8, as Python's tools read this file.

To fix this:
  - Save it as UTF-8 in your editor.
  - Or convert it: iconv -f WINDOWS-1252 -t UTF-8 requirements.txt > fixed && mv fixed\
 requirements.txt"""
    )


def test_utf16_from_powershell_is_installed_with_a_warning(tried: Try) -> None:
    text = "six==1.17.0\r\n".encode("utf-16")
    built = tried({"requirements.txt": text, "Procfile": "web: python -V"})
    assert built.code == 0, built.output
    assert "[Warning: requirements.txt is not UTF-8 text]" in built.output
    assert "requirements.txt is saved as UTF-16, as PowerShell's > does." in built.output
    assert [*built.layers.glob("venv/lib/python3.14/site-packages/six.py")]


def test_variables_that_misplace_packages_are_refused_all_at_once(
    builds: Builds, app: App
) -> None:
    misplacing = {"PIP_TARGET": "/elsewhere", "PIP_USER": "1"}
    built = builds.phases(app({"requirements.txt": ""}), env=misplacing)
    assert (
        built.error
        == """\
Unsupported environment variables are set

Found:
  - PIP_TARGET: pip would install outside the app's environment
  - PIP_USER: pip would install to the home of the build's user
With them, packages would be missing in the image or made for another Python, or the variable\
 would have no effect.

To fix this:
  - Remove them from the environment of the build (`--env`, project.toml, the platform).
  - Or if you did not set them, find the earlier buildpack that does."""
    )


def test_a_line_that_is_no_requirement(tried: Try) -> None:
    built = tried({"requirements.txt": "six\nflask=3.1.2\n"})
    title, found, steps = built.error.split("\n\n")
    assert title == "A line of requirements.txt is not valid"
    assert "Found:    flask=3.1.2 (line 2 of requirements.txt)" in found
    assert steps == (
        "To fix this:\n  - Write two equals signs: name==version\n  - Or correct the line."
    )


def test_an_included_file_that_does_not_exist(tried: Try) -> None:
    built = tried({"requirements.txt": "-r prod.txt\n"})
    assert (
        built.error
        == """\
prod.txt is included but cannot be opened

A line with -r or -c names prod.txt: No such file or directory.
Such paths are relative to the file that includes them.

To fix this:
  - Correct the path.
  - Or remove the line.
  - Or if you have the file on your machine, check that it is in the repository, and that no\
 .gitignore or project.toml excludes it."""
    )


def test_a_hash_that_does_not_match(tried: Try) -> None:
    wrong = "0" * 64
    built = tried({"requirements.txt": f"six==1.17.0 --hash=sha256:{wrong}\n"})
    title, found, steps = built.error.split("\n\n")
    assert title == "six==1.17.0 does not have the expected hash"
    actual, expected, meaning = found.split("\n")
    assert len(actual.removeprefix("Found:    ")) == 64
    assert expected == f"Expected: sha256 {wrong}"
    assert meaning == (
        "The hashes were not updated with the version, or the index now has another file. It was"
        " not installed."
    )
    assert steps == (
        "To fix this:\n"
        "  - If you changed the version, update its hashes: pip-compile --generate-hashes, or uv"
        " export\n"
        "  - Or if you did not, find out where the file comes from before you trust it."
    )


def test_requirements_without_a_hash_beside_one_with(tried: Try) -> None:
    lines = f"six==1.17.0 --hash=sha256:{SIX}\nmarkupsafe\n"
    built = tried({"requirements.txt": lines})
    assert built.error.startswith("Requirements with hashes must be complete and pinned\n\n")
    assert "\n  - markupsafe\n" in built.error


def test_a_package_without_a_wheel_for_this_python(tried: Try) -> None:
    built = tried({"requirements.txt": "tensorflow-cpu==2.12.0\n"})
    assert (
        built.error
        == """\
tensorflow-cpu==2.12.0 has no wheel for Python 3.14.6

Found:    wheels for Python 3.8, 3.9, 3.10, 3.11 on Linux, and no source code.
Expected: a wheel for Python 3.14.6 on this image.

To fix this:
  - Use Python 3.11, for which this version has a wheel: echo 3.11 > .python-version"""
    )


def test_a_package_for_another_python(tried: Try) -> None:
    built = tried({"requirements.txt": "numpy==1.21.5\n"})
    assert (
        built.error
        == """\
numpy==1.21.5 needs another Python

Found:    Python 3.14.6, the Python of the app.
Expected: Python >=3.7,<3.11, for numpy==1.21.5.

To fix this:
  - Use a newer version, which has a wheel for Python 3.14: numpy==2.3.2
  - Or use Python 3.10, for which this version has a wheel: echo 3.10 > .python-version"""
    )


def test_a_source_package_without_its_header(tried: Try) -> None:
    built = tried({"requirements.txt": "python-ldap==3.4.4\n"})
    assert (
        built.error
        == """\
python-ldap needs the header lber.h

python-ldap has no wheel for Python 3.14.6 on this image, so it is built from source.
Its build needs the header lber.h, which is not in the build image.

To fix this:
  - Use a version of python-ldap that has a wheel for this Python, if there is one.
  - Or add the line `system-packages = ["libldap-dev"]` to [tool.cnb-python] in pyproject.toml, or\
 set BP_PYTHON_SYSTEM_PACKAGES=libldap-dev.
  - Or use a build image that has the package. The run image needs the library as well."""
    )
    assert "lber.h: No such file or directory" in built.output


def test_a_name_that_nobody_knows(tried: Try) -> None:
    built = tried({"requirements.txt": "flask-that-nobody-has-ever-made\n"})
    title, found, _ = built.error.split("\n\n")
    assert title == "There is no package flask-that-nobody-has-ever-made"
    assert found.startswith("The index does not have flask-that-nobody-has-ever-made.")


def test_requirements_that_contradict_each_other(tried: Try) -> None:
    built = tried({"requirements.txt": "jinja2==3.1.6\nmarkupsafe==1.1.1\n"})
    assert built.error.startswith("Requirements contradict each other\n\n")
    assert "The user requested markupsafe==1.1.1" in built.error


def test_a_git_repository_that_does_not_answer(tried: Try) -> None:
    built = tried({"requirements.txt": "git+https://127.0.0.1:1/team/tools.git\n"})
    title, found, steps = built.error.split("\n\n")
    assert title == "A Git repository could not be fetched"
    asked, answer = found.split("\n")
    assert asked == "Requirement: git+https://127.0.0.1:1/team/tools.git"
    assert answer.startswith("Git reports: unable to access 'https://127.0.0.1:1/team/tools.git/'")
    assert "  - Correct the address.\n" in steps


def test_a_failed_build_makes_no_image(builds: Builds, app: App) -> None:
    failed = builds.image(app({"requirements.txt": None}))
    assert failed.error.startswith("requirements.txt is not a file\n")
    assert not failed.directory.exists()
