"""What the machine of the build refuses."""

from cnb_python.errors.kinds import OutsideError


class ProgramNotStarted(OutsideError):
    """The system refused to start a program."""

    program: str
    reason: str


class Killed(OutsideError):
    """A signal that is not ours ended a program."""

    program: str
    signal: int


class DiskFull(OutsideError):
    """No space is left where we write."""

    doing: str


class PlaceRefused(OutsideError):
    """A file or directory of the platform's cannot be read or written."""

    place: str
    reason: str


class DamagedStore(OutsideError):
    """What a previous build kept is not there any more, or not as it was."""

    reason: str
    """What is wrong, without a full stop; empty: it was never kept."""


type MachineFailure = ProgramNotStarted | Killed | DiskFull | PlaceRefused | DamagedStore
