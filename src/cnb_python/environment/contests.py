"""Whose file is in the image where several distributions bring one, in words for the log."""

from collections.abc import Iterable

from cnb_python.environment.distribution import Distribution
from cnb_python.environment.oddities import listed
from cnb_python.environment.owners import owners_of


def notes(distributions: Iterable[Distribution]) -> list[str]:
    """Return what is to be said of files that *distributions* do not agree on. Raises PathClash.

    One line for all files of the same parties: the variants of OpenCV share hundreds.
    """
    paths: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for path, winner, losers in owners_of(distributions).contests:
        paths.setdefault((winner, losers), []).append(path)
    return [_said(winner, losers, found) for (winner, losers), found in paths.items()]


def _said(winner: str, losers: tuple[str, ...], paths: list[str]) -> str:
    others = ", ".join(losers)
    if winner:
        return f"Of {winner}, the last by name, and not of {others}: {listed(paths)}"
    return f"Left out of {others}, for the environment has its own: {listed(paths)}"
