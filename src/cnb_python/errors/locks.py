"""Lock files that are not valid, outdated, or for another app, Python or machine."""

from typing import Self, override

from cnb_python.errors.base import AppError, Message, listed

_COMMANDS = {
    "uv.lock": "uv lock",
    "poetry.lock": "poetry lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
    "Pipfile": "pipenv lock",
}
# A lock file of PEP 751 can come from several tools.
_ANY_COMMAND = "the command that wrote it (uv export, pip lock, pdm export)"
_BY_HAND = "Lock files break easily, for example when they are edited by hand or merged."


class BadLock(AppError):
    """A lock file is not valid."""

    file: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} cannot be used",
            body=(
                f"Found:    {self.problem}.",
                "Expected: a file as its tool writes it.",
                _BY_HAND,
            ),
            fixes=(f"Write it again with {_command(self.file)}.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("uv.lock", "it is not UTF-8 text")


class LockWithoutProject(AppError):
    """A lock file exists, but the file that it is made from is missing."""

    file: str
    source: str
    """The missing file: `Pipfile`."""
    manager: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} exists, but {self.source} is missing",
            body=(
                f"Found:    {self.file}, without {self.source} beside it.",
                f"Expected: both, since {self.manager} reads both.",
            ),
            fixes=(
                f"Add {self.source} to the app.",
                (
                    f"If you have {self.source} on your machine, check that it is in the repository, "
                    "and that no .gitignore, .dockerignore or project.toml excludes it."
                ),
                f"If the app does not use {self.manager} any more, delete {self.file}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Pipfile.lock", "Pipfile", "Pipenv")


