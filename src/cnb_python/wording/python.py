"""The words for a Python that cannot be had."""

from cnb_python.errors import (
    ChecksumMismatch,
    DamagedArchive,
    DownloadFailed,
    EndedPythonLine,
    InvalidPythonVersion,
    NoPythonVersion,
    PythonNotAvailable,
    SeveralPythonVersions,
    UnknownPythonLine,
    UnknownPythonPatch,
    UnsafeArchive,
    UnusableInterpreter,
    UnusablePythonTable,
)
from cnb_python.wording.message import Message

_FORM = "A version is a release line such as 3.14, or one release of it such as 3.14.6."
_MIRROR = "the setting BP_PYTHON_MIRROR"


def no_python_version(failure: NoPythonVersion) -> Message:
    """Empty, or comments alone."""
    return Message(
        title=f"{failure.name} names no Python version",
        body=(f"It is empty, or holds blank lines and comments alone. {_FORM}",),
        steps=(
            f"Write the line you want into it: echo 3.14 > {failure.name}",
            f"Or delete {failure.name} to get this buildpack's default.",
        ),
    )


def several_python_versions(failure: SeveralPythonVersions) -> Message:
    """Version managers allow it, an image has one Python."""
    return Message(
        title=f"{failure.name} names {len(failure.found)} Python versions",
        body=(
            *(f"  line {number}: {text}" for number, text in failure.found),
            "An image has one Python, so the file must name exactly one.",
        ),
        steps=(f"Keep the one the app runs on and delete the other lines of {failure.name}.",),
    )


def invalid_python_version(failure: InvalidPythonVersion) -> Message:
    """Not of the form we read."""
    return Message(
        title=f"{failure.text!r} is not a Python version",
        body=(
            f"It is asked for by {failure.origin}.",
            f"{_FORM} Ranges, wildcards, pre-releases and other words are not understood there.",
        ),
        steps=(
            "Write digits and dots alone, without quotes, prefix or comment behind: 3.14",
            *_if_invisible(failure.text),
        ),
    )


def unknown_python_line(failure: UnknownPythonLine) -> Message:
    """Not in the table: too new for us, or never there."""
    known = f"It knows {_list(failure.supported)}."
    steps = (f"Ask for one of these instead ({failure.origin}).",)
    if failure.is_newer:
        return Message(
            title=f"Python {failure.line} is newer than this release of the buildpack",
            body=(
                f"It is asked for by {failure.origin}, but this release does not know it.",
                known,
            ),
            steps=("If it has been released, update the buildpack.", *steps),
        )
    return Message(
        title=f"There is no Python {failure.line}",
        body=(
            f"It is asked for by {failure.origin}, but no such line exists, or it is very old.",
            known,
        ),
        steps=steps,
    )


def ended_python_line(failure: EndedPythonLine) -> Message:
    """Out of support for good."""
    newest = failure.supported[0] if failure.supported else "newer"
    return Message(
        title=f"Python {failure.line} has ended on {failure.ended}",
        body=(
            f"It is asked for by {failure.origin}.",
            "Nobody mends its security holes since, so this buildpack no longer installs it.",
            f"Supported are {_list(failure.supported)}.",
        ),
        steps=(
            f"Move the app to a supported line; the newest is {newest}.",
            f"Ask for it where {failure.line} is asked for now: {failure.origin}.",
        ),
    )


def unknown_python_patch(failure: UnknownPythonPatch) -> Message:
    """The line exists, the release does not."""
    return Message(
        title=f"There is no Python {failure.version}",
        body=(
            f"It is asked for by {failure.origin}.",
            f"The newest releases of Python {failure.line} are {_list(failure.newest)}.",
        ),
        steps=(
            f"Ask for {failure.line} to get the newest of the line always, or for one of these.",
            "If it was released a short while ago, update the buildpack.",
        ),
    )


def python_not_available(failure: PythonNotAvailable) -> Message:
    """Known, but not built for this kind of machine, or not in this table."""
    built = _list(failure.elsewhere) if failure.elsewhere else "no kind of machine"
    others = f"For {failure.arch} it has {_list(failure.newest)} of that line."
    return Message(
        title=f"Python {failure.version} is not available for {failure.arch}",
        body=(
            f"It is asked for by {failure.origin}.",
            f"The list of builds, {failure.table}, has it for {built}.",
            *((others,) if failure.newest else ()),
        ),
        steps=(
            "Ask for another version, or build for another kind of machine.",
            f"If the list is your own ({_MIRROR}, or an offline package), add the build to it.",
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


def _list(items: tuple[str, ...]) -> str:
    return ", ".join(items) if items else "none"


def _if_invisible(text: str) -> tuple[str, ...]:
    if "\\" not in text:
        return ()
    return ("Delete the line and type it anew: it holds characters that cannot be seen.",)
