"""Runs package managers: each time with an empty virtual environment and an empty workshop.

The environment is at its final path, which scripts and build settings contain. What a manager
leaves is taken as the root of one distribution each: the wheels that it fetched, or all of the
environment if it installed a single distribution.

Separate from `installer`, which decides what is installed, and when.
"""

import itertools
import re
import shutil
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.distributions import wheel
from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.errors.base import BuildpackError, ContractBroken
from cnb_python.errors.packages.foreign_code import (
    BuildsInterfere,
    configuration_changed,
    files_in_app,
)
from cnb_python.install import (
    downloads,
    manager_runs,
    neighbours,
    process_env,
    snapshot,
    virtual_environment,
)
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.user_files import UserFiles, read_user_files
from cnb_python.install.young_releases import YoungReleases
from cnb_python.managers import tool_settings
from cnb_python.managers.base import (
    AppLeftOut,
    InstallContext,
    PackageIndexes,
    Pin,
    Resolution,
)
from cnb_python.managers.tool import Program, not_available
from cnb_python.python.origin import visible
from cnb_python.system.interface import Run, System

# Where uv unpacks wheels in its cache, each into a directory of its own.
_ARCHIVES = "archive-v0"
_TOOLS, _DOWNLOADS = "tools", "downloads"
# Lines, and entries of locks, that may install a directory of the app.
_OF_APP = re.compile(r"^(-e|[./]|file:)|@ *file:|\bdirectory\b", re.MULTILINE)
# Of the same packages; each time some have changed the files of others.
_MOST_BUILDS = 5
# In messages, where a manager ran code of several packages.
_SOME_PACKAGE = "a package"


