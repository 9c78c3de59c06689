"""The words for settings that do not exist, or cannot be what they are."""

from cnb_python.errors import BadSettings, UnknownSettings
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
