"""Rebuilds the layers of Python and the environment: only those that changed."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.cnb.layer import layer_of
from cnb_python.distributions import dist_info
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.distributions.model import Distribution
from cnb_python.errors.machine import DamagedStore
from cnb_python.errors.packages.foreign_code import interpreter_changed
from cnb_python.install.installer import install_environment
from cnb_python.install.request import EnvironmentRequest, InstallResult, SameAsPrevious
from cnb_python.install.snapshot import Snapshot
from cnb_python.install.tools import ToolCache
from cnb_python.layers import previous_image, python_install, sbom_files, venv_and_shards
from cnb_python.layers import store as store_layer
from cnb_python.layers.previous_image import WORK
from cnb_python.layers.python_install import PythonFiles
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.layers.venv_and_shards import LayerPlan, Layers
from cnb_python.layout import conflicts
from cnb_python.layout.names import VENV
from cnb_python.managers import tool
from cnb_python.managers.base import NeedsResolving, PackageIndexes, Pin, Resolution
from cnb_python.provision import build_record, freshness, materials, native_libraries, sboms
from cnb_python.provision.finish import Rebuilt
from cnb_python.provision.materializer import Materializer, NewLayers
from cnb_python.provision.request import (
    ProvisionRequest,
    ReadByStep,
    StepsNeedingEnvironment,
    environment_of,
    no_steps,
    nothing_read,
)
from cnb_python.python.origin import visible
from cnb_python.sbom.model import Component, Document
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Damaged, Store
from cnb_python.system.interface import Output, System

# How many written paths the log shows.
_SHOWN_PATHS = 3
_NO_PREVIOUS_IMAGE = (
    "Making every layer again: the cache was restored, but no previous image (if each build has a "
    "new tag, use a stable name with --tag, or --previous-image)"
)
_LIBRARIES_NOT_RECORDED = (
    "Looking for the shared libraries that packages need: the previous release of this buildpack "
    "did not"
)
_NOT_RECORDED = (
    "Looking for packages that need libpython: the previous release of this buildpack did not"
)


def rebuild(
    request: ProvisionRequest,
    previous: PreviousBuild,
    from_files: Resolution | NeedsResolving,
    system: System,
    steps_needing_environment: StepsNeedingEnvironment = no_steps,
    read_before: ReadByStep = nothing_read,
) -> Rebuilt:
    """Make those of the layers `python`, `venv`, `deps-*` and `deps` that changed.

    If an app step needs the environment, all of them are on disk afterwards. Raises what
    installing raises; layers that were begun have no `.toml` then, so the lifecycle ignores them.
    """
    _log_reasons(request, previous, system.output)
    request.system_packages.materialize()
    store = Store(store_layer.open_store(request.context, previous))
    materializer = Materializer(
        request,
        _plan(request),
        previous,
        store,
        _cached(store, previous, system.output),
        steps_needing_environment,
        read_before,
        system.output,
    )
    with (
        _work_directory(request.context.layers_dir) as work,
        ThreadPoolExecutor(system.cpus) as pool,
    ):
        new = _install(materializer, from_files, work, pool, system)
    return materializer.rebuilt(new)


def _install(
    materializer: Materializer,
    from_files: Resolution | NeedsResolving,
    work: Path,
    pool: ThreadPoolExecutor,
    system: System,
) -> NewLayers:
    """Install Python and the environment, and make their layers.

    *work*: an empty directory; *pool*: runs what can be done beside the rest.
    """
    request, previous = materializer.request, materializer.previous
    store, cached, output = materializer.store, materializer.cached, system.output
    resolution = freshness.resolve_without_manager(request, previous, from_files, cached, output)
    if previous.record and isinstance(resolution, SameAsPrevious):
        request.checks.check_recorded(previous.record)
    # Packages are installed under the layer's name, for a while without its `.toml`.
    layer_of(request.context.layers_dir, VENV).drop()
    python = _begin_python(request, store, pool, system)
    # Beside the manager, which is another process.
    pool.submit(sbom_files.load)
    environment = _environment_request(materializer, work, python)
    install_result = install_environment(
        environment, resolution, cached, materializer.needs, store, system
    )
    _log_result(install_result, output)
    metadata = partial(_metadata, environment, install_result, cached, store)
    libraries = native_libraries.check(request, install_result, metadata, system)
    python.wait()
    archiving = python.files.start_archiving()
    documents = partial(
        sboms.documents,
        request,
        python.libraries.result(),
        sboms.described(install_result, cached, metadata, store),
        environment.tool_cache.installed if environment.tool_cache else {},
    )
    new = _make_layers(materializer, install_result, from_files, libraries, archiving, documents)
    return new._replace(record=request.checks.recorded(new.record))


class _Python(NamedTuple):
    """The app's Python, with the work on it that runs beside the manager."""

    files: PythonFiles
    compiling: Future[None]
    libraries: Future[tuple[Component, ...]]
    """The libraries that are linked into Python."""

    def wait(self) -> None:
        """Wait until that work has ended. Raises what it raised."""
        self.compiling.result()
        self.libraries.result()


