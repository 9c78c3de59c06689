"""Resolves the shared libraries that packages need: in the environment, then in the build image.

What the environment has counts wherever it is, since packages load libraries in advance (torch
those of the `nvidia-*` packages). Separate from `rebuild`, which makes the layers.
"""

import posixpath
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from email.parser import BytesHeaderParser
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.config.settings import ERROR, IGNORE
from cnb_python.distributions import elf, native
from cnb_python.distributions.model import Distribution, LibraryNeed
from cnb_python.distributions.system_libraries import SystemLibraries, in_directories
from cnb_python.errors.libraries import MissingLibraries, MissingLibrary
from cnb_python.install.request import InstallResult
from cnb_python.layers.cache_keys import SYSTEM_PACKAGES, SYSTEM_PACKAGES_BUILD
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.provision.libraries import (
    IN_A_LAYER,
    IN_BUILD_IMAGE,
    MAY_BE_NEEDED,
    MISSING,
    Packages,
    RecordedLibrary,
)
from cnb_python.provision.request import ProvisionRequest
from cnb_python.system.interface import System

TABLE = Path(__file__).parents[1] / "data/package_libraries.toml"
_PYTHON = "Python"
_UBUNTU = "ubuntu"
# Libraries of graphics drivers and of NVIDIA's and AMD's toolkits: the machine has them, or the
# package works without. libpython has rules of its own (`python_parts`).
_NOT_CHECKED = re.compile(
    r"lib(?:"
    r"cu(?:da|blas|dnn|fft|file|pti|rand|solver|sparse|tensor|inj)|"
    r"nv(?:cuvid|fatbin|idia|infer|jitlink|jpeg|ml|onnxparser|optix|rtc|rtx|shmem|toolsext|-)|"
    r"nccl|npp[a-z]*\.so|tensorrt|"
    r"amdhip|hip(?:blas|fft|rand|solver|sparse)|hsa-runtime|miopen|rccl|"
    r"roc(?:blas|fft|m|profiler|rand|solver|sparse|tx)|"
    r"python\d"
    r").*|linux-vdso.*",
    re.IGNORECASE,
)


# A name, and no marker about an extra: https://peps.python.org/pep-0508/
_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9._-]+)(?!.*;.*\bextra\b)")

type Metadata = Callable[[str], bytes]
"""Returns the METADATA of a distribution by its name; empty if it cannot be read."""


class _Use(NamedTuple):
    """A distribution that needs a library."""

    distribution: str
    versions: tuple[str, ...]
    is_loaded_by_name: bool = False


def check(
    request: ProvisionRequest, install_result: InstallResult, metadata: Metadata, system: System
) -> dict[str, str]:
    """Return what the image needs of the run image, as the record has it.

    Raises MissingLibraries if importing a package certainly fails. Distributions of an older
    release's cache, whose needs are not recorded, are left out.
    """
    uses = _uses(
        install_result.distributions,
        {
            _PYTHON: _of_interpreter(request),
            SYSTEM_PACKAGES: request.system_packages.library_needs,
        },
    )
    libraries = SystemLibraries(system.root)
    # The image does not have what is for builds only.
    development = f"{request.context.layers_dir / SYSTEM_PACKAGES_BUILD}/"
    directories = [
        directory
        for directory in request.context.environ.get("LD_LIBRARY_PATH", "").split(":")
        if not directory.startswith(development)
    ]
    recorded, missing = dict[str, str](), list[tuple[str, str, _Use]]()
    for library, users in uses.items():
        lacking = list(_lacking(library, users, libraries))
        if in_directories(library, request.system_packages.libraries) or (
            lacking and in_directories(library, directories)
        ):
            lacking, state = [], IN_A_LAYER
        else:
            state = IN_BUILD_IMAGE
        missing += ((library, version, use) for version, use in lacking)
        if not lacking:
            recorded[library] = _recorded(state, users)
    if missing and request.settings.libraries != IGNORE:
        uses_of = partial(_found_use, install_result, metadata)
        recorded |= _missing(request, uses_of, missing)
    return recorded


def _recorded(state: str, users: Sequence[_Use]) -> str:
    versions = native.highest(version for use in users for version in use.versions)
    names = tuple(dict.fromkeys(use.distribution for use in users))
    return RecordedLibrary(state, names, versions).text()


def _of_interpreter(request: ProvisionRequest) -> tuple[LibraryNeed, ...]:
    path = request.runtime.interpreter.path
    try:
        return native.needs_of([(str(path), elf.read(path))], 0)
    except OSError:
        return ()


