"""The words for what the build image, the network or an index does not give."""

from cnb_python.errors import (
    DamagedStore,
    DiskFull,
    IndexRefused,
    IndexUnreachable,
    Killed,
    MissingForBuild,
    PlaceRefused,
    ProgramNotStarted,
    SourceBuildFailed,
    UntrustedCertificate,
)
from cnb_python.wording.message import Message

_SIGKILL = 9
_COMPILERS = frozenset({"cc", "gcc", "g++", "c++", "clang", "clang++", "make", "gfortran"})


def missing_for_build(failure: MissingForBuild) -> Message:
    """A header, library or program that a source build needs."""
    if not failure.package:
        return _missing_program(failure)
    return Message(
        title=f"{failure.package} needs the {failure.kind} {failure.name}",
        body=(
            _from_source(failure.package, failure.python),
            f"Building it needs the {failure.kind} {failure.name}, which the build image lacks.",
        ),
        steps=(
            _easier(failure.package),
            _where_it_is(failure),
            "Another Python may have a wheel of it: choose one in .python-version.",
        ),
    )


def source_build_failed(failure: SourceBuildFailed) -> Message:
    """A package whose own build fails."""
    return Message(
        title=f"{failure.package} could not be built",
        body=(
            _from_source(failure.package, failure.python),
            f"Its build failed: {failure.problem}",
        ),
        steps=(
            _easier(failure.package),
            (
                "Old versions often do not build on a new Python: choose an older line in "
                ".python-version, or a newer version of the package."
            ),
            "The whole output of its build stands above.",
        ),
    )


def index_refused(failure: IndexRefused) -> Message:
    """401, 403, 407."""
    asked = "proxy" if failure.status == 407 else "index"
    return Message(
        title=f"The package {asked} refused us with {failure.status}",
        body=(
            f"{failure.url} answered {failure.status}: "
            + ("it wants credentials." if failure.status in (401, 407) else "no access."),
            "No credentials reached it, or they are wrong, expired or not allowed to read.",
        ),
        steps=(
            (
                "Give the build the index with its credentials: "
                "--env PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/"
            ),
            (
                "In requirements.txt write --index-url https://${USER}:${TOKEN}@HOST/simple/ and "
                "give the build USER and TOKEN; percent-encode special characters."
            ),
            "Try them: curl -u USER:TOKEN " + failure.url.replace("****@", ""),
        ),
    )


def index_unreachable(failure: IndexUnreachable) -> Message:
    """No answer, or none that helps."""
    return Message(
        title="The package index does not answer",
        body=(f"Asking {failure.url} failed: {failure.reason}",),
        steps=(
            "Build again: such faults often pass.",
            "Check the address of the index (PIP_INDEX_URL, pip.conf, --index-url).",
            "If builds reach the network through a proxy, give them HTTPS_PROXY.",
        ),
    )


def untrusted_certificate(failure: UntrustedCertificate) -> Message:
    """A corporate proxy, most often."""
    return Message(
        title="The certificate of a server is not trusted",
        body=(
            (
                f"{failure.url} shows a certificate that the build image does not trust: "
                f"{failure.reason}."
            ),
            "Behind a proxy that opens TLS, the proxy's authority must be known to the build.",
        ),
        steps=(
            (
                "Add the authority's certificate to the build image's system store, or with a "
                "buildpack for `ca-certificates` bindings."
            ),
            "Or give the build SSL_CERT_FILE or PIP_CERT, the path of a bundle inside the image.",
        ),
    )


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


def _missing_program(failure: MissingForBuild) -> Message:
    return Message(
        title=f"The build image has no {failure.name}",
        body=(f"A requirement is fetched with {failure.name}, which the build image lacks.",),
        steps=(
            f"Use a build image that holds {failure.name},",
            "or name a released version of the package: name==version.",
        ),
    )


def _from_source(package: str, python: str) -> str:
    return (
        f"{package} has no ready-made wheel that fits Python {python} here, so it is built from "
        "its source."
    )


def _easier(package: str) -> str:
    if package.startswith("psycopg2"):
        return "Use psycopg2-binary or psycopg[binary] in its place: both come ready-made."
    return f"Ask for a version of {package} that has a wheel for this Python, if there is one."


def _where_it_is(failure: MissingForBuild) -> str:
    if failure.name in _COMPILERS:
        return "Use a build image with a compiler (on Debian the package build-essential)."
    if failure.name == "Python.h":
        return "The interpreter in use has no headers: use one of the supported Python lines."
    return (
        f"Or use a build image that has the {failure.kind} (on Debian, `apt-file search "
        f"{failure.name}` names the package that holds it); the run image needs its library too."
    )
