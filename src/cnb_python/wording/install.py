"""The words for packages that cannot be had as the app asks for them."""

from cnb_python.errors import (
    BadRequirement,
    GitFailed,
    HashMismatch,
    HashMissing,
    IncludeMissing,
    InstallFailed,
    NoSuchPackage,
    NoSuchVersion,
    NotAPackage,
    NotPinned,
    NoWheel,
    PathClash,
    UrlNotFound,
    UvRefused,
    VersionConflict,
    WrongPython,
)
from cnb_python.wording.message import Message


def bad_requirement(failure: BadRequirement) -> Message:
    """A line that is not a requirement."""
    place = failure.place or "requirements.txt"
    return Message(
        title=f"A line of {place.rpartition(' ')[2]} cannot be understood",
        body=(
            f"In {place}: {failure.text}",
            f"pip says: {failure.problem}",
            "A requirement is a name and, usually, a version: flask==3.1.2",
        ),
        steps=("Correct the line, commit and build again.",),
    )


def include_missing(failure: IncludeMissing) -> Message:
    """`-r` or `-c` of a file that is not there."""
    return Message(
        title=f"{failure.file} is included but cannot be opened",
        body=(
            f"A -r or -c line names {failure.file}: {failure.problem}.",
            "Such paths are relative to the file that includes them.",
        ),
        steps=(
            f"Check the spelling, and that {failure.file} is committed and in no .gitignore.",
            "Or remove the line that includes it.",
        ),
    )


def not_a_package(failure: NotAPackage) -> Message:
    """A path without pyproject.toml."""
    return Message(
        title="A path to install is not a Python project",
        body=(
            f"requirements.txt asks to install {failure.path}.",
            "There is neither a pyproject.toml nor a setup.py in it.",
        ),
        steps=(
            "Add a pyproject.toml there and commit it,",
            "or remove the line: the app's own modules are importable without being installed.",
        ),
    )


def no_such_package(failure: NoSuchPackage) -> Message:
    """Nobody knows the name."""
    looked = tuple(f"  - {page}" for page in failure.pages)
    return Message(
        title=f"No package {failure.requirement} found",
        body=(
            f"The index does not know {failure.requirement}.",
            *(("It was looked for at:", *looked) if looked else ()),
        ),
        steps=(
            "Check the spelling: the name to install is not always the name to import.",
            (
                "If it comes from a private index, give the build its address: "
                "--env PIP_EXTRA_INDEX_URL=https://..."
            ),
        ),
    )


def no_such_version(failure: NoSuchVersion) -> Message:
    """The name is right, the version is not."""
    newest = ", ".join(failure.newest)
    return Message(
        title=f"No version answers {failure.requirement}",
        body=(
            f"The package exists, but no version of it answers {failure.requirement}.",
            f"The newest that fit this Python: {newest}.",
        ),
        steps=(
            f"Ask for one that exists, such as {failure.newest[-1]}, in requirements.txt.",
            (
                "If the version exists elsewhere, it may be for another Python, or in "
                "another index."
            ),
        ),
    )


def wrong_python(failure: WrongPython) -> Message:
    """Requires-Python says no."""
    return Message(
        title=f"{failure.requirement} needs another Python",
        body=(
            f"The app runs on Python {failure.python}.",
            f"{failure.requirement} requires Python {' or '.join(failure.needs)}.",
        ),
        steps=(
            "Choose a Python that fits: write its line, such as 3.13, to .python-version,",
            f"or ask for a version of the package that supports Python {failure.python}.",
        ),
    )


def no_wheel(failure: NoWheel) -> Message:
    """Wheels exist, none of them fits."""
    pythons = ", ".join(failure.pythons)
    what = f"Python {pythons} on Linux" if pythons else ", ".join(failure.platforms)
    step = (
        f"Use a Python it supports: echo {failure.pythons[-1]} > .python-version"
        if failure.pythons
        else "It does not run on this platform: replace it, or guard the line with a marker such "
        "as `; sys_platform == 'win32'`."
    )
    return Message(
        title=f"{failure.requirement} has no wheel for Python {failure.python}",
        body=(
            f"It is published as ready-made wheels for {what}, and not as source code.",
            f"None of them fits Python {failure.python} on this image.",
        ),
        steps=(step, "Or ask for a newer version of the package that supports this Python."),
    )


