"""The words for a Python that cannot be brought: tables, downloads, archives."""

from cnb_python.errors.runtimes import (
    BadMirror,
    ChecksumMismatch,
    DamagedArchive,
    DownloadFailed,
    UnsafeArchive,
    UnusableInterpreter,
    UnusablePythonTable,
)
from cnb_python.wording.message import Message

_MIRROR = "the setting BP_PYTHON_MIRROR"


def bad_mirror(failure: BadMirror) -> Message:
    """Of Paketo's conventions, which other buildpacks share."""
    return Message(
        title="A mirror of downloads has an address that cannot be used",
        body=(
            f"{failure.origin} says: {failure.found or '(nothing)'}",
            "It has to start with https://, http:// or file://.",
            "{originalHost} in a mirror's address stands for the host that it replaces.",
        ),
        steps=(
            "Correct it, or remove it to fetch from the usual place.",
            f"For this buildpack alone, {_MIRROR} does the same.",
        ),
    )


def unusable_python_table(failure: UnusablePythonTable) -> Message:
    """A mirror's table, or that of an offline package."""
    return Message(
        title="The table of Python releases cannot be used",
        body=(f"{failure.origin}:", *(f"  - {problem}" for problem in failure.problems)),
        steps=(
            f"Correct the table, or {_MIRROR} that names it.",
            "A [[release]] needs version, arch, url and sha256 (64 digits, in small letters).",
        ),
    )


def download_failed(failure: DownloadFailed) -> Message:
    """No file at the end of all attempts."""
    tries = f" after {failure.attempts} attempts" if failure.attempts > 1 else ""
    missing = failure.status in {403, 404, 410}
    return Message(
        title=f"{failure.title} could not be fetched",
        body=(f"{failure.url}: {failure.reason}{tries}.",),
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


def checksum_mismatch(failure: ChecksumMismatch) -> Message:
    """Complete, but something else."""
    return Message(
        title=f"{failure.title} is not the file it should be",
        body=(
            f"From {failure.url}",
            f"Expected sha256  {failure.expected}",
            f"Got              {failure.found}",
            "It was not used. A proxy's error page, a damaged mirror or tampering look like this.",
        ),
        steps=(
            "Find out what the address serves: curl -L the address | sha256sum",
            f"If it is a mirror of yours ({_MIRROR}), fetch the file into it anew.",
        ),
    )


def damaged_archive(failure: DamagedArchive) -> Message:
    """The right bytes of a wrong archive, or a fault of the disk."""
    return Message(
        title=f"{failure.title} cannot be unpacked",
        body=(f"The archive is damaged: {failure.reason}.",),
        steps=(
            "Build again.",
            f"If it is a build of your own ({_MIRROR}), pack it anew as .tar.gz or .tar.zst.",
        ),
    )


def unsafe_archive(failure: UnsafeArchive) -> Message:
    """Never unpacked, whoever signed for it."""
    return Message(
        title=f"{failure.title} holds an entry that is refused",
        body=(
            f"The entry {failure.member} {failure.reason}.",
            "Files, directories, and links that stay inside the archive are all it may hold.",
        ),
        steps=(
            "Find out who made the archive before you trust it.",
            f"If it is a build of your own ({_MIRROR}), pack it anew without that entry.",
        ),
    )


def unusable_interpreter(failure: UnusableInterpreter) -> Message:
    """Most often another C library or processor."""
    return Message(
        title=f"Python {failure.version} does not work in this build image",
        body=(failure.reason,),
        steps=(
            "Use a build image for the same processor, based on glibc 2.17 or newer (not Alpine).",
            f"If it is a build of your own ({_MIRROR}), check that it runs in that image.",
        ),
    )