class PoetryProjectWithoutLock(AppError):
    """Only Poetry reads the packages that the project needs, and there is no poetry.lock."""

    packages: str
    """As a phrase: `the packages of [tool.poetry.dependencies]`."""

    @override
    def describe(self) -> Message:
        return Message(
            title="The app is a project of Poetry, but has no poetry.lock",
            body=(
                f"Found:    {self.packages} in pyproject.toml, which only Poetry reads.",
                "Expected: poetry.lock, from which Poetry installs them.",
            ),
            steps=(
                "Run poetry lock on your machine.",
                "Commit poetry.lock, and build again.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("the packages of [tool.poetry.dependencies]")


class SeveralLocks(AppError):
    """The app has several `pylock.NAME.toml`, but no `pylock.toml`."""

    files: tuple[str, ...]
    plain: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The app has several lock files, but no {self.plain}",
            body=(
                "Found:",
                *(f"  - {file}" for file in self.files),
                f"Expected: {self.plain}, the lock file that the image is made from.",
            ),
            fixes=(
                (
                    "Rename the one for the image (the others may stay): "
                    f"git mv {self.files[0]} {self.plain}"
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("pylock.dev.toml", "pylock.web.toml"), "pylock.toml")


class StaleLock(AppError):
    """A lock file is out of date."""

    file: str
    source: str
    """The file that it is made from: `pyproject.toml`."""
    command: str
    """The command that updates it: `uv lock`."""
    output: tuple[str, ...]
    """The last lines of the tool's output."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} is out of date",
            body=(
                f"{self.source} has changed since {self.file} was written. The tool reports:",
                *(f"  {line}" for line in self.output),
            ),
            steps=(
                f"Run {self.command} on your machine.",
                f"Commit {self.file} together with {self.source}, and build again.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "uv.lock",
            "pyproject.toml",
            "uv lock",
            (
                "The lockfile at `uv.lock` needs to be updated, but `--locked` was provided.",
                "hint: To update the lockfile, run `uv lock`.",
            ),
        )


class UnsetVariable(AppError):
    """An address, usually of an index, contains a variable that is not set."""

    file: str
    """The file with the address: `Pipfile.lock`."""
    source: str
    """The name of the index; its address, without login, if it has no name."""
    variables: tuple[str, ...]
    kind: str
    """What is at the address."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{listed(self.variables, ' and ')} must be set for the {self.kind} {self.source}",
            body=(
                (
                    f"Found:    the address of the {self.kind} {self.source} in {self.file}, which "
                    f"contains {listed(self.variables, ' and ')}."
                ),
                "Expected: a value for it in the environment of the build.",
            ),
            fixes=(
                "Pass the value of your shell to the build: "
                + listed((f"--env {variable}" for variable in self.variables), " "),
                (
                    f"Remove the login from the address in {self.file}, and give the build a .netrc "
                    "in a service binding."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Pipfile.lock", "ours", ("PASSWORD",), "index")


class UnreplacedVariable(AppError):
    """The address of an index contains a variable where no tool replaces variables."""

    setting: str
    """What has the address: `pip.conf`, `UV_INDEX`."""
    variables: tuple[str, ...]

    @override
    def describe(self) -> Message:
        names = listed(self.variables, " and ")
        return Message(
            title=f"The variable {names} in {self.setting} is not replaced",
            body=(
                f"Found:    an address with {names} in {self.setting}.",
                (
                    "Expected: the address itself. Variables are replaced in requirements, in a "
                    "Pipfile and in PDM's sources, and nowhere else."
                ),
            ),
            fixes=(
                (
                    "Give the build the whole address: "
                    "--env PIP_INDEX_URL=https://USER:TOKEN@HOST/simple/"
                ),
                (
                    "Write the address without a login, and give the build the login in a "
                    "service binding."
                ),
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pip.conf", ("PKG_TOKEN",))


class LockForOtherPython(AppError):
    """A lock file, or a package in it, is for another Python than the app's."""

    file: str
    package: str
    """Empty: the whole file."""
    requires: str
    python: str

    @override
    def describe(self) -> Message:
        subject = f"{self.package} in {self.file}" if self.package else self.file
        return Message(
            title=f"{self.file} is not for Python {self.python}",
            body=(
                f"Found:    {subject}, which requires Python {self.requires}.",
                f"Expected: a lock file for Python {self.python}, the Python of the app.",
            ),
            fixes=(
                f"Write it again for that Python, with {_command(self.file)}.",
                "Use another Python: write its version to .python-version.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pylock.toml", "six", "<3.13", "3.13.1")


class ProjectForOtherPython(AppError):
    """The app's `requires-python` excludes the Python of the build."""

    requires: str
    where: str
    """The file, or uv's words for a member of a workspace."""
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The app is not for Python {self.python}",
            body=(
                f"Found:    requires-python = {self.requires!r} ({self.where}).",
                f"Expected: a range that includes Python {self.python}, the Python of the build.",
            ),
            fixes=(
                "Use a Python in that range: write its version to .python-version.",
                "Widen requires-python, and run uv lock.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(">=3.15", "workspace member `shop`'s `project.requires-python`", "3.14.6")


class UnknownGroup(AppError):
    """A setting names a group or an extra that the app does not have."""

    file: str
    kind: str
    """`group` or `extra`."""
    name: str
    available: tuple[str, ...]

    @override
    def describe(self) -> Message:
        from difflib import get_close_matches  # noqa: PLC0415 - only errors need it

        available = listed(self.available) or "none"
        nearest = get_close_matches(self.name, self.available, 1)
        command = _COMMANDS.get(self.file, "the command of your tool (uv lock, pdm lock)")
        return Message(
            title=f"There is no {self.kind} {self.name} in {self.file}",
            body=(
                f"Found:    the {self.kind} {self.name}, in the settings of the build.",
                f"Expected: a {self.kind} of {self.file}: {available}",
            ),
            fixes=(
                f"Correct the setting{f', to {nearest[0]}' if nearest else ''}.",
                f"Add the {self.kind}, and update the lock file, if there is one, with {command}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("Pipfile.lock", "group", "dosc", ("develop", "docs"))


class UnexpectedType(AppError):
    """A value in a file of the app has the wrong type, or its syntax is wrong."""

    file: str
    key: str
    """`tool.poetry.dependencies`; empty: only the line is known."""
    line: int | None
    """From 1; None: unknown."""
    value: str
    expected: str
    """As a noun phrase, or as the tool reports it."""

    @override
    def describe(self) -> Message:
        is_lock = self.file.endswith(".lock") or self.file.startswith("pylock.")
        line = f"line {self.line}" if self.line else self.file
        return Message(
            title=f"{self.file} has a mistake"
            + (f" at {self.key}" if self.key else f" in line {self.line}"),
            body=(
                f"Found:    {self.value} ({f'{self.key}, {line}' if self.key else line})",
                f"Expected: {self.expected}",
                *((_BY_HAND,) if is_lock else ()),
            ),
            fixes=(
                f"Write it again with {_command(self.file)}."
                if is_lock
                else f"Correct it in {self.file}.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("pyproject.toml", "", 2, "name = 1", "text in quotes")


class PathOutsideApp(AppError):
    """A file of the app names a path outside of the app."""

    file: str
    path: str
    """As in the file: `../../shared`."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} names {self.path}, which is outside the app",
            body=(
                f"Found:    {self.path}, in {self.file}.",
                (
                    "Expected: a path in the app. The build sees no other files, and the image would "
                    "not have them."
                ),
            ),
            fixes=(
                (
                    "If it is in the same repository, build from the top of the repository, and name "
                    "the app's directory: --path . --env BP_PYTHON_PROJECT=services/api"
                ),
                f"Move it into the app, and change {self.file}.",
                "Publish it to an index, and name it by name and version.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("base.txt", "../shared")


def _command(file: str) -> str:
    return _COMMANDS.get(file, _ANY_COMMAND)