def _begin_python(
    request: ProvisionRequest, store: Store, pool: ThreadPoolExecutor, system: System
) -> _Python:
    """Write the app's Python to disk; begin to compile it and to list its libraries."""
    files = python_install.materialize(request.runtime, store, system)
    libraries = pool.submit(sboms.libraries_of_python, request, system)
    return _Python(files, pool.submit(files.complete), libraries)


def _check_resolved(
    request: ProvisionRequest,
    previous: PreviousBuild,
    resolution: Resolution,
    new: Sequence[Pin],
    indexes: Callable[[], PackageIndexes],
) -> None:
    """Check *resolution*: all of it if the previous build required less of its packages."""
    has_passed = previous.record and not freshness.age_reason(request, previous.record)
    pins = new if has_passed else resolution.pins
    request.checks.check_resolved(resolution, pins, indexes)


def _metadata(
    environment: EnvironmentRequest,
    install_result: InstallResult,
    cached: Mapping[str, StoreEntry],
    store: Store,
    name: str,
) -> bytes:
    """Return the METADATA of the distribution *name*; empty if it cannot be read."""
    if path := install_result.roots.get(name):
        root = DistributionRoot(path, environment.environment, environment.line)
        if content := dist_info.metadata(root, name):
            return content
    try:
        return store.metadata(cached[name])
    except KeyError, DamagedStore:
        return b""


def _make_layers(
    materializer: Materializer,
    install_result: InstallResult,
    from_files: Resolution | NeedsResolving,
    libraries: Mapping[str, str],
    archiving: Future[None],
    documents: Callable[[Layers], Sequence[Document]],
) -> NewLayers:
    """Make the environment's layers of *install_result*, and archive what is in them.

    *documents*: returns the SBOMs of layers.
    """
    layers = materializer.layers_of(install_result.distributions)
    not_archived = layers.not_archived()
    entries = _store_entries(
        install_result, from_files, materializer.cached, not_archived, materializer.store
    )
    written = sboms.start(documents(layers))
    states = venv_and_shards.assemble(
        materializer.plan, layers, install_result, materializer.on_demand.absent
    )
    record = build_record.of_install(
        materializer.request, install_result, layers, from_files, materializer.previous
    )
    record = record._replace(
        libraries=libraries,
        materials=materials.of_packages(install_result.distributions),
    )
    return NewLayers(layers, states, entries, not_archived, record, archiving, written)


def rebuild_python(
    request: ProvisionRequest, previous: PreviousBuild, record: BuildRecord, system: System
) -> Rebuilt:
    """Make layer `python` alone, for an environment that is as *record* describes it."""
    store = Store(store_layer.open_store(request.context, previous))
    cached = _cached(store, previous, system.output)
    python_files = python_install.materialize(request.runtime, store, system)
    python_files.complete()
    libraries = sboms.libraries_of_python(request, system)
    archiving = python_files.start_archiving()
    previous_image.reuse(request.context.layers_dir, record.layers)
    system.output.line(
        f"Nothing else changed: reusing {len(record.distributions)} packages"
        " from the previous image"
    )
    return Rebuilt(
        environment=environment_of(
            request, previous, record.distributions, record.layers, lambda: store
        ),
        store=store,
        entries=cached,
        not_archived=frozenset(name for name, entry in cached.items() if not entry.archive),
        record=record,
        changed=frozenset(),
        temporary_layers=frozenset(),
        needed_by="",
        snapshot=Snapshot(),
        archiving=archiving,
        output=system.output,
        sboms=sboms.start((sboms.of_python(request, libraries),)),
    )


def _verify_python(python_files: PythonFiles, output: Output, packages: Sequence[str]) -> None:
    """Replace what code of *packages* changed, with a warning. Raises as `verify`."""
    if paths := python_files.verify():
        message = interpreter_changed(packages, tuple(map(visible, paths)))
        output.warning(message.title, message.body)


@contextmanager
def _work_directory(layers_dir: Path) -> Iterator[Path]:
    """Yield an empty directory beside the layers, and remove it afterwards.

    It is on their file system, so moving a file into a layer is a rename.
    """
    work = layers_dir / WORK
    disk.remove(work)
    disk.make_directory(work)
    try:
        yield work
    finally:
        disk.remove(work)


