"""Code of packages or of the app that changes files that are not its own."""

from collections.abc import Sequence
from typing import Self, override

from cnb_python.errors.base import AppError, Message, listed

_UNTRUSTED = "The build stops, so that nothing of this reaches an image."
_FIND_OUT = "Find out which package or script does it, and remove it from the app."
_SHOWN = 5


class LayersDirectoryReplaced(AppError):
    """Code of the app or of a package moved the directory of the image's layers away."""

    directory: str

    @override
    def describe(self) -> Message:
        return Message(
            title="Code that ran during the build replaced the directory of the layers",
            body=(
                f"Found:    another directory, or none, at {self.directory}.",
                "Expected: the directory that the build started with.",
                _UNTRUSTED,
            ),
            fixes=(_FIND_OUT,),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("/layers/cnb-python_python")


class AppChangedByPackage(AppError):
    """The build of a package that is not part of the app changed the app's own files."""

    package: str
    path: str
    """The first changed file, below the top of the repository."""
    count: int

    @override
    def describe(self) -> Message:
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        return Message(
            title=f"The build of {self.package} changed files of the app",
            body=(
                f"Changed or removed: {self.path}{more}.",
                f"{self.package} is built from source, which runs code of that package.",
                _UNTRUSTED,
            ),
            fixes=(
                f"Look at what the build of {self.package} does before you trust it.",
                f"Use another version of {self.package}, or one that has a wheel for this Python.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("evil-sdist", "shop/settings.py", 1)


class BuildsInterfere(AppError):
    """Builds of packages go on changing each other's files, however often they are repeated."""

    packages: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="Builds of packages change each other's files",
            body=(
                f"Changed again: {listed(self.packages)}.",
                "A package that another one changed is built again, but these never end.",
                _UNTRUSTED,
            ),
            fixes=(
                "Look at what the builds of these packages do before you trust them.",
                "Use versions that have a wheel for this Python: a wheel runs no code.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("aardvark", "evil"))


def foreign_files(program: str, removed: Sequence[str], restored: Sequence[str]) -> Message:
    """Return a warning about entries of the layers directory that foreign code changed."""
    return Message(
        title=f"The directory of the image's layers was changed by {program}",
        body=(
            *((f"Removed:  {_first(removed)}.",) if removed else ()),
            *((f"Restored: {_first(restored)}.",) if restored else ()),
            "Only the buildpack decides about layers, so nothing of this is in the image.",
            "Look at what that code does before you trust it.",
        ),
    )


def interpreter_changed(packages: Sequence[str], paths: Sequence[str]) -> Message:
    """Return a warning about files of the interpreter that code of *packages* changed."""
    return Message(
        title=f"{_code_of(packages)} changed the app's Python",
        body=(
            f"Found:    {_first(paths)}.",
            "Replaced: all of Python, so nothing of this is in the image or in the cache.",
            "Look at what that code does before you trust it.",
        ),
    )


def configuration_changed(packages: Sequence[str], paths: Sequence[str]) -> Message:
    """Return a warning about the user's files that code of *packages* changed."""
    return Message(
        title=f"{_code_of(packages)} changed files that other tools use",
        body=(
            f"Restored, or removed: {_first(paths)}.",
            "Packages are downloaded and built as if they had not been changed.",
            "Look at what that code does before you trust it.",
        ),
    )


def files_in_app(package: str, paths: Sequence[str]) -> Message:
    """Return a warning about files that the build of a package left in the app's directory."""
    return Message(
        title=f"The build of {package} wrote into the app's directory",
        body=(
            f"Removed: {_first(paths)}.",
            f"{package} is not part of the app, so nothing of this is in the image.",
        ),
    )


def _code_of(packages: Sequence[str]) -> str:
    return f"The build of {_first(packages)}" if packages else "Code of a package"


def _first(names: Sequence[str]) -> str:
    return listed(names, most=_SHOWN)
