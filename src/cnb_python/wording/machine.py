"""The words for what the machine or the platform does not give."""

from cnb_python.errors.machine import (
    DamagedStore,
    DiskFull,
    Killed,
    PlaceRefused,
    ProgramNotStarted,
)
from cnb_python.wording.message import Message

_SIGKILL = 9


def disk_full(failure: DiskFull) -> Message:
    """No space left."""
    return Message(
        title="The disk is full",
        body=(f"No space was left while {failure.doing}.",),
        steps=(
            (
                "Free space where builds run (docker system df shows what Docker holds), or give "
                "them a larger disk."
            ),
            "Look for large packages in requirements.txt that the image does not need.",
        ),
    )


def place_refused(failure: PlaceRefused) -> Message:
    """A place that the platform should have given us."""
    return Message(
        title=f"{failure.place} cannot be used",
        body=(
            f"The system says: {failure.reason}.",
            (
                "The build's user has to be able to read the app and the platform's directory, "
                "and to write the layers, the build plan and temporary files (TMPDIR, or /tmp)."
            ),
        ),
        steps=(
            "Check who owns that path in the build container, and its modes.",
            "If the disk or the mount is read-only or gone, mend that and build again.",
        ),
    )


def damaged_store(failure: DamagedStore) -> Message:
    """Something was written into the cache, or removed from it, while this build used it."""
    return Message(
        title="The cache of the previous build cannot be used",
        body=(f"It is damaged: {failure.reason or 'a part of it is missing'}.",),
        steps=(
            "Build again: what is damaged is made anew.",
            "If this comes back, build without the cache (pack build --clear-cache).",
        ),
    )


def killed(failure: Killed) -> Message:
    """A signal, most often from a memory limit."""
    memory = failure.signal == _SIGKILL
    return Message(
        title=f"{failure.program} was killed" + (", probably for want of memory" * memory),
        body=(
            f"{failure.program} was ended by signal {failure.signal}.",
            *(
                ("The system does this when the memory of the machine or its limit is used up.",)
                if memory
                else ()
            ),
        ),
        steps=("Give the build more memory, or build again if somebody stopped it.",),
    )


def program_not_started(failure: ProgramNotStarted) -> Message:
    """The operating system's refusal."""
    return Message(
        title=f"{failure.program} could not be started",
        body=(f"The system says: {failure.reason}.",),
        steps=(
            "Use a build image for the same processor as the buildpack, based on glibc.",
            "Build again without the cache (pack build --clear-cache).",
        ),
    )