@dataclass(frozen=True, slots=True)
class StagingArea:
    """The directory in which one build installs packages."""

    request: EnvironmentRequest
    system: System
    snapshot: AppSnapshot
    """Finds the files that builds from source leave in the app."""
    _numbers: Iterator[int] = field(default_factory=itertools.count)
    _notes: dict[str, str] = field(default_factory=dict)
    _foreign_runs: list[tuple[str, ...]] = field(default_factory=list)
    _not_installed: list[BuildpackError] = field(default_factory=list)
    """Why the manager's resolution is for a message alone."""
    _left_out: set[Pin] = field(default_factory=set)
    """Those that cannot be installed, and need not be."""
    _built: dict[Path, Mapping[str, str]] = field(default_factory=dict)
    """The contents of each root that a build left, when it had ended."""
    _removing: list[threading.Thread] = field(default_factory=list)
    _user_files: UserFiles = field(init=False)
    _young: YoungReleases = field(init=False)

    def __post_init__(self) -> None:
        """Read the configuration of tools, before any code of a package runs."""
        request = self.request
        user_files = read_user_files(request.environ, request.app.directory)
        object.__setattr__(self, "_user_files", user_files)
        object.__setattr__(self, "_young", YoungReleases(request, self.system.output))

    @property
    def ran_foreign_code(self) -> bool:
        """Whether code of packages ran in this build so far."""
        return bool(self._foreign_runs)

    def resolve(self) -> Resolution:
        """Have the manager resolve, which may run code of packages. Raises what it raises."""
        self.request.wait_for_interpreter()
        watched = manager_runs.Watched(self.run)
        with self._workshop() as context:
            self.snapshot.take()
            resolution, failure = self._young.resolve(context, watched)
            self._not_installed.extend([failure] if failure else [])
            has_local = any(_OF_APP.search(pin.line) for pin in resolution.pins)
            self._clean_app("" if has_local or not watched.ran_foreign_code else _SOME_PACKAGE)
        if watched.ran_foreign_code:
            self._after_foreign_code(())
        return resolution

    def check(self, resolution: Resolution, new: Sequence[Pin]) -> None:
        """Raise the failure that forbids installing *resolution*; the store lacks the *new* pins.

        None of their code has run, unless resolving had to build one for its metadata.
        """
        self.request.check_resolved(resolution, new, partial(self._package_indexes, resolution))
        for failure in self._not_installed:
            raise failure

    def _package_indexes(self, resolution: Resolution) -> PackageIndexes:
        scratch = self.request.staging / f"indexes-{next(self._numbers)}"
        disk.make_directory(scratch)
        context = self.context(scratch, pip=False, builds=False)
        return self.request.manager.package_indexes(resolution, context, self.run)

    def install(self, resolution: Resolution, pins: Sequence[Pin]) -> tuple[InstalledPin, ...]:
        """Install *pins*: first those that may run code of their own, then wheels alone.

        Raises what the manager raises, and what `fetch` does.
        """
        if not resolution.from_files_alone:
            self.request.wait_for_interpreter()
        to_build = [pin for pin in pins if pin.by_itself]
        wheels = [pin for pin in pins if not pin.by_itself]
        built = self.build_all(resolution, to_build)
        fetched: tuple[InstalledPin, ...] = ()
        while wheels and not fetched:
            fetched, unbuilt = self.fetch(resolution, wheels)
            to_build += [pin for pin in wheels if pin.name in unbuilt]
            wheels = [pin for pin in wheels if pin.name not in unbuilt]
            built = self.build_all(resolution, to_build, built) if unbuilt else built
        return (*built, *fetched)

    def build_all(
        self, resolution: Resolution, pins: Sequence[Pin], earlier: Iterable[InstalledPin] = ()
    ) -> tuple[InstalledPin, ...]:
        """Have the manager install each of *pins* by itself, which may run its code.

        *earlier*: those that are installed. What the build of another package has changed is
        installed again. Raises what the manager raises, and BuildsInterfere if that does not end.
        """
        installed = {each.pin: each for each in earlier}
        waiting = [pin for pin in pins if pin not in installed and pin not in self._left_out]
        for _ in range(_MOST_BUILDS):
            for pin in waiting:
                if built := self.build(resolution, pin):
                    installed[pin] = built
                # Before the next build, which must not depend on this one.
                self._after_foreign_code([pin.name])
            waiting = [
                pin
                for pin, each in installed.items()
                if len(installed) > 1
                and snapshot.contents(each.root.path) != self._built[each.root.path]
            ]
            if not waiting:
                return tuple(installed[pin] for pin in pins if pin in installed)
            names = ", ".join(pin.name for pin in waiting)
            self.system.output.line(f"Installing {names} again: another package has changed it")
        raise BuildsInterfere(tuple(pin.name for pin in waiting))

    def build(self, resolution: Resolution, pin: Pin) -> InstalledPin | None:
        """Have the manager install *pin* by itself, which may run its code.

        Returns None, with a warning, if it is the app and cannot be installed. Raises what the
        manager raises.
        """
        self.request.wait_for_interpreter()
        with self._workshop(builds=True) as workshop:
            self.snapshot.take()
            run = self._run_with(f"the build of {pin.name}")
            context, run = self._young.while_building(resolution, pin, workshop, run)
            beside = neighbours.of(resolution, pin)
            if beside:
                self.request.manager.install(resolution, beside, context, run)
            before = snapshot.states(context.environment).keys() if beside else ()
            is_left_out = self._is_left_out(resolution, [*beside, pin], context, run)
            self._clean_app("" if _OF_APP.search(pin.line) else pin.name)
            if is_left_out:
                return None
            root = self._new_root(pin.name)
            context.environment.rename(root.path)
            neighbours.remove(root, pin.name, before)
            materials = downloads.of_build(context.uv_cache, pin.name, self._secrets)
        self._built[root.path] = snapshot.contents(root.path)
        if all(each.builds for each in materials):
            own = downloads.of_pin(pin, None, self._secrets)
            materials = (own, *materials) if own else materials
        return InstalledPin(pin, root, may_be_built=True, materials=materials)

    def _is_left_out(
        self, resolution: Resolution, pins: Sequence[Pin], context: InstallContext, run: Run
    ) -> bool:
        """Install *pins*; return True, after a warning, if the manager leaves out the last."""
        try:
            self.request.manager.install(resolution, pins, context, run)
        except AppLeftOut as left_out:
            self._left_out.add(pins[-1])
            self.system.output.warning(left_out.warning.title, left_out.warning.body)
            return True
        return False

    def _clean_app(self, package: str) -> None:
        """Remove what the build of *package* left in the app, but not if it may be a part of it.

        *package*: empty if so. Raises AppChangedByPackage and OSError.
        """
        if not package:
            self.snapshot.clean()
        elif left := self.snapshot.remove_foreign(package):
            message = files_in_app(package, tuple(map(visible, left)))
            self.system.output.warning(message.title, message.body)

    def fetch(
        self, resolution: Resolution, pins: Sequence[Pin]
    ) -> tuple[tuple[InstalledPin, ...], frozenset[str]]:
        """Have the manager fetch the wheels of *pins*, which runs no code of packages.

        Returns them, or the names of the pins that have to be built, and no wheels then. Raises
        what the manager raises, DamagedPackage, and ContractBroken if a wheel is missing.
        """
        request = self.request
        # Only these settings make uv build all the same; the result is not used then.
        foreign = tool_settings.uv_refuses_wheels(request.environ, request.app.directory)
        run = self._run_with("" if foreign else None)
        with self._workshop(pip=not resolution.from_files_alone) as context:
            unbuilt = request.manager.install(resolution, pins, context, run)
            fetched = () if unbuilt else self._fetched(context, pins)
        return fetched, unbuilt

    def _fetched(self, context: InstallContext, pins: Sequence[Pin]) -> tuple[InstalledPin, ...]:
        by_name = {pin.name: pin for pin in pins}
        of_pip = {f"of-pip-{number}": file for number, file in enumerate(_files(context.wheels))}
        for name, file in of_pip.items():
            wheel.unpack(file, context.uv_cache / _ARCHIVES / name)
        of_uv = downloads.fetched(context.uv_cache, self._secrets)
        fetched: dict[str, InstalledPin] = {}
        for directory in _files(context.uv_cache / _ARCHIVES):
            unpacked = wheel.read(directory)
            # uv's cache may have more: what an app asks of uv itself.
            if pin := by_name.get(unpacked.name):
                if pin.name in fetched:
                    raise ContractBroken("environment", f"fetched twice: {pin.name}")
                root = self._new_root(pin.name)
                wheel.make_root(unpacked, root)
                material = of_uv.get(directory.name) or downloads.of_pin(
                    pin, of_pip.get(directory.name), self._secrets
                )
                materials = (material,) if material else ()
                fetched[pin.name] = InstalledPin(
                    pin, root, may_be_built=False, materials=materials
                )
        if missing := by_name.keys() - fetched.keys():
            named = ", ".join(sorted(missing))
            raise ContractBroken("environment", f"pinned and not installed: {named}")
        return tuple(fetched[pin.name] for pin in pins)

    def _discard(self, *directories: Path) -> None:
        """Remove *directories* in a thread of its own; their paths are free at once."""
        used = [directory for directory in directories if directory.exists(follow_symlinks=False)]
        apart = [self.request.staging / f"discarded-{next(self._numbers)}" for _ in used]
        for directory, path in zip(used, apart, strict=True):
            directory.rename(path)
        thread = threading.Thread(target=_remove_all, args=(apart,))
        thread.start()
        self._removing.append(thread)

    def close(self) -> None:
        """Return when nothing is being removed any more."""
        for thread in self._removing:
            thread.join()

    def _after_foreign_code(self, packages: Sequence[str]) -> None:
        """Remove what code of *packages* may have changed, and have the rest repaired."""
        self._foreign_runs.append(tuple(packages))
        staging = self.request.staging
        for directory in (staging / _TOOLS, staging / _DOWNLOADS):
            disk.remove(directory)
        if self.request.tool_cache:
            self.request.tool_cache.forget()
        if changed := self._user_files.restore():
            message = configuration_changed(packages, changed)
            self.system.output.warning(message.title, message.body)
        self.request.after_foreign_code(packages)

    def _new_root(self, name: str) -> DistributionRoot:
        request = self.request
        path = request.staging / f"root-{next(self._numbers)}-{name}"
        return DistributionRoot(path, request.environment, request.line)

    @contextmanager
    def _workshop(self, *, pip: bool = True, builds: bool = False) -> Iterator[InstallContext]:
        """Yield the context of a manager, with an empty environment; remove both afterwards.

        *pip*: the manager may use pip.
        """
        request = self.request
        disk.remove(request.environment)
        virtual_environment.make_environment(
            request.environment, request.interpreter, request.line
        )
        scratch = request.staging / f"workshop-{next(self._numbers)}"
        disk.make_directory(scratch)
        try:
            yield self.context(scratch, pip=pip, builds=builds)
        finally:
            self._discard(request.environment, scratch)

    def context(self, scratch: Path, *, pip: bool, builds: bool) -> InstallContext:
        """Return the context of a manager. Copies pip the first time that it is needed."""
        request = self.request
        tools = request.staging / _TOOLS
        if pip and not (tools / "pip").is_dir():
            copy_pip(request.pip, tools)
        context = InstallContext(
            app_dir=request.app.directory,
            environment=request.environment,
            tool=tools / "pip",
            uv=request.uv,
            # A build never gets what others use.
            cache=scratch / _DOWNLOADS if builds else request.staging / _DOWNLOADS,
            scratch=scratch,
            environ=process_env.manager_environ(
                {**request.environ, "PWD": str(request.app.directory)},
                request.environment,
                request.interpreter,
                scratch,
            ),
            python=request.python,
            fetch=self.system.fetch,
            builds=builds,
            top=request.app.top,
            notes=self._notes,
        )
        return replace(context, start_program=partial(self._start_command, context))

    def _start_command(self, context: InstallContext, program: Program) -> tuple[str, ...]:
        """Return the start of the command line that runs *program*."""
        tool_cache = self.request.tool_cache
        if tool_cache is None:
            return not_available(program)
        # The buildpack pins this release with hashes, so it cannot be a young one.
        limit = None if program.is_locked else self.request.building
        context, run = self._young.while_installing(context, self.run, limit)
        # Loads the managers of pip and uv, which a build with a tool has loaded already.
        from cnb_python.managers.tool_install import install  # noqa: PLC0415 - see above

        return tool_cache.start_command(
            program,
            lambda each, into, python: install(each, into, python, context, run),
        )

    @property
    def run(self) -> Run:
        """Runs commands and removes secrets from their output.

        As foreign ones: a manager may build a package, or read metadata by running its code.
        """
        return self._run_with("")

    def _run_with(self, runs_code: str | None) -> Run:
        layers_dir = self.request.environment.parent
        return partial(manager_runs.run, self.system, layers_dir, self._secrets, runs_code)

    @property
    def _secrets(self) -> tuple[str, ...]:
        return process_env.secrets(self.request.environ, self.request.app.directory)


def _remove_all(directories: Iterable[Path]) -> None:
    for directory in directories:
        # What cannot be removed now is removed, or reported, with the whole staging directory.
        with suppress(OSError):
            disk.remove(directory)


def _files(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def copy_pip(source: Path, into: Path) -> Path:
    """Copy pip from *source*, a wheel or the directory of an installed package, below *into*.

    Returns the directory `pip`. The copy is writable, for pip's bytecode: pip starts itself once
    for each package that it builds in isolation, and compiling it takes a second. Raises OSError,
    or BadZipFile for a damaged wheel.
    """
    target = into / "pip"
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return target
    with zipfile.ZipFile(source) as wheel:
        names = [name for name in wheel.namelist() if name.startswith("pip/")]
        wheel.extractall(into, names)
    return target
