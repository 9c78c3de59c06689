"""What `bin/explain` prints about an app, as values; their JSON has a published schema.

The schema is `docs/explain.schema.json`, which `make docs` writes from these classes. A field may
be added; if one is removed, or changes its meaning, `format` is increased.

Separate from `explain`, which fills them in.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

type _Json = bool | int | str | list[_Json] | tuple[_Json, ...] | dict[str, _Json] | None


@dataclass(frozen=True, slots=True)
class GivenSetting:
    """A setting that is not the default."""

    name: str
    value: str
    """As the log shows it."""
    origin: str
    """The variable, or the file and line."""


@dataclass(frozen=True, slots=True)
class ChosenPython:
    """The release of Python that the image gets."""

    version: str
    origin: str
    """The file and line, or the setting, that chose it; `default`."""
    file: str
    """The file relative to the app; empty if no file chose it."""
    line: int | None
    """In the file, from 1."""
    reused: bool
    """Whether the previous image has this interpreter."""
    reasons: tuple[str, ...]
    """Why it is not reused, if the previous build had one."""


@dataclass(frozen=True, slots=True)
class ChosenPackages:
    """How the app's packages are decided."""

    manager: str
    files: tuple[str, ...]
    """The files that decide, the main one first."""
    groups: tuple[str, ...]
    """Dependency groups and extras that the settings add."""
    known_from: Literal["files", "previous build", "unresolved files"]
    """Where `versions` come from.

    `files`: they are exactly what a build installs. `previous build`: its files were the same, so
    a build installs the same. `unresolved files`: the names that the files mention, with the
    version where they give one; the build has to resolve.
    """
    reason: str
    """Why the build has to resolve; empty if it does not."""
    versions: dict[str, str]
    """The version by name; empty if only a range is known."""


@dataclass(frozen=True, slots=True)
class ChosenSystemPackages:
    """The Debian packages that the settings list, without what they depend on."""

    packages: tuple[str, ...]
    """Their names, with `=` and a version where one is given."""
    reused: bool
    """Whether the previous build had the same list.

    It then keeps their versions, if it is for the same distribution and architecture.
    """


@dataclass(frozen=True, slots=True)
class ReusedParts:
    """What a build would take from the previous one."""

    previous: bool
    """Whether a previous build is known."""
    environment: bool
    """Whether all layers of the environment are reused as they are."""
    reasons: tuple[str, ...]
    """Why they are not."""
    changes: str
    """How the packages differ from those of the previous build, where that is known."""


@dataclass(frozen=True, slots=True)
class AppStep:
    """A step that runs code of the app, or that would run it under another condition."""

    name: str
    runs: bool
    """Whether it runs; a result that is in the cache takes its place."""
    reason: str


@dataclass(frozen=True, slots=True)
class ChosenProcess:
    """A process of the image."""

    type: str
    command: str
    """As a line of a Procfile has it."""
    default: bool
    origin: str
    """The file and line, or the setting, that names it or shows it."""
    file: str
    """The file relative to the app; empty if no file names it."""
    line: int | None
    """In the file, from 1."""


@dataclass(frozen=True, slots=True)
class OtherApp:
    """Another app that `web` could run: it is as likely as the one that was chosen."""

    subject: str
    """What it is: a framework, or a program."""
    file: str
    """Relative to the app."""
    line: int | None
    """In the file, from 1; null if the app is the file as a whole."""


@dataclass(frozen=True, slots=True)
class Note:
    """A warning of the build, or the error that stops it."""

    title: str
    body: tuple[str, ...]
    fixes: tuple[str, ...] = ()
    """What to do: one of them, or all in order."""


@dataclass(slots=True)
class Explanation:
    """What a build would do, as far as it gets."""

    app: str
    """The directory of the app."""
    buildpack: str
    """Id and version."""
    format: Literal[1] = 1
    detected: bool = False
    """Whether the buildpack takes the app."""
    detection: tuple[str, ...] = ()
    """Why it does not."""
    settings: tuple[GivenSetting, ...] = ()
    removed: tuple[str, ...] = ()
    """Paths in the app's directory that the build keeps out of the image."""
    removed_is_partial: bool = False
    """Whether `removed` covers only the upper directories of a very large app."""
    python: ChosenPython | None = None
    system_packages: ChosenSystemPackages | None = None
    packages: ChosenPackages | None = None
    reuse: ReusedParts | None = None
    steps: tuple[AppStep, ...] = ()
    processes: tuple[ChosenProcess, ...] = ()
    also_found: tuple[OtherApp, ...] = ()
    """The other apps that `web` could run. To run one of them, name it in a Procfile."""
    warnings: tuple[Note, ...] = ()
    error: Note | None = None
    """What stops the build; what it would decide after that is not known."""


def as_json(explanation: Explanation, mask: Callable[[str], str]) -> str:
    """Return *explanation* as JSON in ASCII, each of its texts passed through *mask*."""
    text = json.dumps(_masked(asdict(explanation), mask), indent=2)
    # What CI services read as a command anywhere in a line (see `system.output`).
    return text.replace("##", "\\u0023\\u0023")


def _masked(value: _Json, mask: Callable[[str], str]) -> _Json:
    match value:
        case str():
            return mask(value)
        case list() | tuple():
            return [_masked(each, mask) for each in value]
        case dict():
            return {mask(key): _masked(each, mask) for key, each in value.items()}
        case _:
            return value
