"""Faults of our own."""

from typing import TYPE_CHECKING

from cnb_python.errors.base import BuildpackBug

if TYPE_CHECKING:
    from pathlib import Path


class ContractBroken(BuildpackBug):
    """We were about to write what the buildpack specification forbids."""

    document: str
    problem: str


class BytecodeFailed(BuildpackBug):
    """The compiler of bytecode did not survive."""

    code: int
    output: str


class IncompleteBuildpack(BuildpackBug):
    """A file that belongs to the buildpack is missing from it."""

    file: str
    buildpack: Path
