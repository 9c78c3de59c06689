"""Lock files, and projects that do not fit them."""

from typing import override

from cnb_python.errors.base import AppError, Message

# What makes a lock again, by the file; those of PEP 751 are made by several tools.
_COMMANDS = {
    "uv.lock": "uv lock",
    "poetry.lock": "poetry lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
    "Pipfile": "pipenv lock",
}

_MANY = "the command that made it (uv export, pip lock, pdm export ...)"


class BadLock(AppError):
    """A lock file is not of the form that it should have, or contradicts itself."""

    file: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} cannot be used",
            body=(f"Found:    {self.problem}.", "Expected: a file as its tool writes it."),
            steps=(
                "A lock file is not edited by hand, and a merge can leave it broken.",
                f"Make it again with {_command(self.file)}, and commit it.",
            ),
        )


class LockWithoutProject(AppError):
    """A lock file is there without what its tool makes it from."""

    file: str
    source: str
    """What is missing: `Pipfile`."""
    manager: str
    """The tool: `Pipenv`."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} is there without its {self.source}",
            body=(
                f"Found:    {self.file}, and no {self.source} beside it.",
                f"Expected: both. {self.manager} makes the one from the other, and reads both.",
            ),
            steps=(
                f"Commit {self.source} too: git add {self.source}",
                (
                    "Where it is committed: look for what leaves it out, in .gitignore, "
                    ".dockerignore or project.toml."
                ),
                f"Where the app does not use {self.manager} any more: git rm {self.file}",
            ),
        )


class SeveralLocks(AppError):
    """Several locks of the standard form have names of their own, and none has the plain one."""

    files: tuple[str, ...]
    plain: str

    @override
    def describe(self) -> Message:
        return Message(
            title="More than one lock file could be the image's",
            body=(
                "The app has:",
                *(f"  - {file}" for file in self.files),
                f"The one that an image is made from is called {self.plain}.",
            ),
            steps=(
                f"Rename that one: git mv {self.files[0]} {self.plain} (the others may stay).",
                "Commit and build again.",
            ),
        )


class StaleLock(AppError):
    """A lock file does not fit what it was made from."""

    file: str
    source: str
    """What it was made from: `pyproject.toml`."""
    command: str
    """What brings it up to date: `uv lock`."""
    said: tuple[str, ...]
    """The tool's own words."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} is out of date",
            body=(
                f"{self.source} has changed since {self.file} was made from it, so that the",
                "image would not have what one of the two says. The tool's words:",
                *(f"  {line}" for line in self.said),
            ),
            steps=(
                f"Run {self.command} on your machine.",
                f"Commit {self.file} together with {self.source}, and build again.",
            ),
        )


class UnsetVariable(AppError):
    """The address of an index names a variable, most often for a login, that there is not."""

    file: str
    """Where the address stands: `Pipfile`."""
    source: str
    """As the file calls the index."""
    variables: tuple[str, ...]

    @override
    def describe(self) -> Message:
        one, file = self.variables[0], self.file
        return Message(
            title=f"The index {self.source} needs {' and '.join(self.variables)}",
            body=(
                f"The address of the index {self.source} in {file} has variables in it.",
                "The build was not given what they stand for.",
            ),
            steps=(
                f"Give the build its value: pack build my-image --env {one} hands on the shell's.",
                f"Or take the login out of it, in {file}, and bind a .netrc (docs/indexes.md).",
            ),
        )


class LockForOtherPython(AppError):
    """A lock file, or one of its packages, is not meant for the app's Python."""

    file: str
    package: str
    """Empty: the whole file."""
    requires: str
    python: str

    @override
    def describe(self) -> Message:
        who = f"{self.package} in {self.file}" if self.package else self.file
        return Message(
            title=f"{self.file} is not for Python {self.python}",
            body=(
                f"Found:    {who} requires Python {self.requires}.",
                f"Expected: one that Python {self.python}, which the app gets, satisfies.",
            ),
            steps=(
                f"Make {self.file} again for that Python: {_command(self.file)}. Commit it.",
                "Or ask for another Python: put its version into .python-version.",
            ),
        )


class ProjectForOtherPython(AppError):
    """What the app says of its Python excludes the one that it gets."""

    requires: str
    where: str
    """Who says so: `pyproject.toml`, or words of uv's that name a member of a workspace."""
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"The app is not for Python {self.python}",
            body=(
                f"Found:    requires-python = {self.requires!r} ({self.where}).",
                f"Expected: a range that holds Python {self.python}, which the app gets.",
            ),
            steps=(
                "Ask for a Python within the range: put its version into .python-version.",
                "Or widen requires-python, run uv lock, and commit both files.",
            ),
        )


class UnknownGroup(AppError):
    """A group or an extra was chosen that the lock does not know."""

    file: str
    kind: str
    """`group` or `extra`."""
    name: str
    known: tuple[str, ...]

    @override
    def describe(self) -> Message:
        known = ", ".join(self.known) or "none"
        command = _COMMANDS.get(self.file, "the command of your tool (uv lock, pdm lock ...)")
        return Message(
            title=f"There is no {self.kind} {self.name} in {self.file}",
            body=(
                f"Found:    the {self.kind} {self.name}, in the settings of the build.",
                f"Expected: one of those that {self.file} knows: {known}.",
            ),
            steps=(
                f"Change the setting, or add the {self.kind}, lock again and commit: {command}.",
            ),
        )


class UnexpectedType(AppError):
    """A document of the app holds something of another kind than its tool can read."""

    file: str
    place: str
    """Which of its values: `tool.poetry.dependencies`; empty: only the line is known."""
    line: int | None
    """From 1; None: unknown."""
    found: str
    expected: str
    """As a noun phrase, or in the tool's own words."""

    @override
    def describe(self) -> Message:
        line = f"line {self.line} of {self.file}" if self.line else self.file
        where = f"{self.place} in {line}" if self.place else line
        mending: tuple[str, ...] = (
            f"Correct {where}.",
            f"Commit {self.file}, and build again.",
        )
        if self.file.endswith(".lock") or self.file.startswith("pylock."):
            mending = (
                "A lock file is not edited by hand, and a merge can leave it broken.",
                f"Make it again with {_command(self.file)}, and commit it.",
            )
        return Message(
            title=f"{self.file} has a mistake"
            + (f" at {self.place}" if self.place else f" in line {self.line}"),
            body=(
                f"Found:    {self.found}, in {where}.",
                f"Expected: {self.expected}.",
            ),
            steps=mending,
        )


class PathOutsideApp(AppError):
    """A file of the app names a directory or file that lies outside of the app."""

    file: str
    path: str
    """As the file has it: `../../shared`."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} names {self.path}, which is not in the app",
            body=(
                f"Found:    {self.path} in {self.file}: it leads out of the app's directory.",
                (
                    "Expected: a directory or file of the app. Nothing else is handed to the build, "
                    "and the image would not have it."
                ),
            ),
            steps=(
                (
                    "If it is in the same repository, build from the top of that, and name the app's "
                    "directory: --path . --env BP_PYTHON_PROJECT=services/api"
                ),
                f"Or move it into the app, and change {self.file}.",
                "Or publish it to an index, and ask for it by its name and version.",
            ),
        )


def _command(file: str) -> str:
    return _COMMANDS.get(file, _MANY)
