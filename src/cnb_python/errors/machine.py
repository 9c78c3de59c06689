"""Failures of the machine, the disk, downloads and the cache."""

from typing import Self, override

from cnb_python.errors.base import Message, OutsideError, listed

_MIRROR = "BP_PYTHON_MIRROR"
_IDLE_TIMEOUT = "BP_PYTHON_IDLE_TIMEOUT"
_TIMEOUT = "BP_PYTHON_TIMEOUT"
_CHECK_SERVERS = (
    "Check the servers that it needs: the package index, those that sources or data come from, the "
    "proxy."
)
_SIGKILL = 9


class BadMirror(OutsideError):
    """The address of a mirror, or of a dependency mapping, is not valid."""

    origin: str
    address: str
    """Without its login."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The address of a mirror cannot be used",
            body=(
                f"Found:    {self.address or '(nothing)'} ({self.origin}).",
                (
                    "Expected: an address that starts with https://, http:// or file://, where "
                    "{originalHost} stands for the replaced host."
                ),
            ),
            fixes=("Correct the address.", "Remove it to download from the original server."),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("the binding mine", "ftp://x/y")


class UnusablePythonTable(OutsideError):
    """A table of Python releases is not valid."""

    origin: str
    problems: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="The table of Python releases cannot be used",
            body=(
                f"Found, in {self.origin}:",
                *(f"  - {problem}" for problem in self.problems),
                "Expected: a [[release]] with version, arch, url and sha256 (64 hexadecimal digits).",
            ),
            fixes=("Correct the table.", f"Change {_MIRROR}, which names the table."),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "https://mirror.example/python.toml", ("[[release]] 2: sha256 missing or malformed",)
        )


class DownloadFailed(OutsideError):
    """A file could not be downloaded."""

    title: str
    url: str
    reason: str
    attempts: int
    status: int | None
    """The last status of the server; None: no answer."""

    @override
    def describe(self) -> Message:
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        first = (
            "Check that the mirror in use has the file."
            if self.status in {403, 404, 410}
            else "Build again: the failure may have been temporary."
        )
        return Message(
            title=f"{self.title} could not be downloaded",
            body=(f"{self.url}: {self.reason}{tries}.",),
            fixes=(
                first,
                "If builds reach the network through a proxy, set HTTPS_PROXY for them.",
                (
                    f"If builds have no network, name a mirror of the Python releases in {_MIRROR}, or "
                    "use an offline package of this buildpack."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        url = "https://mirror.example/a.tar.gz"
        return cls("Python 3.14.6", url, "the server answered 502 Bad Gateway", 5, 502)


class ChecksumMismatch(OutsideError):
    """A downloaded file does not have the expected checksum."""

    title: str
    url: str
    expected: str
    actual: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.title} has the wrong checksum",
            body=(
                f"Address:  {self.url}",
                f"Found:    sha256 {self.actual}",
                f"Expected: sha256 {self.expected}",
                (
                    "The file was not used. It may be an error page of a proxy, incomplete, or "
                    "tampered with."
                ),
            ),
            fixes=(
                "Find out what the server sends: curl -L ADDRESS | sha256sum",
                f"If it comes from your own mirror ({_MIRROR}), copy the file to it again.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        actual = "b81574877cded86f4e4d5c74afbcc57d971d95ca2bfa1bdd5ada8fe278303b6a"
        return cls("Python 3.14.6", "https://mirror.example/a.tar.gz", "0" * 64, actual)


class DamagedArchive(OutsideError):
    """An archive cannot be unpacked."""

    title: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.title} cannot be unpacked",
            body=(f"Its archive is damaged: {self.reason}.",),
            fixes=(
                "Build again.",
                (
                    f"If it comes from your own mirror ({_MIRROR}), pack it again as .tar.gz or "
                    ".tar.zst."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Python 3.14.6", "unexpected end of data")


class UnsafeArchive(OutsideError):
    """An archive contains an entry that leads out of the directory it is unpacked to."""

    title: str
    member: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The archive of {self.title} is not safe to unpack",
            body=(
                f"Found:    the entry {self.member}, which {self.reason}.",
                "Expected: files, directories, and links that stay inside the archive.",
            ),
            fixes=(
                "Find out who made the archive before you trust it.",
                f"If it comes from your own mirror ({_MIRROR}), pack it again without that entry.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Python 3.14.6", "../evil", "leads outside the archive's directory")


class UnusableInterpreter(OutsideError):
    """The Python that was installed does not run in the build image."""

    version: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"Python {self.version} does not run in this build image",
            body=(self.reason,),
            fixes=(
                "Use a build image for the same processor with glibc 2.17 or newer (not Alpine).",
                f"If it comes from your own mirror ({_MIRROR}), check that it runs in this image.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("3.14.6", "There is no python3.14 in the directory bin of its archive.")


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
