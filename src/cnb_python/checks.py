"""What is refused before anything is written, and what is warned of."""

from collections.abc import Mapping

from cnb_python.errors import ForbiddenVariables
from cnb_python.managers.manager import Manager
from cnb_python.managers.select import unread
from cnb_python.project import Project
from cnb_python.system.outside import Output

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
_RUNTIME = "runtime.txt"
_FALSE = frozenset({"", "0", "false", "no", "off", "n", "f"})


def check_environment(environ: Mapping[str, str]) -> None:
    """Refuse what would make a wrong image. Raises ForbiddenVariables with all of them."""
    found = tuple(
        (name, reason)
        for name, reason in MISPLACING.items()
        if environ.get(name, "").strip().casefold() not in _FALSE
    )
    if found:
        raise ForbiddenVariables(found)


def check_project(project: Project, manager: Manager, output: Output) -> None:
    """Refuse what *manager* cannot work with (AppError); warn of files that do not count."""
    for advice in manager.check(project):
        output.warning(f"{manager.deciding_file} should be changed", (advice,))
    if _RUNTIME in project.names:
        output.warning(
            f"{_RUNTIME} is not read",
            (
                f"This release of the buildpack does not read {_RUNTIME}.",
                "Put the version alone, such as 3.13, into a file called .python-version.",
            ),
        )
    if files := unread(project):
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
