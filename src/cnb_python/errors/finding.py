"""Packages and versions that an index does not have for this app."""

import re
from typing import override

from cnb_python.errors.base import AppError, Message

_LINUX = re.compile(r"(manylinux|musllinux|linux)(?:\d+|_(\d+)_(\d+))?_(\w+)")

# What older tags stand for: https://peps.python.org/pep-0600/#legacy-manylinux-tags
_LAWS_OF_OLD = re.compile(r"(manylinux)(?:1|2010|2014)_(\w+)")


class NoSuchPackage(AppError):
    """No index knows the package."""

    requirement: str
    needed_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    pages: tuple[str, ...]
    """Where it was looked for and answered "not found"."""

    @override
    def describe(self) -> Message:
        looked = tuple(f"  - {page}" for page in self.pages)
        spelling = (
            f"Check {self.needed_by}: does its requirement exist, or was it removed?"
            if self.needed_by
            else "Check the spelling: the name to install is not always the name to import."
        )
        return Message(
            title=f"No package {self.requirement} found",
            body=(
                f"The index does not know {self.requirement}{_wanted(self.needed_by)}.",
                *(("It was looked for at:", *looked) if looked else ()),
            ),
            steps=(
                spelling,
                (
                    "If it comes from a private index, give the build its address: "
                    "--env PIP_EXTRA_INDEX_URL=https://... (for uv: UV_INDEX). Some indexes answer "
                    '"not found" to whoever has no access: its login may be what is missing.'
                ),
            ),
        )


class NotInFindLinks(AppError):
    """No index may be asked, and the files at hand do not hold the package."""

    requirement: str
    needed_by: str
    """The package that requires it; empty: the app itself, or unknown."""
    places: tuple[str, ...]
    """The directories and pages that were looked through, as far as known."""

    @override
    def describe(self) -> Message:
        places = tuple(f"  - {place}" for place in self.places)
        return Message(
            title=f"{self.requirement} is not among the files to install from",
            body=(
                (
                    f"Nothing there answers {self.requirement}{_wanted(self.needed_by)}, and "
                    "no index may be asked (--no-index)."
                ),
                *(("Only these were looked through:", *places) if places else ()),
            ),
            steps=(
                (
                    "Fetch all files again, for the app's Python and on the same kind of machine: "
                    "pip download -r requirements.txt -d DIRECTORY"
                ),
                "Commit them; check that no .gitignore or project.toml keeps them out.",
                "Or remove --no-index (PIP_NO_INDEX, UV_NO_INDEX), so that the index is asked too.",
            ),
        )


class NoSuchVersion(AppError):
    """The package exists, no version answers the requirement."""

    requirement: str
    newest: tuple[str, ...]
    """The newest that there are, oldest first; empty: unknown."""

    @override
    def describe(self) -> Message:
        newest = ", ".join(self.newest)
        example = f", such as {self.newest[-1]}" if newest else ""
        return Message(
            title=f"No version answers {self.requirement}",
            body=(
                f"The package exists, but no version of it answers {self.requirement}.",
                *((f"The newest that fit this Python: {newest}.",) if newest else ()),
            ),
            steps=(
                f"Ask for one that exists{example}.",
                (
                    "If the version exists elsewhere, it may be for another Python, or in "
                    "another index."
                ),
            ),
        )


class Yanked(AppError):
    """Everything that answers the requirement was withdrawn by its makers."""

    requirement: str
    versions: tuple[str, ...]
    """Empty: all that there are."""
    reason: str
    """In the words of its makers; empty: none was given."""

    @override
    def describe(self) -> Message:
        which = f"Version {', '.join(self.versions)}" if self.versions else "Every version"
        return Message(
            title=f"What answers {self.requirement} has been withdrawn",
            body=(
                f"{which} of it was yanked by its makers, and no other fits.",
                *((f"They say: {self.reason}",) if self.reason else ()),
            ),
            steps=(
                "Ask for another version, or look for a package that took its place.",
                "A withdrawn one is installed only where name==version names it exactly.",
            ),
        )


