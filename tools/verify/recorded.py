"""What an image records about its build: the buildpack, the settings and the materials."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cnb_python.config.kinds import Names
from cnb_python.config.settings import TABLE
from cnb_python.result.build_result import LABEL, BuildResult
from tools.platforms.oci import Image
from tools.processes import fail

BUILDPACK = "cnb-python/python"
METADATA = "io.buildpacks.lifecycle.metadata"
_PYTHON_VARIABLE = "BP_PYTHON_VERSION"
# Shown in the list by their names alone.
_NAMES_ONLY = {"collectstatic_env", "commands"}


@dataclass(frozen=True, slots=True)
class Material:
    """A ResourceDescriptor of the image's list."""

    name: str
    kind: str
    subject: str
    """The package, or what else it is; the same for both releases of a package."""
    version: str
    digest: str
    annotations: Mapping[str, str]


def materials(image: Image) -> Mapping[str, Material]:
    """Return the materials of *image*, by kind and name.

    Raises `Unavailable` if the buildpack did not build it, or recorded none.
    """
    return {f"{each.kind} {each.name}": each for each in map(_material, rows(image.labels))}


def rows(labels: Mapping[str, str]) -> list[dict[str, object]]:
    """Return the ResourceDescriptors in an image's *labels*.

    Raises `Unavailable` as `materials` does.
    """
    document = json.loads(labels.get(METADATA) or "{}")
    for buildpack in document.get("buildpacks") or []:
        if buildpack.get("key") == BUILDPACK:
            metadata = (buildpack.get("store") or {}).get("metadata") or {}
            if listed := metadata.get("materials"):
                return [json.loads(row) for row in listed]
            return fail("The image has no list of materials: an older release built it.")
    return fail(f"The buildpack {BUILDPACK} did not build this image.")


def _material(row: dict[str, object]) -> Material:
    annotations = row.get("annotations")
    notes = annotations if isinstance(annotations, dict) else {}
    digest = row.get("digest")
    name, kind = str(row.get("name")), str(notes.get("kind"))
    return Material(
        name,
        kind,
        str(notes.get("package") or _subject(name, kind)),
        str(notes.get("version") or _version(name)),
        ":".join(*digest.items()) if isinstance(digest, dict) else "",
        notes,
    )


def _subject(name: str, kind: str) -> str:
    return name.partition("-")[0] if kind == "build requirement" else name


def _version(name: str) -> str:
    return "".join(name.split("-")[1:2])


def versions(recorded: Mapping[str, Material]) -> dict[str, str]:
    """Return the release of each package, by its name."""
    return {each.subject: each.version for each in recorded.values() if each.kind == "package"}


def settings(image: Image, release: str) -> dict[str, str]:
    """Return the variables that give a build by *release* the settings and the Python of *image*.

    Those in the app's files are among them. Not the values of variables and commands, which are
    not recorded.
    """
    return dict(_settings(materials(image), with_python=_needs_python(image, release)))


def _needs_python(image: Image, release: str) -> bool:
    """Whether a build by *release* gets the Python of *image* only if a variable names it.

    The image lists what chose its Python, so a variable alone would make another image.
    """
    result: BuildResult | None = json.loads(image.labels.get(LABEL, "null"))
    if result is None or result["python"] is None or result["version"] != release:
        return True
    return _PYTHON_VARIABLE in result["python"]["origin"]


def _settings(recorded: Mapping[str, Material], *, with_python: bool) -> Iterator[tuple[str, str]]:
    by_kind = {each.kind: each for each in recorded.values()}
    interpreter, given = by_kind.get("interpreter"), by_kind.get("settings")
    if interpreter and with_python:
        suffix = "t" if interpreter.annotations.get("flavor") == "freethreaded" else ""
        yield _PYTHON_VARIABLE, f"{interpreter.version}{suffix}"
    for setting in TABLE if given else ():
        value = given.annotations.get(setting.name) if given else None
        if value is not None and setting.name not in {*_NAMES_ONLY, "python"}:
            text = value.replace(", ", ",") if isinstance(setting.kind, Names) else value
            yield setting.variable, text
