"""Provides Python and the environment: reuses both, makes Python alone, or rebuilds.

Separate from `build`, which has one line for each step.
"""

from contextlib import AbstractContextManager, nullcontext
from copy import replace
from functools import cache, partial
from typing import TYPE_CHECKING, NamedTuple

from cnb_python.bindings.schema import OSV
from cnb_python.cnb.bindings import of_type
from cnb_python.cnb.layer import check_contents
from cnb_python.config.settings import OFF, STOP, WARN
from cnb_python.layers import previous_image, python, sbom_files
from cnb_python.layers import store as store_layer
from cnb_python.layers.python import Parts
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.provision import freshness, materials, python_parts
from cnb_python.provision.request import (
    NO_CHECKS,
    PackageChecks,
    Provided,
    ProvidedEnvironment,
    ProvisionRequest,
    ReadByStep,
    StepResults,
    StepsNeedingEnvironment,
    environment_of,
    no_steps,
    nothing_read,
)
from cnb_python.system.interface import System

if TYPE_CHECKING:
    from cnb_python.store.store import Store


def provide(
    request: ProvisionRequest,
    system: System,
    steps_needing_environment: StepsNeedingEnvironment = no_steps,
    read_before: ReadByStep = nothing_read,
) -> Provided:
    """Make or reuse the layers `python`, `venv`, `deps-*` and `deps` for *request*.

    If an app step needs the environment, all its layers stay on disk until `finish()`. Raises
    what installing and the checks of packages raise; layers that were begun are not trusted then.
    """
    with _package_checks(request, system) as checks:
        request = replace(request, checks=checks)
        return _provide(request, system, steps_needing_environment, read_before)


def _package_checks(
    request: ProvisionRequest, system: System
) -> AbstractContextManager[PackageChecks]:
    """Return the checks that settings and bindings ask for. Raises NoAuditData."""
    settings = request.settings
    records = of_type(request.context.platform.bindings, OSV) if settings.audit != OFF else ()
    if not (settings.cooldown or records or settings.audit in {STOP, WARN}):
        return nullcontext(NO_CHECKS)
    from cnb_python.supply_chain import checks  # noqa: PLC0415 - few apps need it

    return checks.opened(request, records, system)


def _provide(
    request: ProvisionRequest,
    system: System,
    steps_needing_environment: StepsNeedingEnvironment,
    read_before: ReadByStep,
) -> Provided:
    previous = store_layer.read_previous(
        request.context, request.package_key, request.environment_key
    )
    from_files = request.manager.resolve_from_files(
        request.app, request.release.version, request.context.environ
    )
    unchanged = (
        None
        if request.build_consumers or request.system_packages.is_changed
        else freshness.unchanged_record(request, previous, from_files)
    )
    if unchanged:
        unchanged = request.checks.check_recorded(unchanged)
    steps = (
        steps_needing_environment(_environment(request, previous, unchanged)) if unchanged else ""
    )
    if unchanged and not steps:
        parts = python_parts.needed_parts(request, unchanged).parts
        if request.runtime.is_in_image(parts) and _has_sbom_of_python(request, unchanged):
            return _reuse(request, previous, unchanged, parts, system)
    from cnb_python.provision import rebuild  # noqa: PLC0415 - loads more than an unchanged build does

    if unchanged and not steps:
        return rebuild.rebuild_python(request, previous, unchanged, system)
    # They are called once per build.
    needing = (lambda _: steps) if unchanged else steps_needing_environment
    return rebuild.rebuild(request, previous, from_files, system, needing, read_before)


def _has_sbom_of_python(request: ProvisionRequest, record: BuildRecord) -> bool:
    """Whether the SBOM of layer `python` is restored as the previous build wrote it."""
    expected = (record.sboms or {}).get(store_layer.SBOM_OF_PYTHON, "")
    # If all SBOMs are lost, the check of those of packages causes a rebuild.
    return sbom_files.are_restored(request.context, (python.NAME,), expected, may_be_lost=False)


class Reused(NamedTuple):
    """Python and the environment of an unchanged build: all layers are in the previous image."""

    environment: ProvidedEnvironment
    previous: PreviousBuild
    record: BuildRecord
    needed_by: str = ""

    def finish(self, results: StepResults) -> BuildRecord:
        """Keep the store as it is, and return the build record."""
        request = self.environment.request
        context = request.context
        names = {python.NAME, store_layer.NAME, *self.record.layers}
        sizes = {name: size for name, size in self.record.layer_sizes.items() if name in names}
        sizes |= {name: str(size) for name, size in results.layers.items()}
        rows = materials.complete(request, self.record.materials, results)
        record = self.record._replace(layer_sizes=sizes, materials=rows)
        store_layer.keep(context, self.previous, record)
        store_names = (store_layer.NAME,) if self.previous.has_store else ()
        kept = {*store_names, *request.system_packages.directories}
        check_contents(context.layers_dir, {*results.new_layers, *kept})
        sbom_files.remove_all_but(context.layers_dir, previous_image.with_sboms(record.layers))
        return record


def _reuse(
    request: ProvisionRequest,
    previous: PreviousBuild,
    record: BuildRecord,
    parts: Parts,
    system: System,
) -> Provided:
    """Take every layer from the previous image, which has *parts* of Python."""
    python.reuse(request.runtime, parts)
    previous_image.reuse(request.context.layers_dir, record.layers)
    system.output.line(
        f"Nothing changed: reusing {len(record.distributions)} packages from the previous image"
    )
    return Reused(_environment(request, previous, record), previous, record)


def _environment(
    request: ProvisionRequest, previous: PreviousBuild, record: BuildRecord
) -> ProvidedEnvironment:
    store = cache(partial(_open_store, previous, record))
    return environment_of(request, previous, record.distributions, record.layers, store)


def _open_store(previous: PreviousBuild, record: BuildRecord) -> Store:
    from cnb_python.store.store import Store  # noqa: PLC0415 - loads compression

    store = Store(previous.directory)
    if previous.has_store:
        store.read_trees(record.manifest)
    return store
