"""Packages that have to be built and cannot be."""

from typing import Literal

from cnb_python.errors.kinds import AppError


class MissingForBuild(AppError):
    """Building a package from source needs what the build image lacks."""

    package: str
    """Empty where unknown."""
    kind: Literal["header", "library", "program"]
    name: str
    python: str
    debian: str
    """The package of Debian that holds it; empty: unknown."""
    ubuntu: str


class MissingBuildRequirement(AppError):
    """What a package's build requires, its build backend for instance, cannot be had."""

    package: str
    requirement: str
    is_offline: bool
    """No index may be asked."""
    debian: str
    """The package of Debian with the same program, which is not asked of an index then; empty:
    none.
    """
    ubuntu: str


class UndefinedSymbol(AppError):
    """What is linked uses a function that none of its libraries has."""

    package: str
    symbol: str
    python: str


class MissingBuildModule(AppError):
    """A package's own build imports what it does not say that it requires, or what is gone."""

    package: str
    module: str
    removed: str
    """What no longer holds it, with its version: `Python 3.12`; empty: nothing of the kind."""
    python: str


class MadeForPython2(AppError):
    """A package whose source is written for Python 2."""

    package: str
    sign: str
    """What shows it: a line of its build's output."""


class SourceBuildFailed(AppError):
    """A package that is built from source failed to."""

    package: str
    problem: str
    python: str


type BuildingFailure = (
    MissingForBuild
    | MissingBuildRequirement
    | MissingBuildModule
    | MadeForPython2
    | SourceBuildFailed
    | UndefinedSymbol
)
