"""What is refused before anything is written, and what is warned of."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from cnb_python.app import OTHER_SIGNS, PROJECT_FILES, App
from cnb_python.errors.choosing import ForbiddenPipOptions, ForbiddenVariables
from cnb_python.errors.inputs import NotAFile
from cnb_python.managers.base import Manager
from cnb_python.managers.pip.config import SECTIONS, SYSTEM_FILES, configuration_files
from cnb_python.managers.registry import unread
from cnb_python.system.interface import Output

# Each of them would put packages where the image does not have them, or install none. What pip
# reads from PIP_* otherwise (indexes, proxies, certificates, constraints, ...) is welcome.
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
# Each of them says in a tool's own way what a setting of ours says for every tool. They are taken
# from the tools' processes, so whoever sets one would get another image than was asked for.
# https://docs.astral.sh/uv/reference/environment/
# https://pipenv.pypa.io/en/latest/configuration.html
# https://pdm-project.org/en/latest/usage/config/
_WHICH_PYTHON = "it says which Python the app gets; BP_PYTHON_VERSION does that"
_WHICH_PROJECT = "it says which directory holds the app; BP_PYTHON_PROJECT does that"
_WHICH_GROUPS = "it asks for development packages; BP_PYTHON_GROUPS=dev does that"
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
# The same, as the options are called in configuration files, which pip reads for `pip install`
# in these sections: https://pip.pypa.io/en/stable/topics/configuration/#configuration-files
_OPTIONS = {
    name.removeprefix("PIP_").lower().replace("_", "-"): reason
    for name, reason in MISPLACING.items()
}


def check_environment(
    environ: Mapping[str, str], system_files: tuple[Path, ...] = SYSTEM_FILES
) -> None:
    """Refuse what would make a wrong image, in variables and in pip's configuration files.

    Raises ForbiddenVariables, or ForbiddenPipOptions for the first such file, with all of them.
    """
    found = tuple(
        (name, reason)
        for name, reason in (MISPLACING | CONTRADICTING).items()
        if any(_is_on(value) for given, value in environ.items() if _canonical(given) == name)
    )
    if found:
        raise ForbiddenVariables(found)
    for file in configuration_files(environ, system_files):
        if options := _misplacing(file):
            raise ForbiddenPipOptions(str(file), options)


def _canonical(variable: str) -> str:
    # pip ignores case behind its prefix, and takes - for _.
    if not variable.startswith("PIP_"):
        return variable
    return variable.upper().replace("-", "_")


def _is_on(value: str) -> bool:
    return value.strip().casefold() not in _FALSE


def _misplacing(file: Path) -> tuple[tuple[str, str], ...]:
    """Return the offenders in *file*; what cannot be read is for pip to complain of."""
    if not file.is_file():
        return ()
    import configparser  # noqa: PLC0415 - most builds have no such file

    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    with suppress(OSError, configparser.Error):  # what was read until there counts
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    return tuple(
        (name, _OPTIONS[option])
        for section in SECTIONS
        if parser.has_section(section)
        for name, value in parser.items(section)
        if (option := name.replace("_", "-").removeprefix("--")) in _OPTIONS
        and _is_on(value or "")
    )


def check_app(app: App, manager: Manager, output: Output) -> None:
    """Refuse what *manager* cannot work with (AppError); warn of files that do not count."""
    _check_kinds(app)
    for advice in manager.check(app):
        output.warning(advice.title, (advice.text,))
    if files := unread(app, manager):
        output.warning(
            f"{' and '.join(files)}: not read",
            (
                f"The app has {manager.deciding_file} too, which alone says what is installed.",
                (
                    "If the two disagree, the image has what "
                    f"{manager.deciding_file} says; delete the one that you do not use."
                ),
            ),
        )


def _check_kinds(app: App) -> None:
    """Refuse pipes and devices under names that tools read: each would wait for ever."""
    for name in sorted(app.others.intersection((*PROJECT_FILES, *OTHER_SIGNS))):
        if (app.directory / name).exists():
            raise NotAFile(app.shown(name), "a pipe, a socket or a device")
