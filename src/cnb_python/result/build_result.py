"""The result of a build: what it chose and why, its layers, and the error that stopped it.

The schema is `docs/result.schema.json`, which `make docs` writes from these classes. A field may
be added; a change of one that exists is a new `format`. The image has the result too, without
what differs between equal builds: times, and which layers were reused.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

from cnb_python.cnb.context import Buildpack
from cnb_python.decisions import Decisions, file_of
from cnb_python.errors.base import AppError, Failure
from cnb_python.layers import store as store_layer
from cnb_python.layers.store import size_of
from cnb_python.python.resolver import ResolvedPython
from cnb_python.system.output import StepTimes

LABEL = "io.github.cnb-python.result"
"""The image's label: the result as JSON."""

type Family = Literal["app", "outside", "buildpack"]
type Outcome = Literal["success", "failure", "unfinished"]


class ResultError(TypedDict):
    """The error that stopped a build. No values of it: they may be secret."""

    id: str
    """The name of its class: `NoSuchPackage`."""
    family: Family
    """What has to change: the app, what is outside it, or this buildpack."""
    heading: str
    """That of its section on the page of errors."""
    page: str
    """The address of its section; empty for a bug of this buildpack."""


class ResultPython(TypedDict):
    """The Python that the image gets."""

    version: str
    flavor: str
    origin: str
    """What chose it: a file with its line, a setting, or `default`."""
    file: str
    """The file relative to the app; empty if no file chose it."""
    line: int | None
    """In the file, from 1."""


class ResultPackages(TypedDict):
    """The packages that the image gets."""

    manager: str
    files: tuple[str, ...]
    """The files that decide, the main one first."""
    count: int | None
    """None if the build ended before it was known."""


class ResultLayer(TypedDict):
    """A layer of the image."""

    name: str
    size: int | None
    """In bytes; None if it is not known."""
    state: Literal["new", "reused"] | None
    """None in the image."""


class ResultStep(TypedDict):
    """A step of the build, as the log has it."""

    name: str
    seconds: float
    finished: bool
    """False for the step that the error stopped."""


class BuildResult(TypedDict):
    """The result of a build, as far as it got."""

    format: Literal[1]
    buildpack: str
    """Its id."""
    version: str
    """The release of the buildpack."""
    outcome: Outcome
    """`unfinished`: the platform ended the build."""
    error: ResultError | None
    python: ResultPython | None
    packages: ResultPackages | None
    layers: tuple[ResultLayer, ...]
    """In the order of their names."""
    steps: tuple[ResultStep, ...]
    """In the order in which they ran; none in the image."""


class Observed(NamedTuple):
    """What is known of a build while it runs."""

    result: BuildResult
    times: StepTimes

    def chose_packages(self, decisions: Decisions) -> None:
        """Record what decides the packages. Their number is not known yet."""
        self.result["packages"] = chosen_packages(decisions, None)

    def chose_python(self, resolved: ResolvedPython, app_dir: Path) -> None:
        """Record the version of Python, and what chose it."""
        self.result["python"] = chosen_python(resolved, app_dir)

    def made_layers(
        self,
        decisions: Decisions,
        distributions: Mapping[str, str],
        sizes: Mapping[str, str],
        layers_dir: Path,
    ) -> None:
        """Record how many *distributions* the image has, and its layers.

        *sizes*: bytes by the layer's name, in digits.
        """
        self.result["packages"] = chosen_packages(decisions, len(distributions))
        self.result["layers"] = layers_of(sizes, layers_dir)


LARGEST_LABEL = 64 << 10
"""In bytes. Labels are in the image's configuration, which every client loads as a whole."""


def begun(buildpack: Buildpack) -> BuildResult:
    """Return the result of a build that did nothing yet."""
    return {
        "format": 1,
        "buildpack": buildpack.id,
        "version": buildpack.version,
        "outcome": "unfinished",
        "error": None,
        "python": None,
        "packages": None,
        "layers": (),
        "steps": (),
    }


def as_json(result: BuildResult) -> str:
    """Return *result* as JSON in one line."""
    return json.dumps(result, separators=(",", ":"))


def of_image(result: BuildResult) -> dict[str, str]:
    """Return the label of an image: *result* without what differs between equal builds.

    A label that would be larger than `LARGEST_LABEL` has no layers, and if that is not enough, no
    files.
    """
    layers = tuple(_without_state(layer) for layer in result["layers"])
    in_image: BuildResult = {**result, "outcome": "success", "layers": layers, "steps": ()}
    text = as_json(in_image)
    if len(text) > LARGEST_LABEL:
        text = as_json({**in_image, "layers": ()})
    if len(text) > LARGEST_LABEL and (packages := in_image["packages"]):
        text = as_json({**in_image, "layers": (), "packages": {**packages, "files": ()}})
    return {LABEL: text}


def _without_state(layer: ResultLayer) -> ResultLayer:
    return {**layer, "state": None}


def chosen_python(resolved: ResolvedPython, app_dir: Path) -> ResultPython:
    """Return the Python that *resolved* has, and what chose it."""
    origin, release = resolved.request.origin, resolved.release
    file, line = file_of(origin, app_dir)
    return {
        "version": release.version,
        "flavor": release.flavour,
        "origin": str(origin),
        "file": file,
        "line": line,
    }


def chosen_packages(decisions: Decisions, count: int | None) -> ResultPackages:
    """Return the packages that *decisions* leads to."""
    manager = decisions.manager
    files = decisions.settings.requirements or manager.deciding_files(decisions.app)
    return {"manager": manager.name, "files": files, "count": count}


def layers_of(sizes: Mapping[str, str], layers_dir: Path) -> tuple[ResultLayer, ...]:
    """Return the layers of the image; *sizes*: bytes by name, in digits.

    Those with a directory in *layers_dir* are new.
    """
    return tuple(
        {
            "name": name,
            "size": size_of(sizes[name]),
            "state": "new" if (layers_dir / name).is_dir() else "reused",
        }
        for name in sorted(sizes)
        if name != store_layer.NAME
    )


def error_of(error: BaseException) -> ResultError | None:
    """Return what *error* means; None for the end of the process."""
    match error:
        case Failure():
            return _of_failure(error, "app" if isinstance(error, AppError) else "outside")
        case Exception():
            name = type(error).__name__
            heading = "A bug in the Python buildpack"
            return {"id": name, "family": "buildpack", "heading": heading, "page": ""}
        case _:
            return None


def _of_failure(failure: Failure, family: Family) -> ResultError:
    return {
        "id": type(failure).__name__,
        "family": family,
        "heading": failure.heading(),
        "page": failure.link(),
    }
