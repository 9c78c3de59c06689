"""Requirements that cannot be installed as they are."""

import re
from typing import override

from cnb_python.errors.base import AppError, Message

# Where conda's packages are built: its `pip freeze` names these places.
_CONDA = re.compile(r"/croot/|/feedstock_root/|/home/conda/|/tmp/build/\d")

_OF_CONDA = (
    "conda wrote that path, which only its own machine has. This writes names and versions: "
    "pip list --format=freeze > requirements.txt"
)


class BadRequirement(AppError):
    """A line of a requirements file that cannot be understood."""

    text: str
    place: str
    """`line 3 of requirements.txt`, empty where unknown."""
    problem: str

    @override
    def describe(self) -> Message:
        place = self.place or "requirements.txt"
        return Message(
            title=f"A line of {place.rpartition(' ')[2]} cannot be understood",
            body=(
                f"In {place}: {self.text}",
                f"It is refused: {self.problem}",
                "A requirement is a name and, usually, a version: flask==3.1.2",
            ),
            steps=(
                *((_OF_CONDA,) if _CONDA.search(self.text) else ()),
                "Correct the line, commit and build again.",
            ),
        )


class BadPipOption(AppError):
    """A setting of pip's has a value that it cannot have."""

    option: str
    """As its configuration files call it: `default-timeout`."""
    found: str
    expected: str

    @override
    def describe(self) -> Message:
        variable = f"PIP_{self.option.upper().replace('-', '_')}"
        return Message(
            title=f"pip's setting {self.option} cannot have this value",
            body=(f"Found:    {self.found!r}.", f"Expected: {self.expected}."),
            steps=(
                (
                    f"Change the variable {variable}, or {self.option} in the pip.conf of a "
                    "binding or of the build image."
                ),
                "Or remove it: pip has a value of its own.",
            ),
        )


class IncludeMissing(AppError):
    """A requirements file includes another that does not exist."""

    file: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} is included but cannot be opened",
            body=(
                f"A -r or -c line names {self.file}: {self.problem}.",
                "Such paths are relative to the file that includes them.",
            ),
            steps=(
                f"Check the spelling, and that {self.file} is committed and in no .gitignore.",
                "Or remove the line that includes it.",
            ),
        )


class NotAPackage(AppError):
    """A path to install holds neither pyproject.toml nor setup.py."""

    path: str

    @override
    def describe(self) -> Message:
        return Message(
            title="A path to install is not a Python project",
            body=(
                f"The app asks to install {self.path}.",
                "There is neither a pyproject.toml nor a setup.py in it.",
            ),
            steps=(
                "Add a pyproject.toml there and commit it,",
                "or remove the line: the app's own modules are importable without being installed.",
            ),
        )


class DamagedPackage(AppError):
    """A wheel or an sdist that cannot be used as it is."""

    package: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} is damaged",
            body=(
                (
                    f"What was downloaded or found for {self.package} cannot be installed: "
                    f"{self.problem}."
                ),
            ),
            steps=(
                "Build again, in case it broke on its way.",
                "If it comes from an index or a directory of your own, make it and put it there anew.",
                "Or ask for another version of it.",
            ),
        )


class HashMismatch(AppError):
    """A download is not the one whose hash is written down."""

    requirement: str
    expected: tuple[str, ...]
    got: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.requirement} is not the file whose hash is written down",
            body=(
                *(f"Expected  {digest}" for digest in self.expected),
                f"Got       {self.got}",
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


class HashMissing(AppError):
    """Some requirements have hashes, so all must."""

    lines: tuple[str, ...]
    """The lines with the hashes they would need."""

    @override
    def describe(self) -> Message:
        return Message(
            title="Some requirements have no hash",
            body=(
                (
                    "As soon as one requirement has a --hash, every one needs one, those that are "
                    "only needed by others included. Missing:"
                ),
                *(f"  {line}" for line in self.lines),
            ),
            steps=(
                (
                    "Write the file with a tool that hashes everything (pip-compile "
                    "--generate-hashes, uv export), or add the lines above once you trust them."
                ),
                "Or remove every --hash.",
            ),
        )


class NotPinned(AppError):
    """Requirements have hashes, so each needs an exact version."""

    requirements: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="Requirements with hashes must be complete and exact",
            body=(
                (
                    "Some requirements have a --hash, so each must be written as name==version, those "
                    "that are only needed by others included. These are not:"
                ),
                *(f"  - {requirement}" for requirement in self.requirements),
            ),
            steps=(
                (
                    "Write the file with a tool that pins and hashes everything "
                    "(pip-compile --generate-hashes, uv export)."
                ),
                "Or remove every --hash.",
            ),
        )


class PathClash(AppError):
    """Two packages that cannot be in one environment: one's file is the other's directory."""

    path: str
    file_of: str
    directory_of: str

    @override
    def describe(self) -> Message:
        both = f"{self.file_of} and {self.directory_of}"
        return Message(
            title=f"{both} cannot be installed together",
            body=(
                f"{self.file_of} has a file {self.path}.",
                f"{self.directory_of} needs a directory of that name.",
            ),
            steps=(
                f"Remove one of {both} from the requirements, or what requires it.",
                "Or look for other releases of them that go together.",
            ),
        )


class InstallFailed(AppError):
    """A manager failed for a reason that we do not recognise."""

    manager: str
    command: str
    code: int
    last_words: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.manager} could not install the app's packages",
            body=(
                f"`{self.command}` ended with exit code {self.code}. Its last words:",
                *(f"  {line}" for line in self.last_words),
            ),
            steps=(
                "Read its output above: the first error is usually the cause.",
                "Try the same on your machine: the command above, in a fresh virtual environment.",
            ),
        )


class UvRefused(AppError):
    """uv, which the user chose or the app's files allow, could not decide or install."""

    command: str
    code: int
    reasons: tuple[str, ...]
    """In uv's own words."""

    @override
    def describe(self) -> Message:
        return Message(
            title="uv could not install the app's packages",
            body=(
                f"`{self.command}` ended with exit code {self.code}. It says:",
                *(f"  {reason}" for reason in self.reasons),
            ),
            steps=(
                "Change what it names in the app's own files, or in uv's settings.",
                (
                    "Where BP_PYTHON_INSTALLER chose uv for a requirements.txt, pip can decide "
                    "instead: remove it, or set it to pip."
                ),
            ),
        )