class WrongPython(AppError):
    """The version exists for other Pythons only."""

    requirement: str
    needs: tuple[str, ...]
    python: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.requirement} needs another Python",
            body=(
                f"The app runs on Python {self.python}.",
                f"{self.requirement} requires Python {' or '.join(self.needs)}.",
            ),
            steps=(
                "Choose a Python that fits: write its line, such as 3.13, to .python-version,",
                f"or ask for a version of the package that supports Python {self.python}.",
            ),
        )


class NoWheel(AppError):
    """The version exists as ready-made wheels only, none of which fits."""

    requirement: str
    python: str
    pythons: tuple[str, ...]
    """Python lines that its wheels for this kind of machine are for, oldest first."""
    platforms: tuple[str, ...]
    """The platforms of all its wheels, as their tags have them; empty: unknown."""

    @override
    def describe(self) -> Message:
        if not self.pythons:
            return _no_wheel_for_the_machine(self)
        return Message(
            title=f"{self.requirement} has no wheel for Python {self.python}",
            body=(
                (
                    "It is published as ready-made wheels for Python "
                    f"{', '.join(self.pythons)} on Linux, and not as source code."
                ),
                f"None of them fits Python {self.python} on this image.",
            ),
            steps=(
                f"Use a Python it supports: echo {self.pythons[-1]} > .python-version",
                "Or ask for a newer version of the package that supports this Python.",
            ),
        )


class VersionConflict(AppError):
    """Requirements that no set of versions satisfies."""

    causes: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="Requirements contradict each other",
            body=(
                "No set of versions satisfies all of these:",
                *(f"  - {cause}" for cause in self.causes),
            ),
            steps=(
                "Loosen or change one of them where the app says so.",
                "Find a set that works before the build: pip install --dry-run -r requirements.txt",
            ),
        )


def _no_wheel_for_the_machine(failure: NoWheel) -> Message:
    kinds = tuple(dict.fromkeys(_kind(platform) for platform in failure.platforms))
    made_for = f" for {', '.join(kinds)}" if kinds else ""
    what = "this kind of machine" if kinds else "this Python and this kind of machine"
    return Message(
        title=f"{failure.requirement} has no wheel for {what}",
        body=(
            f"It is published as ready-made wheels{made_for}, and not as source code.",
            f"None of them fits Python {failure.python} on this image.",
        ),
        steps=(*_ways_round(failure.platforms), "Or look for another version of the package."),
    )


def _ways_round(platforms: tuple[str, ...]) -> tuple[str, ...]:
    if not platforms:
        return ("Try another Python: write its line, such as 3.12, to .python-version.",)
    linux = [found for one in platforms if (found := _LINUX.fullmatch(one))]
    processors = sorted({found[4] for found in linux if found[1] != "musllinux"})
    if not linux:
        return (
            (
                "It does not run on Linux: replace it, or guard the line with a marker such as "
                "`; sys_platform == 'win32'`."
            ),
        )
    if not processors:
        return (
            "Those wheels are for images with musl, such as Alpine's, and this one has glibc.",
        )
    return (
        (
            f"If the image is to run on {' or '.join(processors)}, build it for that: pack build "
            "--platform linux/amd64 (x86_64) or linux/arm64 (aarch64)."
        ),
        "If it already is, the wheels need a newer glibc: use newer build and run images.",
    )


def _kind(platform: str) -> str:
    """Say what a tag means: `manylinux_2_39_aarch64` → `Linux on aarch64 (glibc 2.39)`."""
    if platform.startswith("win"):
        return "Windows"
    if platform.startswith("macosx"):
        return "macOS"
    if old := _LAWS_OF_OLD.fullmatch(platform):
        return f"Linux on {old[2]}"
    if not (found := _LINUX.fullmatch(platform)):
        return platform
    library = "musl" if found[1] == "musllinux" else "glibc"
    needs = f" ({library} {found[2]}.{found[3]})" if found[2] else ""
    return f"Linux on {found[4]}{needs}"


def _wanted(by: str) -> str:
    return f", which {by} requires" if by else ""
