"""The likely cause of a difference between two images, from the first file that differs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.platforms.oci import RUN_IMAGE
from tools.verify import recorded
from tools.verify.comparison import APP, OWN, Difference
from tools.verify.recorded import Material

_ELF = b"\x7fELF"
_CONTEXT = 40
# What a clock leaves in a file: a date, a time of day, seconds since 1970.
_CLOCK = re.compile(
    rb"\b20\d\d[-/.]?[01]\d[-/.]?[0-3]\d|\b[0-2]\d:[0-5]\d(?::[0-5]\d)?\b|\b1[5-9]\d{8}\b"
    rb"|\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]* +\d{1,2}\b"
)
_PATH = re.compile(rb"/(?:tmp|var|home|root|workspace|layers|build|opt|usr|dev/shm)/[^\s'\"\0]*")
_DIST_INFO = re.compile(r"/site-packages/([^/]+)-[^/-]+\.dist-info/")
_IMPORT_PACKAGE = re.compile(r"/site-packages/([^/]+)")
_WORKSPACE = "workspace/"
_OTHER = {
    "launcher": "another release of the lifecycle, which the launcher comes from",
    "config": "another lifecycle, or another umask of the lifecycle",
    "sbom": "another lifecycle, or another umask of the lifecycle",
    "process-types": "other processes: the app's Procfile or settings, or another lifecycle",
}
_IN_NO_LAYER = {
    "materials": "different download, with the same result",
    ".processes": _OTHER["process-types"],
    "Entrypoint": _OTHER["process-types"],
    "Cmd": _OTHER["process-types"],
    "Env": "another lifecycle or run image, or a step after the build",
}
_OTHER_LABEL = "another lifecycle, run image or buildpack, or a step after the build"


@dataclass(frozen=True, slots=True)
class Builds:
    """What is known of the two builds."""

    before: Mapping[str, Material]
    """The materials of the image by name."""
    after: Mapping[str, Material]
    source: Path
    """The app's directory that was built."""


def cause(difference: Difference, builds: Builds) -> str:
    """Return the likely cause of *difference* as a phrase."""
    layer = difference.layer
    if layer.startswith(RUN_IMAGE):
        return "a step after the build: it added a layer above those of the build"
    own = layer.startswith(OWN)
    if own and (changed := changed_materials(builds)):
        return f"different download: {changed[0]}"
    if changed := changed_settings(builds):
        return f"settings: {', '.join(changed)} in the image and in this build are not the same"
    if layer in _OTHER:
        return _OTHER[layer]
    if not difference.path:
        return "settings or release of the buildpack: the layers are not the same"
    return _of_fields(difference) or _of_place(difference, builds) or _of_content(difference)


def of_configuration(difference: str) -> str:
    """Return the likely cause of a *difference* that is in no layer, as a phrase."""
    path = difference.partition(": ")[0]
    return next((cause for part, cause in _IN_NO_LAYER.items() if part in path), _OTHER_LABEL)


def changed_materials(builds: Builds) -> list[str]:
    """Return in words how the downloads of the two builds differ: none if they are equal."""
    before, after = (_by_subject(each) for each in (builds.before, builds.after))
    changes = []
    for subject in sorted({*before, *after}):
        old, new = before.get(subject), after.get(subject)
        if old is None or new is None:
            changes.append(f"{subject} only in {'this build' if old is None else 'the image'}")
        elif old.version != new.version:
            changes.append(f"{subject} {old.version} in the image, {new.version} in this build")
        elif old.digest and new.digest and old.digest != new.digest:
            changes.append(f"{subject} {old.version} from another file: {old.name}, {new.name}")
    return changes


def changed_versions(before: Mapping[str, Material], after: Mapping[str, Material]) -> list[str]:
    """Return in words which packages have another version in the second list."""
    old, new = (recorded.versions(each) for each in (before, after))
    return [
        f"{name} {old[name]} in the image, {new[name]} in this build"
        for name in sorted(old.keys() & new.keys())
        if old[name] != new[name]
    ]


def changed_settings(builds: Builds) -> list[str]:
    """Return the names of the settings that differ between the two builds, except the Python."""
    old, new = (
        next((dict(each.annotations) for each in of.values() if each.kind == "settings"), {})
        for of in (builds.before, builds.after)
    )
    return sorted(
        name for name in {*old, *new} - {"python"} if old.get(name, "") != new.get(name, "")
    )


def _by_subject(materials: Mapping[str, Material]) -> dict[str, Material]:
    kinds = {"package", "interpreter", "build requirement"}
    return {each.subject: each for each in materials.values() if each.kind in kinds}


def _of_fields(difference: Difference) -> str:
    fields = difference.fields
    if fields == ("time",):
        return "clock: the time of the file"
    if "owner" in fields and "content" not in fields:
        return "user: another user ran the build"
    if fields == ("mode",):
        return "umask, or a step that changes modes"
    if "xattrs" in fields and "content" not in fields:
        return "extended attributes: the file system of the build"
    return ""


def _of_place(difference: Difference, builds: Builds) -> str:
    path = difference.path
    if difference.layer == APP or path.startswith(_WORKSPACE):
        own = builds.source / path.removeprefix(_WORKSPACE)
        if not own.exists():
            steps = "hook, build command, collectstatic or another buildpack"
            return f"{steps}: the source has no such file"
        if "content" in difference.fields:
            step = _of_content(difference)
            return f"the source differs from that of the image, or a step changed it ({step})"
    return ""


def _of_content(difference: Difference) -> str:
    old, new = changed_part(difference.old_content, difference.new_content)
    package = package_of(difference.path)
    of_package = f" in the build of {package}" if package else ""
    if _differ(_CLOCK, old, new):
        return f"clock: the file contains a time{of_package}"
    if _differ(_PATH, old, new):
        return f"path: the file contains a directory of the build{of_package}"
    if difference.new_content.startswith(_ELF) or difference.old_content.startswith(_ELF):
        return f"compiler: native code was compiled differently{of_package}"
    return f"unknown: the content depends on something else{of_package}"


def _differ(pattern: re.Pattern[bytes], old: bytes, new: bytes) -> bool:
    found = [pattern.findall(part) for part in (old, new)]
    return found[0] != found[1] and any(found)


def changed_part(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Return what is between the common start and end of *old* and *new*, with some context."""
    shorter = min(len(old), len(new))
    start = _common(old, new, shorter)
    end = _common(old[start:][::-1], new[start:][::-1], shorter - start)
    first = max(0, start - _CONTEXT)
    return (
        old[first : max(len(old) - end + _CONTEXT, 0)],
        new[first : max(len(new) - end + _CONTEXT, 0)],
    )


def _common(old: bytes, new: bytes, length: int) -> int:
    """Return how many of the first *length* bytes are equal."""
    low, high = 0, length
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if old[:middle] == new[:middle] else (low, middle - 1)
    return low


def package_of(path: str) -> str:
    """Return the name of the distribution or import package that has the file *path*."""
    match = _DIST_INFO.search(path) or _IMPORT_PACKAGE.search(path)
    return match[1] if match else ""
