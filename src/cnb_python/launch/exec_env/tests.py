"""Finds how the tests of an app run, for the process `test` of an image for tests.

Separate from `found_processes`, whose processes every image has.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from cnb_python.app import App
from cnb_python.errors.base import Message
from cnb_python.launch.code.source_files import read_source_files
from cnb_python.launch.django_project import find_django_projects
from cnb_python.launch.launch_plan import TEST_PROCESS, Evidence, FoundProcess
from cnb_python.system import regular_file

_PYTEST = "python -m pytest"
# What shows that the app's tests are written for pytest, by the file.
# https://docs.pytest.org/en/stable/reference/customize.html
_PYTEST_SETTINGS = {
    "pytest.toml": "",
    ".pytest.toml": "",
    "pytest.ini": "",
    ".pytest.ini": "",
    "conftest.py": "",
    "pyproject.toml": r"^\[tool\.pytest\b",
    "tox.ini": r"^\[pytest\]",
    "setup.cfg": r"^\[tool:pytest\]",
}
# https://tox.wiki/en/latest/config.html
_TOX_SETTINGS = {
    "tox.ini": r"^\[(tox|testenv)",
    "tox.toml": "",
    "pyproject.toml": r"^\[tool\.tox\b",
    "setup.cfg": r"^\[tox:tox\]",
}
# The app's directory may be read-only.
_TOX, _NOX = "tox run --workdir /tmp/tox", "nox --envdir /tmp/nox"
_INSTALLS_AGAIN = "It installs packages when it runs, which takes time and needs an index"
_DIRECTORIES = ("", "tests", "test")
_UNITTEST = re.compile(rb"^\s*(?:import|from)\s+unittest\b", re.MULTILINE)
_MOST_FILES = 200


def find_test(app: App, installed: Mapping[str, str]) -> FoundProcess | None:
    """Return the process `test` of *app*, None if nothing runs tests.

    *installed* maps the normalized names of the installed distributions to versions.
    """
    return next(_candidates(app, installed), None)


def _candidates(app: App, installed: Mapping[str, str]) -> Iterator[FoundProcess]:
    files = read_source_files(app.directory)
    projects = find_django_projects(files, installed)
    settings = _file_with(app, _PYTEST_SETTINGS)
    # Without its plugin, pytest does not set Django up.
    if "pytest" in installed and (not projects or settings or "pytest-django" in installed):
        yield _process(_PYTEST, "pytest", settings or "the app's packages")
    for project in projects[:1]:
        evidence = Evidence("Django", project.manage, project.line, "manage.py")
        yield FoundProcess(TEST_PROCESS, "python manage.py test", evidence, project.directory)
    if "tox" in installed and (file := _file_with(app, _TOX_SETTINGS)):
        yield _process(_TOX, "tox", file, _INSTALLS_AGAIN)
    if "nox" in installed and "noxfile.py" in app.files:
        yield _process(_NOX, "nox", "noxfile.py", _INSTALLS_AGAIN)
    if file := _unittest_module(app):
        directory = file.rpartition("/")[0]
        is_package = (app.directory / directory / "__init__.py").is_file()
        options = f" discover -s {directory}" if directory and not is_package else ""
        yield _process(f"python -m unittest{options}", "unittest", file)


def _process(command: str, subject: str, file: str, *lines: str) -> FoundProcess:
    return FoundProcess(TEST_PROCESS, command, Evidence(subject, file), lines=lines)


def _file_with(app: App, settings: Mapping[str, str]) -> str:
    """Return the first file of *settings* that the app has, with the text of its pattern."""
    for name, pattern in settings.items():
        if name not in app.files:
            continue
        text = _content(app.directory / name).decode("utf-8", "replace")
        if re.search(pattern, text, re.MULTILINE):
            return name
    return ""


def _unittest_module(app: App) -> str:
    """Return the first module that `python -m unittest` reads and that uses it; else empty."""
    for directory in _DIRECTORIES:
        paths = sorted((app.directory / directory).glob("test*.py"))[:_MOST_FILES]
        for path in paths:
            if _UNITTEST.search(_content(path)):
                return path.relative_to(app.directory).as_posix()
    return ""


def _content(path: Path) -> bytes:
    try:
        return regular_file.read(path)
    except OSError:
        return b""


def missing_test() -> Message:
    """Return what is missing for a process `test`: the log and the process itself show it."""
    return Message(
        title="The image runs no tests: no test runner was found",
        body=(
            "Found neither pytest, a Django project, tox or nox with its settings, nor modules",
            "test*.py that use unittest, at the top of the app, in tests/ or in test/.",
            "Add pytest to the packages for tests: to the group dev or test, or as a line of",
            "requirements-dev.txt:",
            "    pytest",
            "Or name the command that runs the tests in pyproject.toml:",
            "    [tool.cnb-python.processes]",
            '    test = "python run_tests.py"',
        ),
    )
