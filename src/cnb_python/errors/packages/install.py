"""Packages that are found but cannot be installed."""

import re
from typing import Self, override

from cnb_python.errors.base import AppError, Message

_HASH_FIXES = (
    (
        "Write the file with a tool that pins and hashes every package: "
        "pip-compile --generate-hashes, or uv export"
    ),
    "Remove every --hash.",
)


class DamagedPackage(AppError):
    """A wheel or an sdist is damaged."""

    package: str
    problem: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.package} is damaged",
            body=(f"Its file cannot be installed: {self.problem}.",),
            fixes=(
                "Build again: the download may have been incomplete.",
                (
                    "If the repository keeps it with Git LFS, fetch the files before the build: "
                    "git lfs pull"
                ),
                "If it comes from your own index or directory, build it and copy it there again.",
                "If the server sent a login page instead, give the build a login for that server.",
                "Use another version of it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        problem = "unable to locate the end of central directory record"
        return cls("broken-1.0-py3-none-any.whl", problem)


class HashMismatch(AppError):
    """A download does not have any of the expected hashes."""

    requirement: str
    expected: tuple[str, ...]
    got: str

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.requirement} does not have the expected hash",
            body=(
                f"Found:    {self.got}",
                *(f"Expected: {digest}" for digest in self.expected),
                (
                    "The hashes were not updated with the version, or the index now has another file. "
                    "It was not installed."
                ),
            ),
            fixes=(
                (
                    "If you changed the version, update its hashes: pip-compile --generate-hashes, "
                    "or uv export"
                ),
                "If you did not, find out where the file comes from before you trust it.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "itsdangerous==2.2.0",
            (f"sha256 {'0' * 64}",),
            "c6242fc49e35958c8b15141343aa660db5fc54d4f13a1db01a3f5891b98700ef",
        )


class HashMissing(AppError):
    """Some requirements have hashes and others have none."""

    lines: tuple[str, ...]
    """The requirements without a hash, with the hash they would need."""

    @override
    def describe(self) -> Message:
        return Message(
            title="Some requirements have no hash",
            body=(
                (
                    "If one requirement has a --hash, all need one, including the dependencies of "
                    "packages. Missing:"
                ),
                *(f"  {line}" for line in self.lines),
            ),
            fixes=(
                *_with_unsafe(self.lines),
                *_HASH_FIXES,
                "Add the lines above, if you trust these files.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        digest = "63c132bbbed01578a06712a2d1f497bb62d9c1c0d329b7903a866228027263b2"
        return cls((f"click==8.1.8 --hash=sha256:{digest}",))


class NotPinned(AppError):
    """Requirements with hashes are incomplete or not pinned."""

    requirements: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title="Requirements with hashes must be complete and pinned",
            body=(
                (
                    "If one requirement has a --hash, all must be written as name==version, including "
                    "the dependencies of packages. Not pinned:"
                ),
                *(f"  - {requirement}" for requirement in self.requirements),
            ),
            fixes=(*_with_unsafe(self.requirements), *_HASH_FIXES),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(("blinker>=1.9.0",))


def _with_unsafe(requirements: tuple[str, ...]) -> tuple[str, ...]:
    """Return the fix for packages that pip-compile leaves out by default."""
    if not any(
        re.match(r"(?:setuptools|pip|distribute)(?![\w.-])", each) for each in requirements
    ):
        return ()
    return (
        "Write the file with setuptools and pip in it: pip-compile --allow-unsafe --generate-hashes",
    )


class PathConflict(AppError):
    """Two packages need the same path, one as a file and the other as a directory."""

    path: str
    file_of: str
    directory_of: str

    @override
    def describe(self) -> Message:
        both = f"{self.file_of} and {self.directory_of}"
        return Message(
            title=f"{both} cannot be installed together",
            body=(
                f"{self.file_of} contains the file {self.path}.",
                f"{self.directory_of} needs a directory of that name.",
            ),
            fixes=(
                f"Remove one of {both} from the requirements, or the package that requires it.",
                "Use other versions of them, which do not conflict.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("lib/python3.14/site-packages/x", "cv", "cv-headless")


class InstallFailed(AppError):
    """A package manager failed for an unknown reason."""

    manager: str
    command: str
    code: int
    last_words: tuple[str, ...]

    @override
    def describe(self) -> Message:
        return Message(
            title=f"{self.manager} could not install the app's packages",
            body=(
                f"`{self.command}` ended with exit code {self.code}. Its last lines:",
                *(f"  {line}" for line in self.last_words),
                "The complete output is above. The first error in it is usually the cause.",
            ),
            fixes=("Run the command on your machine, in a new virtual environment.",),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "pip", "pip install -r requirements.txt", 1, ("ERROR: Operation cancelled by user",)
        )


class UvRefused(AppError):
    """uv failed for an unknown reason."""

    command: str
    code: int
    reasons: tuple[str, ...]
    """As uv reports them."""

    @override
    def describe(self) -> Message:
        return Message(
            title="uv could not install the app's packages",
            body=(
                f"`{self.command}` ended with exit code {self.code}. uv reports:",
                *(f"  {reason}" for reason in self.reasons),
            ),
            fixes=(
                "Correct this in the app's files, or in uv's settings.",
                "If BP_PYTHON_INSTALLER=uv is set for a requirements.txt, remove it to use pip.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            "uv export --locked --no-default-groups",
            2,
            ("Failed to parse `uv.lock`", "cause: line 3"),
        )
