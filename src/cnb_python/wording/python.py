"""The words for a request that no Python answers."""

from shlex import quote

from cnb_python.errors.python import (
    EndedPythonLine,
    InvalidPythonRange,
    InvalidPythonVersion,
    MisspeltVersionFile,
    NoPythonInRange,
    NoPythonVersion,
    OtherImplementation,
    PythonNotAvailable,
    PythonOutsideRange,
    SeveralPythonVersions,
    UnknownPythonLine,
    UnknownPythonPatch,
    VersionFileNotUtf8,
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
    exact = "Write digits and dots alone, without quotes, prefix or comment behind"
    return Message(
        title=f"{failure.text!r} is not a Python version",
        body=(
            f"It is asked for by {failure.origin}.",
            f"{_FORM} Ranges, wildcards, pre-releases and other words are not understood there.",
        ),
        steps=(
            f"{exact}: {failure.likely or '3.14'}",
            *_if_invisible(failure.text),
            *_about(failure.origin),
        ),
    )


def invalid_python_range(failure: InvalidPythonRange) -> Message:
    """Neither the standard's form nor Poetry's."""
    return Message(
        title=f"{failure.text!r} is not a range of Python versions",
        body=(
            f"It is asked for by {failure.origin}.",
            (
                "A range is one or more of such conditions with commas between them: >=3.12, "
                "<3.15, ==3.13.*, !=3.12.1"
            ),
        ),
        steps=(
            f"Write it so: {failure.likely or '>=3.12'}",
            "https://packaging.python.org/en/latest/specifications/version-specifiers/ has all.",
        ),
    )


def other_implementation(failure: OtherImplementation) -> Message:
    """PyPy, conda and the like."""
    return Message(
        title=f"This buildpack has no {failure.implementation}",
        body=(
            f"{failure.origin} asks for {failure.text}.",
            "This buildpack installs CPython alone, the Python of python.org.",
        ),
        steps=(
            "If the app runs on CPython too, ask for that by its version: 3.14",
            f"If it needs {failure.implementation}, use another buildpack or a Dockerfile.",
        ),
    )


def misspelt_version_file(failure: MisspeltVersionFile) -> Message:
    """Nobody would ever read it."""
    several = len(failure.found) > 1
    wrong = failure.found[0]
    rename = (
        f"Delete it and keep {failure.name}, where the version belongs: git rm {quote(wrong)}"
        if failure.exists
        else f"Give it that name: git mv {quote(wrong)} {failure.name}"
    )
    return Message(
        title=f"{wrong!r} is not the name of the file that asks for a Python",
        body=(
            *(f"  {name!r}" for name in failure.found if several),
            f"The file that tools read is called {failure.name}, with one dot, in front.",
            "As it is, nothing reads this one, and the app would get another Python.",
            *((f"There is a {failure.name} besides.",) if failure.exists else ()),
        ),
        steps=(rename, "If it is something else, give it a name that is less like that one."),
    )


def version_file_not_utf8(failure: VersionFileNotUtf8) -> Message:
    """Written by Windows' own PowerShell, most often."""
    return Message(
        title=f"{failure.name} is {failure.encoding} text",
        body=(
            f"It says {failure.version}, but in an encoding in which no version manager reads it.",
            "Windows PowerShell writes files so when a command's output is redirected to one.",
        ),
        steps=(
            f'In PowerShell: Set-Content -Encoding ascii {failure.name} "{failure.version}"',
            f"In another shell: echo {failure.version} > {failure.name}",
        ),
    )


def no_python_in_range(failure: NoPythonInRange) -> Message:
    """Nothing fits; perhaps it once did."""
    texts = " and ".join(text for text, _ in failure.ranges)
    ended = tuple(
        (
            f"Python {line} does, but it has ended on {day}: nobody mends its security holes "
            "since, so this buildpack no longer installs it."
        )
        for line, day in failure.ended
    )
    oldest = failure.supported[-1] if failure.supported else "3.12"
    return Message(
        title=f"No Python that can be installed satisfies {texts}",
        body=(
            *(f"{origin} asks for {text}." for text, origin in failure.ranges),
            *ended,
            f"Supported are {_list(failure.supported)}.",
        ),
        steps=(
            f"Make the app run on a supported Python, and widen the range to hold it: >={oldest}",
            "Then have the package manager write its lock file anew, if there is one.",
        ),
    )


def python_outside_range(failure: PythonOutsideRange) -> Message:
    """Each is fine alone."""
    change = f"Change {failure.origin} to ask for a Python in that range"
    return Message(
        title=f"{failure.origin} and {failure.range_origin} disagree",
        body=(
            f"{failure.origin} asks for {failure.asked}, which is Python {failure.version}.",
            f"{failure.range_origin} says {failure.range}, which leaves that out.",
            "The package manager goes by the latter, and installs nothing into another Python.",
        ),
        steps=(
            f"{change}: {failure.fit}" if failure.fit else f"{change}.",
            f"Or widen {failure.range_origin}, and have the lock file written anew.",
        ),
    )


def unknown_python_line(failure: UnknownPythonLine) -> Message:
    """Not in the table: too new for us, or never there."""
    known = f"It knows {_list(failure.supported)}."
    steps = (f"Ask for one of these instead ({failure.origin}).", *_about(failure.origin))
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
    if failure.line.startswith("2."):
        return _python_2(failure, newest)
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
            *_about(failure.origin),
        ),
    )


def _python_2(failure: EndedPythonLine, newest: str) -> Message:
    return Message(
        title=f"Python 2 has ended on {failure.ended}",
        body=(
            f"{failure.origin} asks for {failure.line}.",
            "It is another language than Python 3, no longer mended, and not installed here.",
            f"Supported are {_list(failure.supported)}.",
        ),
        steps=(
            "Port the app: https://docs.python.org/3.12/howto/pyporting.html",
            f"If it runs on Python 3 already, ask for that ({failure.origin}): {newest}",
            *_about(failure.origin),
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
            *_about(failure.origin),
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


def _about(origin: str) -> tuple[str, ...]:
    """What to know of a file that is better not edited where the version stands."""
    if "Pipfile.lock" in origin:
        return ("It comes from [requires] in the Pipfile: change it there, then run pipenv lock.",)
    if "runtime.txt" in origin:
        return ("Better still, put it into .python-version, and delete runtime.txt.",)
    return ()


def _list(items: tuple[str, ...]) -> str:
    return ", ".join(items) if items else "none"


def _if_invisible(text: str) -> tuple[str, ...]:
    if "\\" not in text:
        return ()
    return ("Delete the line and type it anew: it holds characters that cannot be seen.",)
