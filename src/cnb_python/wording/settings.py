"""The words for settings that do not exist, or cannot be what they are."""

from cnb_python.errors.settings import (
    BadSettings,
    NoSuchProject,
    NoSuchRequirements,
    UnknownSettings,
)
from cnb_python.wording.message import Message


def bad_settings(failure: BadSettings) -> Message:
    """Each value, who gave it, and what it may be."""
    first = failure.wrong[0][0]
    return Message(
        title=f"{first} cannot have this value"
        if len(failure.wrong) == 1
        else f"{len(failure.wrong)} settings have values that they cannot have",
        body=tuple(
            line
            for name, origin, found, expected in failure.wrong
            for line in (
                f"{name}, by {origin}:",
                f"  Found:    {found}",
                f"  Expected: {expected}",
            )
        ),
        steps=("Correct it there, or remove it to have the default.",),
    )


def unknown_settings(failure: UnknownSettings) -> Message:
    """Each name, with the one that was probably meant."""
    first = failure.found[0][0]
    return Message(
        title=f"There is no setting {first}"
        if len(failure.found) == 1
        else f"{len(failure.found)} settings do not exist",
        body=(
            *(
                f"  - {name}{'' if name == origin else f' ({origin})'}"
                + (f": did you mean {likely}?" if likely else "")
                for name, origin, likely in failure.found
            ),
            "The settings, as [tool.cnb-python] in pyproject.toml and as variables have them:",
            *(f"  {name:<14}{variable}" for name, variable in failure.known),
        ),
        steps=("Correct the name, or remove it: a setting that nobody reads has no effect.",),
    )


def no_such_project(failure: NoSuchProject) -> Message:
    """Where it was looked for, and where an app seems to be."""
    candidates = tuple(f"  - {one}" for one in failure.candidates)
    return Message(
        title=f"The app has no directory {failure.project}",
        body=(
            (
                f"The setting project names {failure.project}, which is no directory of what is "
                "being built, or a link that leads out of it."
            ),
            *(("These hold a Python app:", *candidates) if candidates else ()),
        ),
        steps=(
            (
                "Correct BP_PYTHON_PROJECT, or project in [tool.cnb-python]: a path from the top "
                "of the repository, such as services/api."
            ),
            "Build from the top of the repository: what is not there cannot be found.",
        ),
    )


def no_such_requirements(failure: NoSuchRequirements) -> Message:
    """What is missing, and what else there is."""
    variants = tuple(f"  - {one}" for one in failure.variants)
    return Message(
        title=f"The app has no {' and no '.join(failure.missing)}",
        body=(
            "The setting requirements names every file that pip reads, relative to the app.",
            *(("The app has:", *variants) if variants else ()),
        ),
        steps=(
            "Correct BP_PYTHON_REQUIREMENTS, or requirements in [tool.cnb-python].",
            "If you have the file on your machine: is it committed, and in no .gitignore?",
        ),
    )
