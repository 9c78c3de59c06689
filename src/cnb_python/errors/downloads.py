"""Downloads that fail, and downloaded files that cannot be used."""

from typing import Self, override

from cnb_python.errors.base import Message, OutsideError

_MIRROR = "BP_PYTHON_MIRROR"


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