def _log_reasons(request: ProvisionRequest, previous: PreviousBuild, output: Output) -> None:
    if request.build_consumers:
        output.line(f"Writing all packages to disk for {request.build_consumers}")
    for reason in previous.cache_invalid_because:
        output.line(f"Not using the previous build's packages: {reason}")
    for reason in previous.layout_changed_because:
        output.line(f"Rebuilding the environment's layers: {reason}")
    if freshness.lacks_previous_image(request, previous):
        output.line(_NO_PREVIOUS_IMAGE)
    record = previous.record
    if record and not previous.cache_invalid_because:
        if record.embedding is None:
            output.line(_NOT_RECORDED)
        elif record.libraries is None:
            output.line(_LIBRARIES_NOT_RECORDED)


def _cached(store: Store, previous: PreviousBuild, output: Output) -> Mapping[str, StoreEntry]:
    """Return the store's distributions by name; none, with a logged reason, if it is invalid.

    The app's Python in the store has a key of its own, so it stays usable.
    """
    if not (previous.has_store and previous.record):
        return {}
    entries = store.read(previous.record.manifest)
    if isinstance(entries, Damaged):
        output.line(f"Not using the previous build's packages: {entries.reason}")
        return {}
    if previous.cache_invalid_because:
        return {}
    for name, reason in store.lost.items():
        output.line(f"Installing {name} again: {reason}")
    return entries


def _environment_request(
    materializer: Materializer, work: Path, python: _Python
) -> EnvironmentRequest:
    request, output = materializer.request, materializer.output
    buildpack = request.context.buildpack.directory
    return EnvironmentRequest(
        app=request.app,
        manager=request.manager,
        interpreter=request.runtime.interpreter.path,
        python=request.release.version,
        pip=tool.find_pip(buildpack),
        uv=tool.find_uv(buildpack),
        environ=request.context.environ,
        environment=request.context.layers_dir / VENV,
        staging=work,
        installer=request.settings.installer,
        tool_cache=ToolCache(materializer.store, work / "programs", output),
        # What runs afterwards may be foreign code.
        wait_for_interpreter=python.wait,
        after_foreign_code=partial(_verify_python, python.files, output),
        check_resolved=partial(_check_resolved, request, materializer.previous),
        resolving=request.checks.resolving,
        building=request.checks.building,
    )


def _plan(request: ProvisionRequest) -> LayerPlan:
    path = request.runtime.interpreter.path
    return LayerPlan(
        layers_dir=request.context.layers_dir,
        interpreter=path,
        line=path.name.removeprefix("python"),
        scope="\0".join(request.package_key.metadata().values()),
        layout=request.settings.layout,
        build=bool(request.build_consumers),
        env=request.env,
        restored=previous_image.digests(request.context.layers_dir),
    )


def _log_result(install_result: InstallResult, output: Output) -> None:
    output.line(f"Installed packages: {len(install_result.distributions)}")
    if install_result.written:
        paths = _shown_paths(install_result.written)
        output.line(f"Installing again in every build, since it writes into the app: {paths}")
    for message in conflicts.conflict_messages(
        install_result.distributions, install_result.development
    ):
        output.line(message)


def _shown_paths(paths: Sequence[str]) -> str:
    more = len(paths) - _SHOWN_PATHS
    return ", ".join(paths[:_SHOWN_PATHS]) + (f" and {more} more" if more > 0 else "")


def _store_entries(
    install_result: InstallResult,
    from_files: Resolution | NeedsResolving,
    cached: Mapping[str, StoreEntry],
    not_archived: frozenset[str],
    store: Store,
) -> dict[str, StoreEntry]:
    """Archive the new distributions that are not archived; return all entries by name."""
    has_fingerprint = isinstance(from_files, NeedsResolving) and bool(from_files.fingerprint)

    def entry_of(distribution: Distribution) -> StoreEntry:
        if distribution.name not in install_result.installed:
            return cached[distribution.name]
        if not (distribution.is_cacheable or has_fingerprint):
            return StoreEntry(distribution, "", "")
        # A large wheel can be downloaded again, so its contents need no position in the store.
        whole = distribution.from_source or distribution.name not in not_archived
        archive, info = install_result.archives[distribution.name]
        if not info or (whole and not archive):
            root = install_result.roots[distribution.name]
            return store.put(distribution, root, whole=whole)
        return StoreEntry(distribution, archive if whole else "", info)

    return {item.name: entry_of(item) for item in install_result.distributions}
