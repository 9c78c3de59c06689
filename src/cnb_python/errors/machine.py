"""What the machine of the build refuses."""

from typing import override

from cnb_python.errors.base import Message, OutsideError

_MIRROR = "the setting BP_PYTHON_MIRROR"


class BadMirror(OutsideError):
    """A mirror or a mapping of downloads names no address."""

    origin: str
    found: str
    """Without what may be secret in it."""

    @override
    def describe(self) -> Message:
        return Message(
            title="A mirror of downloads has an address that cannot be used",
            body=(
                f"{self.origin} says: {self.found or '(nothing)'}",
                "It has to start with https://, http:// or file://.",
                "{originalHost} in a mirror's address stands for the host that it replaces.",
            ),
            steps=(
                "Correct it, or remove it to fetch from the usual place.",
                f"For this buildpack alone, {_MIRROR} does the same.",
            ),
        )


class UnusablePythonTable(OutsideError):
    """A table of Python releases that cannot be used."""

    origin: str
    problems: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="The table of Python releases cannot be used",
            body=(f"{self.origin}:", *(f"  - {problem}" for problem in self.problems)),
            steps=(
                f"Correct the table, or {_MIRROR} that names it.",
                "A [[release]] needs version, arch, url and sha256 (64 digits, in small letters).",
            ),
        )


class DownloadFailed(OutsideError):
    """A file could not be had."""

    title: str
    url: str
    reason: str
    attempts: int
    status: int | None
    """The server's last answer, None where there was none."""

    @override
    def describe(self) -> Message:
        tries = f" after {self.attempts} attempts" if self.attempts > 1 else ""
        missing = self.status in {403, 404, 410}
        return Message(
            title=f"{self.title} could not be fetched",
            body=(f"{self.url}: {self.reason}{tries}.",),
            steps=(
                *(("Check that the mirror in use has this file.",) if missing else ()),
                *(() if missing else ("Build again: such faults often pass.",)),
                "If builds reach the network through a proxy, give them HTTPS_PROXY.",
                (
                    f"If they reach none, name a copy of the releases with {_MIRROR}, or use an "
                    "offline package of this buildpack."
                ),
            ),
        )


class ChecksumMismatch(OutsideError):
    """A download is complete, and not the file it should be."""

    title: str
    url: str
    expected: str
    found: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.title} is not the file it should be",
            body=(
                f"From {self.url}",
                f"Expected sha256  {self.expected}",
                f"Got              {self.found}",
                "It was not used. A proxy's error page, a damaged mirror or tampering look like this.",
            ),
            steps=(
                "Find out what the address serves: curl -L the address | sha256sum",
                f"If it is a mirror of yours ({_MIRROR}), fetch the file into it anew.",
            ),
        )


class DamagedArchive(OutsideError):
    """An archive that cannot be unpacked."""

    title: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.title} cannot be unpacked",
            body=(f"The archive is damaged: {self.reason}.",),
            steps=(
                "Build again.",
                f"If it is a build of your own ({_MIRROR}), pack it anew as .tar.gz or .tar.zst.",
            ),
        )


class UnsafeArchive(OutsideError):
    """An archive with an entry that would reach outside the directory it is unpacked into."""

    title: str
    member: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.title} holds an entry that is refused",
            body=(
                f"The entry {self.member} {self.reason}.",
                "Files, directories, and links that stay inside the archive are all it may hold.",
            ),
            steps=(
                "Find out who made the archive before you trust it.",
                f"If it is a build of your own ({_MIRROR}), pack it anew without that entry.",
            ),
        )


class UnusableInterpreter(OutsideError):
    """The app's interpreter does not run in this build image, or is none."""

    version: str
    reason: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"Python {self.version} does not work in this build image",
            body=(self.reason,),
            steps=(
                "Use a build image for the same processor, based on glibc 2.17 or newer (not Alpine).",
                f"If it is a build of your own ({_MIRROR}), check that it runs in that image.",
            ),
        )


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


class PathInaccessible(OutsideError):
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
