"""Unpacks packages into the two trees of a build: for the image, and for builds."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import elf, native
from cnb_python.distributions.model import LibraryNeed
from cnb_python.errors.libraries import RefusedSystemPackages
from cnb_python.system.interface import Command, System
from cnb_python.system_packages import find_library, paths
from cnb_python.system_packages.apt import NEVER
from cnb_python.system_packages.control import (
    alternatives,
    driver_templates,
    left_out_dependency,
    needed_to_run,
    reason_against,
)
from cnb_python.system_packages.deb import Control, Deb
from cnb_python.system_packages.paths import PathVariable
from cnb_python.system_packages.request import Requested
from cnb_python.system_packages.tree import PackageTree, SetIdProgram, has_files

_PKG_CONFIG = re.compile(r"usr/(?:lib(?:/[^/]+)?|share)/pkgconfig/[^/]+\.pc")
_CONFIG_PROGRAM = re.compile(r"usr/bin/[^/]*(?:-|_)config[^/]*")
_SYSTEM_PATH = re.compile(r"(?<![\w./-])((?:-[IL])?)/usr(?=/(?:include|lib|share)|\s|$|\"|')")
_INSTALLED = re.compile(r"(?m)^Package: (\S+)\nStatus: install ok installed$")
_STATUS = Path("var/lib/dpkg/status")


@dataclass(frozen=True, slots=True)
class Contents:
    """The unpacked packages."""

    run: PackageTree
    """What the image gets."""
    development: PackageTree
    """What only builds from source need, with links to libraries in `run`."""
    run_packages: frozenset[str]
    left_out: Sequence[tuple[str, str]]
    """Pairs of package and reason: dependencies that do not work without an installation."""
    launch: Sequence[PathVariable]
    build: Sequence[PathVariable]
    """Those of builds, with the ones of `launch`."""
    needs: Sequence[LibraryNeed]
    """The libraries that the files of `run` are linked with and that are not among them."""


@dataclass(frozen=True, slots=True)
class UnpackRequest:
    """What is unpacked, and where to."""

    debs: Mapping[str, Deb]
    """By the name of the package."""
    requested: Sequence[Requested]
    run_root: Path
    development_root: Path
    triplet: str
    system: System


def unpack(request: UnpackRequest) -> Contents:
    """Unpack the packages.

    Raises RefusedSystemPackages, UnsafeArchive, DamagedArchive, DiskFull and OSError.
    """
    controls = {name: deb.control() for name, deb in sorted(request.debs.items())}
    names = [each.name for each in request.requested]
    left_out = _refusals(controls, names)
    _refuse_empty(request, controls, left_out)
    needed = needed_to_run(controls, names) - left_out.keys()
    run = PackageTree(request.run_root)
    development = PackageTree(request.development_root, beside=run, system=request.system.root)
    installed = _installed(request.system.root)
    for name in controls:
        if name in left_out or (name not in needed and name in installed):
            continue
        tree = run if name in needed else development
        try:
            tree.add(request.debs[name])
        except SetIdProgram as program:
            left_out[name] = f"its program {program} runs as another user"
            if name in names:
                raise RefusedSystemPackages(((name, left_out[name]),)) from program
    unpacked = [control for name, control in controls.items() if name not in left_out]
    _finish(run, development, unpacked, request.triplet)
    launch = paths.launch_variables(run, request.triplet)
    _run_steps(request, run, launch)
    launch = paths.launch_variables(run, request.triplet)
    of_build = paths.build_variables(development, run, request.triplet)
    build = paths.joined((*launch, *of_build))
    reasons = sorted(left_out.items())
    return Contents(run, development, needed, reasons, launch, build, _needs(run))


def _needs(tree: PackageTree) -> tuple[LibraryNeed, ...]:
    links = ((path, elf.NOT_ELF) for path in tree.links)
    files = (
        (path, elf.read(tree.root / path))
        for path in tree.all_files()
        if elf.may_be_elf(path, is_program=path.startswith(paths.PROGRAMS))
    )
    return native.needs_of((*links, *files), 0)


def _refusals(controls: Mapping[str, Control], requested: Sequence[str]) -> dict[str, str]:
    """Return why each dependency that does not work has to be left out.

    Raises RefusedSystemPackages for those that the user named.
    """
    reasons = {name: reason_against(control) for name, control in controls.items()}
    if NEVER in requested:
        reasons[NEVER] = "programs use the C library of the run image, and no other"
    against = {name: reason for name, reason in reasons.items() if reason}
    if refused := tuple((name, against[name]) for name in requested if name in against):
        raise RefusedSystemPackages(refused)
    return against


def _refuse_empty(
    request: UnpackRequest, controls: Mapping[str, Control], left_out: Mapping[str, str]
) -> None:
    """Refuse packages without files that stand for one in *left_out*: `default-mysql-server`."""
    refused = [
        (each.name, f"it stands for {other}, and {left_out[other]}")
        for each in request.requested
        if each.name in controls
        and (other := left_out_dependency(controls[each.name], controls, left_out))
        and not has_files(request.debs[each.name])
    ]
    if refused:
        raise RefusedSystemPackages(tuple(refused))


def _installed(root: Path) -> frozenset[str]:
    """Return the names of the packages of the build image, which builds find there."""
    try:
        text = (root / _STATUS).read_text("utf-8", "replace")
    except OSError:
        return frozenset()
    return frozenset(_INSTALLED.findall(text))


def _finish(
    run: PackageTree, development: PackageTree, controls: Sequence[Control], triplet: str
) -> None:
    for link, path in alternatives(controls).items():
        for tree in (run, development):
            if tree.exists(path) and not (tree is development and run.exists(path)):
                tree.links.setdefault(link, path)
    templates = driver_templates(controls)
    for tree in (run, development):
        paths.write_configuration(tree, templates)
    run.finish()
    directories = tuple(paths.library_directories(run, triplet))
    find_library.write_programs(run, directories)
    find_library.link_for_compilers(run, development, directories)
    development.finish()
    for tree in (run, development):
        for path in tree.all_files():
            if _PKG_CONFIG.fullmatch(path) or _CONFIG_PROGRAM.fullmatch(path):
                _relocate(tree.root / path, tree.root)


def _relocate(path: Path, root: Path) -> None:
    """Replace `/usr` in a file for builds, such as `zlib.pc` or `gdal-config`."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return  # a program
    mode = path.stat().st_mode & 0o777
    disk.write(path, _SYSTEM_PATH.sub(rf"\1{root}/usr", text).encode(), mode)


def _run_steps(request: UnpackRequest, run: PackageTree, launch: Sequence[PathVariable]) -> None:
    variables = {each.name: each.value for each in launch}
    for step in paths.steps(run, request.triplet):
        command = Command(step.argv, {**variables, "LC_ALL": "C.UTF-8"}, run.root)
        outcome = request.system.run(command)
        if not outcome.code and step.output:
            run.write(step.output, outcome.output)
    for path, _ in disk.walk(run.root):
        if (run.root / path).is_file() and path not in run.links:
            run.files.add(path)
