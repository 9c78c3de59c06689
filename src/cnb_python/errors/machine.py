"""What the machine of the build refuses."""

from typing import override

from cnb_python.errors.base import OutsideError
from cnb_python.errors.message import Message

_SIGKILL = 9


class ProgramNotStarted(OutsideError):
    """The system refused to start a program."""

    program: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.program} could not be started",
            body=(f"The system says: {self.reason}.",),
            steps=(
                "Use a build image for the same processor as the buildpack, based on glibc.",
                "Build again without the cache (pack build --clear-cache).",
            ),
        )


class Killed(OutsideError):
    """A signal that is not ours ended a program."""

    program: str
    signal: int

    @override
    def describe(self) -> Message:
        memory = self.signal == _SIGKILL
        return Message(
            title=f"{self.program} was killed" + (", probably for want of memory" * memory),
            body=(
                f"{self.program} was ended by signal {self.signal}.",
                *(
                    (
                        "The system does this when the memory of the machine or its limit is used up.",
                    )
                    if memory
                    else ()
                ),
            ),
            steps=("Give the build more memory, or build again if somebody stopped it.",),
        )


class DiskFull(OutsideError):
    """No space is left where we write."""

    doing: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The disk is full",
            body=(f"No space was left while {self.doing}.",),
            steps=(
                (
                    "Free space where builds run (docker system df shows what Docker holds), or give "
                    "them a larger disk."
                ),
                "Look for large packages in requirements.txt that the image does not need.",
            ),
        )


class PlaceRefused(OutsideError):
    """A file or directory of the platform's cannot be read or written."""

    place: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.place} cannot be used",
            body=(
                f"The system says: {self.reason}.",
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


class DamagedStore(OutsideError):
    """What a previous build kept is not there any more, or not as it was."""

    reason: str
    """What is wrong, without a full stop; empty: it was never kept."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The cache of the previous build cannot be used",
            body=(f"It is damaged: {self.reason or 'a part of it is missing'}.",),
            steps=(
                "Build again: what is damaged is made anew.",
                "If this comes back, build without the cache (pack build --clear-cache).",
            ),
        )
