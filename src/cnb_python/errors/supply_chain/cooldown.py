"""Releases that are younger than the setting `cooldown` allows, or of unknown age.

Separate from `audit`, which is another family on the page of errors.
"""

from typing import NamedTuple, Self, override

from cnb_python.errors.base import AppError, Message, listed


class YoungRelease(NamedTuple):
    """A release that has to wait."""

    name: str
    version: str
    uploaded: str
    """When its newest file was uploaded: `2026-11-28 09:15 UTC`."""
    old_enough: str
    """When it may be installed, in the same form."""
    older: str
    """The newest older release that may be installed now; empty: not known."""


class UnknownAge(NamedTuple):
    """A release whose age no index gives."""

    name: str
    version: str
    reason: str
    """What was found: `https://index.example.org/simple/ has no upload times`."""


class ReleasesTooYoung(AppError):
    """Packages were uploaded more recently than the setting allows."""

    releases: tuple[YoungRelease, ...]
    age: str
    """The required age: `7 days`."""
    setting: str
    """What the user calls the setting `cooldown`."""

    @override
    def describe(self) -> Message:
        older = [f"{each.name}=={each.older}" for each in self.releases if each.older]
        last = max(each.old_enough for each in self.releases)
        names = listed((each.name for each in self.releases), ",")
        return Message(
            title=f"Packages are younger than {self.age}",
            body=(
                *(_young(each) for each in self.releases),
                (
                    f"Expected: releases that were uploaded at least {self.age} ago "
                    f"({self.setting}). The build has installed none of them."
                ),
            ),
            fixes=(
                *(
                    (f"Require the newest releases that are old enough: {listed(older)}",)
                    if older
                    else ()
                ),
                f"Build again after {last}.",
                f"If you trust these releases, except the packages: BP_PYTHON_COOLDOWN_EXCEPT={names}",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            (
                YoungRelease(
                    "litellm", "1.82.8", "2026-11-28 09:15 UTC", "2026-12-05 09:15 UTC", "1.82.6"
                ),
            ),
            "7 days",
            "BP_PYTHON_COOLDOWN",
        )


class NothingOldEnough(AppError):
    """The releases that are old enough do not fit together, and younger ones were not tried.

    Trying them would build packages without a wheel, with build requirements of any age.
    """

    problem: str
    """What the manager found: the title of its failure."""
    latest: str
    """The time before which releases had to be uploaded: `2026-11-23T00:00:00Z`."""

    @override
    def describe(self) -> Message:
        return Message(
            title="No releases that are old enough can be installed",
            body=(
                f"Found:    {self.problem}",
                (
                    f"Expected: releases that were uploaded before {self.latest} "
                    "(BP_PYTHON_COOLDOWN). Younger ones were left out."
                ),
            ),
            fixes=(
                "Require older releases, or build again when the required ones are old enough.",
                "Lock the packages with hashes: the error then names the releases that are too young.",
                "If you trust the packages, name them in BP_PYTHON_COOLDOWN_EXCEPT.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls("There is no package litellm==1.82.8", "2026-11-23T00:00:00Z")


class AgesUnknown(AppError):
    """The setting requires an age, and no index says when packages were uploaded."""

    releases: tuple[UnknownAge, ...]
    age: str
    setting: str
    """What the user calls the setting `cooldown`."""

    @override
    def describe(self) -> Message:
        names = listed((each.name for each in self.releases), ",")
        return Message(
            title="The age of packages is unknown",
            body=(
                *(
                    f"Found:    {each.name} {each.version}: {each.reason}"
                    for each in self.releases
                ),
                (
                    f"Expected: an upload time, since {self.setting} requires releases of at least "
                    f"{self.age}. Indexes give it as upload-time in their JSON (PEP 700); uv.lock "
                    "and pylock.toml may have it too."
                ),
            ),
            fixes=(
                f"If you trust these packages, except them: BP_PYTHON_COOLDOWN_EXCEPT={names}",
                "Use an index, or a mode of your mirror, that answers with the JSON of PEP 700.",
                "Lock with a tool that writes upload times: uv lock, or uv export to pylock.toml.",
            ),
        )

    @classmethod
    @override
    def example(cls) -> Self:
        return cls(
            (
                UnknownAge(
                    "company-tools", "2.0", "https://index.example.org/simple/ has no upload times"
                ),
            ),
            "7 days",
            "BP_PYTHON_COOLDOWN",
        )


def _young(release: YoungRelease) -> str:
    older = f"; {release.older} is old enough" if release.older else ""
    return f"Found:    {release.name} {release.version}, uploaded {release.uploaded}{older}"
