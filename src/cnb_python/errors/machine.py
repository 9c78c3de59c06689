"""Failures of the machine: programs, memory, disk and the cache."""

from typing import Self, override

from cnb_python.errors.base import Message, OutsideError, listed

_IDLE_TIMEOUT = "BP_PYTHON_IDLE_TIMEOUT"
_TIMEOUT = "BP_PYTHON_TIMEOUT"
_CHECK_SERVERS = (
    "Check the servers that it needs: the package index, those that sources or data come from, the "
    "proxy."
)
_SIGKILL = 9


class ProgramNotStarted(OutsideError):
    """A program could not be started."""

    program: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.program} could not be started",
            body=(f"{self.reason}.",),
            fixes=(
                "Use a build image for the same processor as the buildpack, with glibc.",
                "Build again without the cache: pack build --clear-cache",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("/nowhere/python", "No such file or directory (/nowhere/python)")


class ProcessesLeft(OutsideError):
    """Processes that the app's code or that of its packages started cannot be ended."""

    program: str
    names: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"Processes that {self.program} left running could not be ended",
            body=(
                f"Found:    {listed(self.names)}.",
                (
                    "Expected: code of the app and of its packages leaves no process behind, since "
                    "such a process could change files of the image after they were checked."
                ),
                (
                    "They start new processes faster than the build ends them, belong to another "
                    "user, or wait for a file system that does not answer."
                ),
            ),
            fixes=(
                "Find out which package or script starts them, and remove it.",
                "If they wait for a file system, repair it and build again.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("bin/post_compile", ("sleep",))


class NoProgress(OutsideError):
    """A program was ended because it made no progress, for example while it waited for a server."""

    program: str
    seconds: int
    """The setting `idle_timeout`."""
    servers: tuple[str, ...]
    """Those that it was connected to: `10.0.0.1:443`."""
    printed_for: int
    """How many seconds it did nothing but print; 0: it printed nothing."""

    @override
    def describe(self) -> Message:
        seconds = self.printed_for or self.seconds
        printed = "printed text now and then" if self.printed_for else "printed nothing"
        return Message(
            title=f"{self.program} made no progress for {seconds} s",
            body=(
                (
                    f"Found:    in {seconds} s it {printed}, used less than 1% of a "
                    "processor, and wrote less than 4 kB per second. It and its processes were ended."
                ),
                *_connected(self.servers),
                (
                    "Expected: a download or a build that makes progress. A tool's own time-out "
                    "starts again with each byte, so it does not end a download that is this slow."
                ),
            ),
            fixes=(
                _CHECK_SERVERS,
                f"If it needs more time, set {_IDLE_TIMEOUT}={2 * self.seconds} (0: no limit).",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pip install", 1, ("127.0.0.1:443",), 0)


class TookTooLong(OutsideError):
    """A program was ended because it ran for longer than the limit."""

    program: str
    seconds: int
    """The setting `timeout`."""
    servers: tuple[str, ...]
    """Those that it was connected to: `10.0.0.1:443`."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.program} took longer than {self.seconds} s",
            body=(
                "Found:    it was still running and made progress. It and its processes were ended.",
                *_connected(self.servers),
                f"Expected: it ends within {self.seconds} s, the limit for each program of a build.",
            ),
            fixes=(
                "Find out from its output what it repeats or waits for.",
                f"If it needs more time, set {_TIMEOUT}={2 * self.seconds} (0: no limit).",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pip install", 1, ())


def _connected(servers: tuple[str, ...]) -> tuple[str, ...]:
    return (f"It was connected to {', '.join(servers)}.",) if servers else ()


class Killed(OutsideError):
    """A program was ended by a signal from outside."""

    program: str
    signal: int

    @override
    def describe(self) -> Message:
        if self.signal != _SIGKILL:
            return Message(
                title=f"{self.program} was stopped",
                body=(f"Signal {self.signal} ended it.",),
                fixes=("Build again, if the build was stopped by mistake.",),
            )
        return Message(
            title=f"{self.program} was killed, probably because memory ran out",
            body=(
                (
                    f"Signal {self.signal} ended it. The system sends that signal when the memory of "
                    "the machine or its limit is used up."
                ),
            ),
            fixes=(
                "Give the build more memory.",
                "Build again, if the build was stopped by mistake.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("The build of oom-py", 9)


class DiskFull(OutsideError):
    """The disk is full."""

    doing: str

    @override
    def describe(self) -> Message:
        return Message(
            title="The disk is full",
            body=(f"No space was left while {self.doing}.",),
            fixes=(
                "Free space on the machine that runs the build: docker system df",
                "Give the build a larger disk.",
                "Remove large packages that the image does not need from the requirements.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("installing the app's packages")


class PathInaccessible(OutsideError):
    """A file or directory of the platform cannot be read or written."""

    path: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.path} cannot be read or written",
            body=(
                f"Found:    {self.reason}.",
                (
                    "Expected: the build's user can read the app and the platform's directory, and "
                    "write the layers, the build plan and temporary files (TMPDIR, or /tmp)."
                ),
            ),
            fixes=(
                "Correct the owner and the permissions of that path in the build container.",
                "If the disk or the mount is read-only or missing, repair it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("/layers/x", "Read-only file system")


class DamagedStore(OutsideError):
    """Files that a previous build kept in the cache are missing or damaged."""

    reason: str
    """Without a full stop; empty: a file is missing."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The cache of the previous build is damaged",
            body=(f"Found: {self.reason or 'a part of it is missing'}.",),
            fixes=(
                "Build again: the damaged part is rebuilt.",
                "If this happens again, build without the cache: pack build --clear-cache",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("its archive has changed")
