"""The words for the programs of package managers, and what they refuse."""

from cnb_python.errors import ProgramUnavailable
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
