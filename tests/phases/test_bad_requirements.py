"""Requirements that cannot be installed, each explained by one message that a user can act on."""

from collections.abc import Callable

import pytest

from tests.support.builds import Builds, Built
from tests.support.trees import App, Files

SIX = "4721f391ed90541fddacab5acf947aa0d3dc7d27b2e1e8eda2be8970586c3274"
type Try = Callable[[Files], Built]

RENAME = """\
No requirements.txt, but {0}

The app has {0}, which no tool reads.
The file's name must be exactly requirements.txt, in small letters.

What to do:
  1. Rename it: git mv '{0}' requirements.txt
  2. Commit and build again."""


@pytest.fixture
def tried(builds: Builds, flask: Built, app: App) -> Try:
    """Build an app of these files, going on from an earlier build of it."""
    return lambda files: builds.phases(app(files), after=flask)


def test_no_requirements_file(builds: Builds, app: App) -> None:
    built = builds.phases(app({"main.py": "print()", "README.md": ""}))
    assert (
        built.error
        == """\
No requirements.txt

This looks like a Python app, but nothing says which packages it needs.
The top of the app holds: README.md, main.py.

What to do:
  1. Create requirements.txt at the top of the app, one package per line: flask==3.1.2
  2. An app that needs no packages needs an empty one: touch requirements.txt
  3. If you have the file on your machine: is it committed, in no .gitignore, and not excluded in\
 project.toml?"""
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

The app has requirements.txt, but it is a directory.
requirements.txt must be a text file at the top of the app.

What to do:
  1. Look at it: ls -ld requirements.txt
  2. Move it out of the way and create the file requirements.txt in its place, or delete it if\
 the app does not need it."""
    )


def test_a_file_that_is_not_utf8(builds: Builds, app: App) -> None:
    built = builds.phases(app({"requirements.txt": b"flask\n# f\xfcr Kunden\n"}))
    assert (
        built.error
        == """\
requirements.txt is not UTF-8 text

Line 2 of requirements.txt holds the byte 0xfc, which is not UTF-8.
Python's tools read this file as UTF-8, so it would be misread.

What to do:
  1. Find out what it is: file requirements.txt
  2. Save requirements.txt as UTF-8: choose that encoding in your editor, or iconv -f WINDOWS-1252\
 -t UTF-8 requirements.txt > fixed && mv fixed requirements.txt"""
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
Environment variables that would make another image than was asked for

These variables are set for the build:
  - PIP_TARGET: pip would install outside the app's environment
  - PIP_USER: pip would install to the home of the build's user
Packages would be missing or for another Python, or the variable would do nothing.

What to do:
  1. Remove them from the build's environment (`--env`, project.toml, the platform).
  2. If you did not set them, an earlier buildpack did: look at what it exports."""
    )


def test_a_line_that_is_no_requirement(tried: Try) -> None:
    built = tried({"requirements.txt": "six\nflask=3.1.2\n"})
    title, found, steps = built.error.split("\n\n")
    assert title == "A line of requirements.txt cannot be understood"
    assert "line 2 of requirements.txt: flask=3.1.2" in found
    assert steps == "What to do:\n  1. Correct the line, commit and build again."


def test_an_included_file_that_does_not_exist(tried: Try) -> None:
    built = tried({"requirements.txt": "-r prod.txt\n"})
    assert (
        built.error
        == """\
prod.txt is included but cannot be opened

A -r or -c line names prod.txt: No such file or directory.
Such paths are relative to the file that includes them.

What to do:
  1. Check the spelling, and that prod.txt is committed and in no .gitignore.
  2. Or remove the line that includes it."""
    )


def test_a_hash_that_does_not_match(tried: Try) -> None:
    wrong = "0" * 64
    built = tried({"requirements.txt": f"six==1.17.0 --hash=sha256:{wrong}\n"})
    title, found, steps = built.error.split("\n\n")
    assert title == "six==1.17.0 is not the file whose hash is written down"
    expected, got, meaning = found.split("\n")
    assert expected == f"Expected  sha256 {wrong}"
    assert len(got.removeprefix("Got       ")) == 64
    assert meaning == (
        "Either the requirements were changed without their hashes, or the index serves another"
        " file than it used to. It was not installed."
    )
    assert steps == (
        "What to do:\n"
        "  1. If you changed the version, write the hashes anew (pip-compile --generate-hashes,"
        " uv export, ...).\n"
        "  2. If you did not, find out where the file comes from before you trust it."
    )


