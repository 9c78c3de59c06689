"""The words for requirements that are wrong as they stand."""

import re

from cnb_python.errors.install import (
    BadPipOption,
    BadRequirement,
    DamagedPackage,
    HashMismatch,
    HashMissing,
    IncludeMissing,
    InstallFailed,
    NotAPackage,
    NotPinned,
    PathClash,
    UvRefused,
)
from cnb_python.wording.message import Message

# Where conda's packages are built: its `pip freeze` names these places.
_CONDA = re.compile(r"/croot/|/feedstock_root/|/home/conda/|/tmp/build/\d")
_OF_CONDA = (
    "conda wrote that path, which only its own machine has. This writes names and versions: "
    "pip list --format=freeze > requirements.txt"
)


def bad_requirement(failure: BadRequirement) -> Message:
    """A line that is not a requirement."""
    place = failure.place or "requirements.txt"
    return Message(
        title=f"A line of {place.rpartition(' ')[2]} cannot be understood",
        body=(
            f"In {place}: {failure.text}",
            f"It is refused: {failure.problem}",
            "A requirement is a name and, usually, a version: flask==3.1.2",
        ),
        steps=(
            *((_OF_CONDA,) if _CONDA.search(failure.text) else ()),
            "Correct the line, commit and build again.",
        ),
    )


def bad_pip_option(failure: BadPipOption) -> Message:
    """Both places where it may stand."""
    variable = f"PIP_{failure.option.upper().replace('-', '_')}"
    return Message(
        title=f"pip's setting {failure.option} cannot have this value",
        body=(f"Found:    {failure.found!r}.", f"Expected: {failure.expected}."),
        steps=(
            (
                f"Change the variable {variable}, or {failure.option} in the pip.conf of a "
                "binding or of the build image."
            ),
            "Or remove it: pip has a value of its own.",
        ),
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


def damaged_package(failure: DamagedPackage) -> Message:
    """Not what its name says."""
    return Message(
        title=f"{failure.package} is damaged",
        body=(
            (
                f"What was downloaded or found for {failure.package} cannot be installed: "
                f"{failure.problem}."
            ),
        ),
        steps=(
            "Build again, in case it broke on its way.",
            "If it comes from an index or a directory of your own, make it and put it there anew.",
            "Or ask for another version of it.",
        ),
    )


def not_a_package(failure: NotAPackage) -> Message:
    """A path without pyproject.toml."""
    return Message(
        title="A path to install is not a Python project",
        body=(
            f"The app asks to install {failure.path}.",
            "There is neither a pyproject.toml nor a setup.py in it.",
        ),
        steps=(
            "Add a pyproject.toml there and commit it,",
            "or remove the line: the app's own modules are importable without being installed.",
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
            "Change what it names in the app's own files, or in uv's settings.",
            (
                "Where BP_PYTHON_INSTALLER chose uv for a requirements.txt, pip can decide "
                "instead: remove it, or set it to pip."
            ),
        ),
    )