def version_conflict(failure: VersionConflict) -> Message:
    """No set of versions satisfies all."""
    return Message(
        title="Requirements contradict each other",
        body=(
            "No set of versions satisfies all of these:",
            *(f"  - {cause}" for cause in failure.causes),
        ),
        steps=(
            "Loosen or change one of the versions in requirements.txt.",
            "Find a set that works before the build: pip install --dry-run -r requirements.txt",
        ),
    )


def hash_mismatch(failure: HashMismatch) -> Message:
    """A download that is not the expected one."""
    return Message(
        title=f"{failure.requirement} is not the file whose hash is written down",
        body=(
            *(f"Expected  {digest}" for digest in failure.expected),
            f"Got       {failure.got}",
            (
                "Either the requirements were changed without their hashes, or the index serves "
                "another file than it used to. It was not installed."
            ),
        ),
        steps=(
            (
                "If you changed the version, write the hashes anew (pip-compile "
                "--generate-hashes, uv export, ...)."
            ),
            "If you did not, find out where the file comes from before you trust it.",
        ),
    )


def hash_missing(failure: HashMissing) -> Message:
    """One hash makes hashes a must for all."""
    return Message(
        title="Some requirements have no hash",
        body=(
            (
                "As soon as one requirement has a --hash, every one needs one, those that are "
                "only needed by others included. Missing:"
            ),
            *(f"  {line}" for line in failure.lines),
        ),
        steps=(
            (
                "Write the file with a tool that hashes everything (pip-compile "
                "--generate-hashes, uv export), or add the lines above once you trust them."
            ),
            "Or remove every --hash.",
        ),
    )


def not_pinned(failure: NotPinned) -> Message:
    """Hashes want exact versions of everything."""
    return Message(
        title="Requirements with hashes must be complete and exact",
        body=(
            (
                "Some requirements have a --hash, so each must be written as name==version, those "
                "that are only needed by others included. These are not:"
            ),
            *(f"  - {requirement}" for requirement in failure.requirements),
        ),
        steps=(
            (
                "Write the file with a tool that pins and hashes everything "
                "(pip-compile --generate-hashes, uv export)."
            ),
            "Or remove every --hash.",
        ),
    )


def git_failed(failure: GitFailed) -> Message:
    """A repository that does not answer, refuses, or lacks the branch."""
    return Message(
        title="A Git repository could not be fetched",
        body=(f"requirements.txt asks for {failure.requirement}.", f"Git says: {failure.problem}"),
        steps=(
            "Check the address, and the branch, tag or commit behind the @.",
            (
                "If the repository is private, write git+https://${TOKEN}@HOST/... and give the "
                "build TOKEN."
            ),
            "If builds reach the network through a proxy, give them HTTPS_PROXY.",
        ),
    )


def url_not_found(failure: UrlNotFound) -> Message:
    """A requirement by address."""
    return Message(
        title="A requirement's address does not exist",
        body=(f"{failure.url} answered {failure.status}.",),
        steps=("Correct the address in requirements.txt, or use name==version instead.",),
    )


def install_failed(failure: InstallFailed) -> Message:
    """What we do not recognise; the tool's own words stand in the log above."""
    return Message(
        title=f"{failure.manager} could not install the app's packages",
        body=(
            f"`{failure.command}` ended with exit code {failure.code}. Its last words:",
            *(f"  {line}" for line in failure.last_words),
        ),
        steps=(
            "Read its output above: the first error is usually the cause.",
            "Try the same on your machine: the command above, in a fresh virtual environment.",
        ),
    )


def path_clash(failure: PathClash) -> Message:
    """A file where another package has a directory."""
    both = f"{failure.file_of} and {failure.directory_of}"
    return Message(
        title=f"{both} cannot be installed together",
        body=(
            f"{failure.file_of} has a file {failure.path}.",
            f"{failure.directory_of} needs a directory of that name.",
        ),
        steps=(
            f"Remove one of {both} from the requirements, or what requires it.",
            "Or look for other releases of them that go together.",
        ),
    )


def uv_refused(failure: UvRefused) -> Message:
    """Its own words are good ones."""
    return Message(
        title="uv could not install the app's packages",
        body=(
            f"`{failure.command}` ended with exit code {failure.code}. It says:",
            *(f"  {reason}" for reason in failure.reasons),
        ),
        steps=(
            "Change what it names in requirements.txt, or in uv's settings.",
            "Or let pip decide: remove BP_PYTHON_INSTALLER, or set it to pip.",
        ),
    )
