"""The words for lock files that do not fit the app."""

from cnb_python.errors.inputs import OutsideApp, WrongForm
from cnb_python.errors.locks import (
    BadLock,
    LockForOtherPython,
    LoneLock,
    ProjectForOtherPython,
    SeveralLocks,
    StaleLock,
    UnknownGroup,
    UnsetVariable,
)
from cnb_python.wording.message import Message

# What makes a lock again, by the file; those of PEP 751 are made by several tools.
_COMMANDS = {
    "uv.lock": "uv lock",
    "poetry.lock": "poetry lock",
    "pdm.lock": "pdm lock",
    "Pipfile.lock": "pipenv lock",
    "Pipfile": "pipenv lock",
}
_MANY = "the command that made it (uv export, pip lock, pdm export ...)"


def bad_lock(failure: BadLock) -> Message:
    """What is wrong, and that it is made rather than mended."""
    return Message(
        title=f"{failure.file} cannot be used",
        body=(f"Found:    {failure.problem}.", "Expected: a file as its tool writes it."),
        steps=(
            "A lock file is not edited by hand, and a merge can leave it broken.",
            f"Make it again with {_command(failure.file)}, and commit it.",
        ),
    )


def lone_lock(failure: LoneLock) -> Message:
    """Both files belong to the app; or neither does."""
    return Message(
        title=f"{failure.file} is there without its {failure.source}",
        body=(
            f"Found:    {failure.file}, and no {failure.source} beside it.",
            f"Expected: both. {failure.manager} makes the one from the other, and reads both.",
        ),
        steps=(
            f"Commit {failure.source} too: git add {failure.source}",
            (
                "Where it is committed: look for what leaves it out, in .gitignore, "
                ".dockerignore or project.toml."
            ),
            f"Where the app does not use {failure.manager} any more: git rm {failure.file}",
        ),
    )


def wrong_form(failure: WrongForm) -> Message:
    """Where it is, what stands there, and what has to."""
    line = f"line {failure.line} of {failure.file}" if failure.line else failure.file
    where = f"{failure.place} in {line}" if failure.place else line
    mending: tuple[str, ...] = (
        f"Correct {where}.",
        f"Commit {failure.file}, and build again.",
    )
    if failure.file.endswith(".lock") or failure.file.startswith("pylock."):
        mending = (
            "A lock file is not edited by hand, and a merge can leave it broken.",
            f"Make it again with {_command(failure.file)}, and commit it.",
        )
    return Message(
        title=f"{failure.file} has a mistake"
        + (f" at {failure.place}" if failure.place else f" in line {failure.line}"),
        body=(
            f"Found:    {failure.found}, in {where}.",
            f"Expected: {failure.expected}.",
        ),
        steps=mending,
    )


def outside_app(failure: OutsideApp) -> Message:
    """Only what is handed to the build can be in the image."""
    return Message(
        title=f"{failure.file} names {failure.path}, which is not in the app",
        body=(
            f"Found:    {failure.path} in {failure.file}: it leads out of the app's directory.",
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
            f"Or move it into the app, and change {failure.file}.",
            "Or publish it to an index, and ask for it by its name and version.",
        ),
    )


def several_locks(failure: SeveralLocks) -> Message:
    """They are for several purposes, and the image's is not ours to guess."""
    return Message(
        title="More than one lock file could be the image's",
        body=(
            "The app has:",
            *(f"  - {file}" for file in failure.files),
            f"The one that an image is made from is called {failure.plain}.",
        ),
        steps=(
            f"Rename that one: git mv {failure.files[0]} {failure.plain} (the others may stay).",
            "Commit and build again.",
        ),
    )


def stale_lock(failure: StaleLock) -> Message:
    """The one command that mends it."""
    return Message(
        title=f"{failure.file} is out of date",
        body=(
            f"{failure.source} has changed since {failure.file} was made from it, so that the",
            "image would not have what one of the two says. The tool's words:",
            *(f"  {line}" for line in failure.said),
        ),
        steps=(
            f"Run {failure.command} on your machine.",
            f"Commit {failure.file} together with {failure.source}, and build again.",
        ),
    )


def lock_for_other_python(failure: LockForOtherPython) -> Message:
    """Both sides, and a way to change either."""
    who = f"{failure.package} in {failure.file}" if failure.package else failure.file
    return Message(
        title=f"{failure.file} is not for Python {failure.python}",
        body=(
            f"Found:    {who} requires Python {failure.requires}.",
            f"Expected: one that Python {failure.python}, which the app gets, satisfies.",
        ),
        steps=(
            f"Make {failure.file} again for that Python: {_command(failure.file)}. Commit it.",
            "Or ask for another Python: put its version into .python-version.",
        ),
    )


def project_for_other_python(failure: ProjectForOtherPython) -> Message:
    """Both sides, and a way to change either."""
    return Message(
        title=f"The app is not for Python {failure.python}",
        body=(
            f"Found:    requires-python = {failure.requires!r} ({failure.where}).",
            f"Expected: a range that holds Python {failure.python}, which the app gets.",
        ),
        steps=(
            "Ask for a Python within the range: put its version into .python-version.",
            "Or widen requires-python, run uv lock, and commit both files.",
        ),
    )


def unknown_group(failure: UnknownGroup) -> Message:
    """What was chosen, and everything that there is."""
    known = ", ".join(failure.known) or "none"
    command = _COMMANDS.get(failure.file, "the command of your tool (uv lock, pdm lock ...)")
    return Message(
        title=f"There is no {failure.kind} {failure.name} in {failure.file}",
        body=(
            f"Found:    the {failure.kind} {failure.name}, in the settings of the build.",
            f"Expected: one of those that {failure.file} knows: {known}.",
        ),
        steps=(
            f"Change the setting, or add the {failure.kind}, lock again and commit: {command}.",
        ),
    )


def unset_variable(failure: UnsetVariable) -> Message:
    """Which ones, and how a build is given them."""
    one, file = failure.variables[0], failure.file
    return Message(
        title=f"The index {failure.source} needs {' and '.join(failure.variables)}",
        body=(
            f"The address of the index {failure.source} in {file} has variables in it.",
            "The build was not given what they stand for.",
        ),
        steps=(
            f"Give the build its value: pack build my-image --env {one} hands on the shell's.",
            f"Or take the login out of it, in {file}, and bind a .netrc (docs/indexes.md).",
        ),
    )


def _command(file: str) -> str:
    return _COMMANDS.get(file, _MANY)
