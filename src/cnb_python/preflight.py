"""Checks before anything is written: what stops the build, and warnings about the app's files.

Separate from `build`, which has one line for each step.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cnb_python.app import OTHER_SIGNS, PROJECT_FILES, App
from cnb_python.errors.choosing import ForbiddenPipOptions, ForbiddenVariables
from cnb_python.errors.inputs import MergeConflict, NotAFile, conflict_line
from cnb_python.managers.base import Manager
from cnb_python.managers.registry import unread
from cnb_python.managers.tool_settings import (
    PIP_SECTIONS,
    PIP_SYSTEM_FILES,
    pip_configuration_files,
    pip_variable_name,
)
from cnb_python.system import regular_file
from cnb_python.system.interface import Output

_SUBMODULE = re.compile(r"^\s*path\s*=\s*(\S.*?)\s*$", re.MULTILINE)
# Each of them puts packages where the image does not have them, or installs none. All other PIP_*
# variables work (indexes, proxies, certificates, constraints, ...).
# https://pip.pypa.io/en/stable/topics/configuration/#environment-variables
MISPLACING = {
    "PIP_ABI": "pip would choose packages for another interpreter",
    "PIP_DRY_RUN": "pip would install nothing",
    "PIP_IMPLEMENTATION": "pip would choose packages for another interpreter",
    "PIP_PLATFORM": "pip would choose packages for another system",
    "PIP_PREFIX": "pip would install outside the app's environment",
    "PIP_PYTHON": "pip would install for another interpreter",
    "PIP_PYTHON_VERSION": "pip would choose packages for another interpreter",
    "PIP_ROOT": "pip would install outside the app's environment",
    "PIP_SRC": "pip would check out editable packages outside the image's layers",
    "PIP_TARGET": "pip would install outside the app's environment",
    "PIP_USER": "pip would install to the home of the build's user",
}
# Each of them chooses for one tool what a setting of this buildpack chooses for all of them. The
# tools' processes do not get them, so they would have no effect.
# https://docs.astral.sh/uv/reference/environment/
# https://pipenv.pypa.io/en/latest/configuration.html
# https://pdm-project.org/en/latest/usage/config/
_WHICH_PYTHON = "it chooses the app's Python: use BP_PYTHON_VERSION"
_WHICH_PROJECT = "it chooses the directory of the app: use BP_PYTHON_PROJECT"
_WHICH_GROUPS = "it adds development packages: use BP_PYTHON_GROUPS=dev"
CONTRADICTING = {
    "PDM_PROJECT": _WHICH_PROJECT,
    "PDM_PYTHON": _WHICH_PYTHON,
    "PDM_PYTHON_VERSION": _WHICH_PYTHON,
    "PIPENV_DEFAULT_PYTHON_VERSION": _WHICH_PYTHON,
    "PIPENV_DEV": _WHICH_GROUPS,
    "PIPENV_PIPFILE": _WHICH_PROJECT,
    "PIPENV_PYTHON": _WHICH_PYTHON,
    "UV_DEV": _WHICH_GROUPS,
    "UV_PROJECT": _WHICH_PROJECT,
    "UV_PYTHON": _WHICH_PYTHON,
    "UV_WORKING_DIR": _WHICH_PROJECT,
    "UV_WORKING_DIRECTORY": _WHICH_PROJECT,
}
_FALSE = frozenset({"", "0", "false", "no", "off", "n", "f"})
# MISPLACING as options of pip's configuration files, which `pip install` reads from SECTIONS:
# https://pip.pypa.io/en/stable/topics/configuration/#configuration-files
_OPTIONS = {
    name.removeprefix("PIP_").lower().replace("_", "-"): reason
    for name, reason in MISPLACING.items()
}


def check_environment(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = PIP_SYSTEM_FILES
) -> None:
    """Refuse unsupported variables, and such options in pip's configuration files.

    Raises ForbiddenVariables with all of them, or ForbiddenPipOptions with all of the first file.
    """
    forbidden = tuple(
        (name, reason)
        for name, reason in (MISPLACING | CONTRADICTING).items()
        if any(_is_on(value) for key, value in environ.items() if pip_variable_name(key) == name)
    )
    if forbidden:
        raise ForbiddenVariables(forbidden)
    for file in pip_configuration_files(environ, system_files):
        if options := _misplacing(file):
            raise ForbiddenPipOptions(str(file), options)


def _is_on(value: str) -> bool:
    return value.strip().casefold() not in _FALSE


def _misplacing(file: Path) -> tuple[tuple[str, str], ...]:
    """Return the options in *file* that are refused; pip itself reports a file it cannot read."""
    if not file.is_file():
        return ()
    import configparser  # noqa: PLC0415 - most builds have no such file

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    with suppress(OSError, configparser.Error):  # what was read before the error counts
        parser.read_string(regular_file.read(file).decode("utf-8", "replace"))
    return tuple(
        (name, _OPTIONS[option])
        for section in PIP_SECTIONS
        if parser.has_section(section)
        for name, value in parser.items(section)
        if (option := name.replace("_", "-").removeprefix("--")) in _OPTIONS
        and _is_on(value or "")
    )


def check_app(app: App, manager: Manager, output: Output) -> None:
    """Refuse files that *manager* cannot use (raises AppError); warn of files it does not read."""
    _check_kinds(app)
    for name, content in sorted(app.contents.items()):
        if line := conflict_line(content):
            raise MergeConflict(app.shown(name), line)
    for message in manager.check(app):
        output.warning(message.title, message.body)
    if empty := _empty_submodules(app.top):
        output.warning(
            f"Git submodules are empty: {', '.join(empty)}",
            (
                "Git does not fetch them by itself, so their files are not in the image.",
                "Fetch them before the build: git submodule update --init",
            ),
        )
    if ".profile" in app.files:
        output.warning(
            f"{app.shown('.profile')} is not run",
            (
                "Processes start without a shell, so nothing reads it.",
                "Set its variables on the platform, or start a script in the Procfile.",
            ),
        )
    if files := unread(app, manager):
        output.warning(
            f"{' and '.join(files)}: not read",
            (
                f"The app is installed from {manager.deciding_file}.",
                "Delete the file that you do not use, so that the two cannot disagree.",
            ),
        )


def _empty_submodules(top: Path) -> tuple[str, ...]:
    """Return the paths of the submodules that were not fetched.

    https://git-scm.com/docs/gitmodules
    """
    try:
        text = regular_file.read(top / ".gitmodules").decode("utf-8", "replace")
    except OSError:
        return ()
    paths = (top / match[1] for match in _SUBMODULE.finditer(text))
    inside = (path for path in paths if path.is_relative_to(top) and ".." not in path.parts)
    # A checkout without them has the directories, which other tools may leave out.
    return tuple(path.relative_to(top).as_posix() for path in inside if _is_empty(path))


def _is_empty(path: Path) -> bool:
    try:
        return not path.is_symlink() and not (path.is_dir() and any(path.iterdir()))
    except OSError:
        return False  # it cannot be read: the tools that need it report that


def _check_kinds(app: App) -> None:
    """Refuse pipes and devices with names that tools read: reading one may never end."""
    for name in sorted(app.special.intersection((*PROJECT_FILES, *OTHER_SIGNS))):
        if (app.directory / name).exists():
            raise NotAFile(app.shown(name), "a pipe, a socket or a device")