def test_requirements_without_a_hash_beside_one_with(tried: Try) -> None:
    lines = f"six==1.17.0 --hash=sha256:{SIX}\nmarkupsafe\n"
    built = tried({"requirements.txt": lines})
    assert built.error.startswith("Requirements with hashes must be complete and exact\n\n")
    assert "\n  - markupsafe\n" in built.error


def test_a_package_without_a_wheel_for_this_python(tried: Try) -> None:
    built = tried({"requirements.txt": "tensorflow-cpu==2.12.0\n"})
    assert (
        built.error
        == """\
tensorflow-cpu==2.12.0 has no wheel for Python 3.14.6

It is published as ready-made wheels for Python 3.8, 3.9, 3.10, 3.11 on Linux, and not as source\
 code.
None of them fits Python 3.14.6 on this image.

What to do:
  1. Use a Python it supports: echo 3.11 > .python-version
  2. Or ask for a newer version of the package that supports this Python."""
    )


def test_a_package_for_another_python(tried: Try) -> None:
    built = tried({"requirements.txt": "numpy==1.21.5\n"})
    assert (
        built.error
        == """\
numpy==1.21.5 needs another Python

The app runs on Python 3.14.6.
numpy==1.21.5 requires Python >=3.7,<3.11.

What to do:
  1. Choose a Python that fits: write its line, such as 3.13, to .python-version,
  2. or ask for a version of the package that supports Python 3.14.6."""
    )


def test_a_source_package_without_its_header(tried: Try) -> None:
    built = tried({"requirements.txt": "python-ldap==3.4.4\n"})
    assert (
        built.error
        == """\
python-ldap needs the header lber.h

python-ldap has no ready-made wheel that fits Python 3.14.6 here, so it is built from its source.
Building it needs the header lber.h, which the build image lacks.

What to do:
  1. Ask for a version of python-ldap that has a wheel for this Python, if there is one.
  2. Or give the build Debian and Ubuntu's package libldap-dev: in a build image that holds it, or\
 by a buildpack for apt packages that runs before this one; the run image needs its library too.
  3. Another Python may have a wheel of it: choose one in .python-version."""
    )
    assert "lber.h: No such file or directory" in built.output


def test_a_name_that_nobody_knows(tried: Try) -> None:
    built = tried({"requirements.txt": "flask-that-nobody-has-ever-made\n"})
    title, found, _ = built.error.split("\n\n")
    assert title == "No package flask-that-nobody-has-ever-made found"
    assert found.startswith("The index does not know flask-that-nobody-has-ever-made.")


def test_requirements_that_contradict_each_other(tried: Try) -> None:
    built = tried({"requirements.txt": "jinja2==3.1.6\nmarkupsafe==1.1.1\n"})
    assert built.error.startswith("Requirements contradict each other\n\n")
    assert "The user requested markupsafe==1.1.1" in built.error


def test_a_git_repository_that_does_not_answer(tried: Try) -> None:
    built = tried({"requirements.txt": "git+https://127.0.0.1:1/team/tools.git\n"})
    title, found, steps = built.error.split("\n\n")
    assert title == "A Git repository could not be fetched"
    asked, answer = found.split("\n")
    assert asked == "The app asks for git+https://127.0.0.1:1/team/tools.git."
    assert answer.startswith("Git says: unable to access 'https://127.0.0.1:1/team/tools.git/'")
    assert "  1. Check the address; builds reach the network as the machine does" in steps


def test_a_failed_build_makes_no_image(builds: Builds, app: App) -> None:
    failed = builds.image(app({"requirements.txt": None}))
    assert failed.error.startswith("requirements.txt is not a file\n")
    assert not failed.directory.exists()
