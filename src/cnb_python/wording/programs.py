"""The words for the programs of package managers, and what they refuse."""

from cnb_python.errors.locks import LockTooNew
from cnb_python.errors.programs import AppNotInstallable, ProgramUnavailable
from cnb_python.wording.message import Message

_TITLES = {"poetry": "Poetry", "pipenv": "Pipenv", "pdm": "PDM"}


def program_unavailable(failure: ProgramUnavailable) -> Message:
    """Where it is looked for, and by which settings that is changed."""
    title = _TITLES.get(failure.program, failure.program)
    return Message(
        title=f"{title} could not be fetched",
        body=(
            f"The app's packages are decided by {title}, of which this build needs release",
            f"{failure.version}. Fetching it from the package index failed. uv says:",
            *(f"  {reason}" for reason in failure.reasons),
        ),
        steps=(
            "Where the build has no access to the public index, name one that has this release,",
            "and what it needs, in PIP_INDEX_URL (or UV_DEFAULT_INDEX) or a service binding.",
            "Or build again, in case the index was out of reach for a moment.",
        ),
    )


def lock_too_new(failure: LockTooNew) -> Message:
    """Which of the two to change."""
    name = failure.manager.lower()
    return Message(
        title=f"{failure.file} was made by a newer {failure.manager}",
        body=(
            f"The {failure.manager} of this build cannot read it. It says:",
            *(f"  {line}" for line in failure.said),
        ),
        steps=(
            f"Name the release that made it in the setting {name} ([tool.cnb-python] {name}).",
            f"Or make {failure.file} again with the older {failure.manager}: {name} lock.",
        ),
    )


def app_not_installable(failure: AppNotInstallable) -> Message:
    """Most apps are no package, and need only say so."""
    return Message(
        title=f"{failure.manager} cannot install the app itself",
        body=(
            f"{failure.file} describes a package, and {failure.manager} says of it:",
            f"  {failure.problem}",
        ),
        steps=(
            "Where the app is not to be installed, but only what it needs: add to [tool.poetry]",
            "of pyproject.toml the line package-mode = false.",
            'Where it is a package: name its directory, packages = [{ include = "..." }].',
        ),
    )
