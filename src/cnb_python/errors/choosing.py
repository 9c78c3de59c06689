"""Which files and settings decide, where that is not clear."""

from typing import override

from cnb_python.errors.base import AppError, Message

_SHOWN_NAMES = 30

_CHOOSE = "BP_PYTHON_MANAGER"


class NoRequirements(AppError):
    """The app has no file that says what to install."""

    misspelt: tuple[str, ...]
    variants: tuple[str, ...]
    """Requirements files of another purpose: `requirements-dev.txt`, `requirements`."""
    names: tuple[str, ...]
    """What the top of the app holds."""
    elsewhere: tuple[str, ...]
    """Directories below it that hold an app of their own."""

    @override
    def describe(self) -> Message:
        if self.misspelt:
            return _misspelt(self.misspelt)
        if self.variants:
            return _variants(self.variants)
        return _nothing(self.names, self.elsewhere)


class SeveralManagers(AppError):
    """More than one package manager's file decides."""

    files: tuple[tuple[str, str], ...]
    """File and manager, in a fixed order."""

    @override
    def describe(self) -> Message:
        return Message(
            title="More than one package manager's files found",
            body=(
                "The app has:",
                *(f"  - {file} ({manager})" for file, manager in self.files),
                "Each would install its own set of packages, and a guess could be wrong.",
            ),
            steps=(
                "Keep the file of the manager you use, delete the others and commit.",
                f"Or keep all, and choose: {_CHOOSE}={self.files[0][1]} (or another of these).",
            ),
        )


class ChosenManagerMissing(AppError):
    """The package manager that the user chose has no file of the app to decide by."""

    chosen: str
    """Its name."""
    expected: str
    """The file that it would decide by; empty where this release does not know it."""
    found: tuple[tuple[str, str], ...]
    """File and manager of each that has one."""

    @override
    def describe(self) -> Message:
        others = tuple(f"  - {file} ({manager})" for file, manager in self.found)
        needs = (
            f"It decides by {self.expected}, and the app has none."
            if self.expected
            else "This release of the buildpack does not know it."
        )
        return Message(
            title=f"{self.chosen} is chosen, and has nothing to decide by",
            body=(
                f"The setting {_CHOOSE} says {self.chosen}. {needs}",
                *(("The app has:", *others) if others else ()),
            ),
            steps=(
                f"Commit {self.expected}, or change the setting."
                if self.expected
                else "Choose another one.",
            ),
        )


class ForbiddenVariables(AppError):
    """Variables that send packages where the image does not look."""

    found: tuple[tuple[str, str], ...]
    """Name and what it would do."""

    @override
    def describe(self) -> Message:
        return Message(
            title="Environment variables that would make another image than was asked for",
            body=(
                "These variables are set for the build:",
                *(f"  - {name}: {reason}" for name, reason in self.found),
                "Packages would be missing or for another Python, or the variable would do nothing.",
            ),
            steps=(
                "Remove them from the build's environment (`--env`, project.toml, the platform).",
                "If you did not set them, an earlier buildpack did: look at what it exports.",
            ),
        )


class ForbiddenPipOptions(AppError):
    """A configuration file of pip's sends packages where the image does not look."""

    file: str
    options: tuple[tuple[str, str], ...]
    """Name, as the file has it, and what it would do."""

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.file} would misplace the app's packages",
            body=(
                f"pip reads {self.file}, which sets for `pip install`:",
                *(f"  - {name}: {reason}" for name, reason in self.options),
                "The image would start without packages it needs.",
            ),
            steps=(
                f"Remove these lines from {self.file}; indexes, proxies and the like may stay.",
                (
                    "If it is not yours to change, set PIP_CONFIG_FILE for the build: it takes the "
                    "place of the files in the home directory, and /dev/null means no file at all."
                ),
            ),
        )


def _visible(name: str) -> str:
    """Return a file's *name* on one line: a line break in it could look like words of ours."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode("ascii")
        for one in name
    )


def _misspelt(names: tuple[str, ...]) -> Message:
    names = tuple(map(_visible, names))
    found = names[0]
    return Message(
        title=f"No requirements.txt, but {found}",
        body=(
            f"The app has {' and '.join(names)}, which no tool reads.",
            "The file's name must be exactly requirements.txt, in small letters.",
        ),
        steps=(f"Rename it: git mv '{found}' requirements.txt", "Commit and build again."),
    )


def _variants(names: tuple[str, ...]) -> Message:
    return Message(
        title="No requirements.txt at the top of the app",
        body=(
            (
                f"The app has {' and '.join(names)}, but which of them the image needs is not "
                "ours to guess."
            ),
            "What is installed is what requirements.txt says.",
        ),
        steps=(
            "Create requirements.txt with a line for each file that the image needs:",
            f"-r {names[0] if names[0].endswith('.txt') else names[0] + '/production.txt'}",
            "Commit it and build again.",
        ),
    )


def _nothing(names: tuple[str, ...], elsewhere: tuple[str, ...]) -> Message:
    project = next((name for name in names if name == "pyproject.toml"), None)
    first = (
        f"Declare the packages in {project}: it has neither [project] nor [build-system]."
        if project
        else "Create requirements.txt at the top of the app, one package per line: flask==3.1.2"
    )
    below = f"These directories hold an app of their own: {', '.join(elsewhere)}."
    choose = "Choose the directory of the app: BP_PYTHON_PROJECT={}"
    shown = [_visible(name) for name in names[:_SHOWN_NAMES]]
    more = f", and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
    return Message(
        title="No requirements.txt",
        body=(
            "This looks like a Python app, but nothing says which packages it needs.",
            f"The top of the app holds: {', '.join(shown)}{more}.",
            *((below,) if elsewhere else ()),
        ),
        steps=(
            *((choose.format(elsewhere[0]),) if elsewhere else ()),
            first,
            "An app that needs no packages needs an empty one: touch requirements.txt",
            (
                "If you have the file on your machine: is it committed, in no .gitignore, and "
                "not excluded in project.toml?"
            ),
        ),
    )
