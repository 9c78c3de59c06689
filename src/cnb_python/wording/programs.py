"""The words for the programs of package managers, and what they refuse."""

import re

from cnb_python.errors.locks import LockTooNew
from cnb_python.errors.programs import AppNotInstallable, KeyRefused, ProgramUnavailable
from cnb_python.wording.message import Message

_REQUIRES = "requires-poetry"
_UNKNOWN = re.compile(r"there (is|are) (no|only).* versions? of")
_OTHER = (
    "Ask for a release that there is, in the setting {program} or where the app's files ask for "
    "one; without both a build takes the {title} that this buildpack has checked."
)
_TITLES = {"poetry": "Poetry", "pipenv": "Pipenv", "pdm": "PDM"}


def program_unavailable(failure: ProgramUnavailable) -> Message:
    """Where it is looked for, and by which settings that is changed."""
    title = _TITLES.get(failure.program, failure.program)
    is_unknown = any(_UNKNOWN.search(reason) for reason in failure.reasons)
    return Message(
        title=f"{title} could not be fetched",
        body=(
            f"The app's packages are decided by {title}, of which this build needs release",
            f"{failure.version}. Fetching it from the package index failed. uv says:",
            *(f"  {reason}" for reason in failure.reasons),
        ),
        steps=(
            *((_OTHER.format(title=title, program=failure.program),) if is_unknown else ()),
            "Without the public index, name one that has this release and what it needs.",
            "PIP_INDEX_URL, UV_DEFAULT_INDEX or a service binding says so (docs/indexes.md).",
            "Or use an offline package of this buildpack: it has the usual release inside.",
            "Or build again, in case the index was out of reach for a moment.",
        ),
    )


def key_refused(failure: KeyRefused) -> Message:
    """What to write instead, for the key that says which release is to read it."""
    name = failure.manager.lower()
    setting = f"the setting {name} ([tool.cnb-python] {name}, or BP_PYTHON_{name.upper()})"
    steps = (
        f"Look how {failure.key} is written, and in which table.",
        f"Or name a release that knows it in {setting}.",
    )
    if failure.key == _REQUIRES:
        steps = (
            f"Take {failure.key} out: no Poetry before 2.0 reads a file that has it.",
            f"Name the release in {setting} instead.",
        )
    return Message(
        title=f"{failure.manager} refuses {failure.key} in {failure.file}",
        body=(f"The {failure.manager} of this build says:", *(f"  {one}" for one in failure.said)),
        steps=steps,
    )


def lock_too_new(failure: LockTooNew) -> Message:
    """Which of the two to change."""
    name = failure.manager.lower()
    return Message(
        title=f"{failure.file} was made by a newer {failure.manager}",
        body=(
            f"The {failure.manager} of this build cannot read it. It says:",
            *(f"  {line}" for line in failure.said),
        ),
        steps=(
            f"Name the release that made it in the setting {name} ([tool.cnb-python] {name}).",
            f"Or make {failure.file} again with the older {failure.manager}: {name} lock.",
        ),
    )


def app_not_installable(failure: AppNotInstallable) -> Message:
    """Most apps are no package, and need only say so."""
    return Message(
        title=f"{failure.manager} cannot install the app itself",
        body=(
            f"{failure.file} describes a package, and {failure.manager} says of it:",
            f"  {failure.problem}",
        ),
        steps=(
            "Where the app is not to be installed, but only what it needs: add to [tool.poetry]",
            "of pyproject.toml the line package-mode = false.",
            'Where it is a package: name its directory, packages = [{ include = "..." }].',
        ),
    )