def _uses(
    distributions: Sequence[Distribution], besides: Mapping[str, Iterable[LibraryNeed]]
) -> dict[str, list[_Use]]:
    """Return what needs each library that the environment does not have.

    *besides*: what needs libraries besides distributions, by the name in messages.
    """
    files = {
        item.name: {posixpath.basename(file.path) for file in item.files if ".so" in file.path}
        for item in distributions
    }
    provided = {name for names in files.values() for name in names}
    uses: dict[str, list[_Use]] = {}
    for name, needs in besides.items():
        for need in needs:
            uses.setdefault(need.library, []).append(_Use(name, need.versions))
    for item in distributions:
        for need in item.library_needs or ():
            uses.setdefault(need.library, []).append(_Use(item.name, need.versions))
    for name, library in _loaded_by_name(files):
        uses.setdefault(library, []).append(_Use(name, (), is_loaded_by_name=True))
    return {
        library: users
        for library, users in sorted(uses.items())
        if library not in provided and not _NOT_CHECKED.fullmatch(library)
    }


def _loaded_by_name(files: Mapping[str, Collection[str]]) -> Iterator[tuple[str, str]]:
    """Yield distribution and library for each row of the table that applies.

    *files*: the names of the native files of each distribution.
    """
    for row in toml.tables_at(toml.read(TABLE), "package"):
        name, loads, unless = str(row["name"]), row["loads"], row["unless"]
        if name not in files or not isinstance(loads, list) or not isinstance(unless, list):
            continue
        if files.keys() & set(map(str, unless)):
            continue
        for library in map(str, loads):
            stem = library.partition(".so")[0]
            if not any(each.startswith(stem) for each in files[name]):
                yield name, library


def _lacking(
    library: str, users: Sequence[_Use], libraries: SystemLibraries
) -> Iterator[tuple[str, _Use]]:
    """Yield version and use of what the build image lacks; the version is empty for all of it."""
    if not libraries.find(library):
        yield from (("", use) for use in users)
    elif any(use.versions for use in users):
        defined = libraries.versions(library)
        # None: its versions cannot be read, as of another C library.
        for use in users if defined else ():
            if lacking := [version for version in use.versions if version not in defined]:
                yield lacking[-1], use


def _missing(
    request: ProvisionRequest,
    found_use: Callable[[str, _Use], native.Users],
    missing: Sequence[tuple[str, str, _Use]],
) -> dict[str, str]:
    """Return the record of *missing* libraries: library, version and use of each.

    Raises MissingLibraries.
    """
    packages = Packages.read()
    certain, states = list[MissingLibrary](), dict[str, str]()
    users: dict[str, list[_Use]] = {}
    for library, version, use in missing:
        file, at_import = found_use(library, use)
        if at_import:
            certain.append(
                MissingLibrary(
                    use.distribution,
                    library,
                    version,
                    file.rpartition("site-packages/")[2],
                    *packages.names(library),
                    instead=_instead(use.distribution),
                )
            )
        elif library not in packages and use.distribution != SYSTEM_PACKAGES:
            continue  # an optional part that few systems can have
        users.setdefault(library, []).append(use)
        if at_import or library not in states:
            states[library] = MISSING if at_import else MAY_BE_NEEDED
    if certain and request.settings.libraries == ERROR:
        ubuntu = request.context.target.distro_name == _UBUNTU
        raise MissingLibraries(
            tuple(sorted(certain)),
            tuple(sorted({*request.settings.system_packages, *_names(certain, ubuntu=ubuntu)})),
        )
    return {library: _recorded(states[library], users[library]) for library in states}


def _names(missing: Iterable[MissingLibrary], *, ubuntu: bool) -> set[str]:
    """Return the packages that contain what is *missing*, as far as that is known."""
    without_version = (each for each in missing if not each.version)
    return {each.ubuntu if ubuntu else each.debian for each in without_version} - {""}


def _found_use(
    install_result: InstallResult, metadata: Metadata, library: str, use: _Use
) -> native.Users:
    if use.is_loaded_by_name:
        # Another package may import it only in some of its functions, or try to.
        names = {each.name for each in install_result.distributions} - {use.distribution}
        is_indirect = any(_requires(metadata(name), use.distribution) for name in sorted(names))
        return native.Users("", at_import=not is_indirect)
    root = install_result.roots.get(use.distribution)
    matching = (item for item in install_result.distributions if item.name == use.distribution)
    distribution = next(matching, None)
    if root is None or distribution is None:
        return native.Users("", at_import=False)
    return native.users_of(library, distribution, root)


def _requires(content: bytes, name: str) -> bool:
    """Whether METADATA requires the distribution *name* without an extra."""
    requirements = BytesHeaderParser().parsebytes(content).get_all("Requires-Dist", [])
    matches = (_REQUIREMENT.match(str(each)) for each in requirements)
    return any(match and normalized_name(match[1]) == name for match in matches)


def _instead(name: str) -> str:
    rows = toml.tables_at(toml.read(TABLE), "package")
    return next((str(row["instead"]) for row in rows if row["name"] == name), "")
