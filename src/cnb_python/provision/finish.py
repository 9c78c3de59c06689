"""Finishes a rebuild after the app steps: checks and removes temporary layers, saves the store.

Separate from `rebuild`, which makes the layers before the app steps.
"""

import stat
from collections.abc import Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb import disk
from cnb_python.cnb.layer import check_contents
from cnb_python.errors.frameworks import PackagesAdded
from cnb_python.install import snapshot, tools
from cnb_python.install.snapshot import Snapshot
from cnb_python.layers import previous_image, python, sbom_files
from cnb_python.layers import store as store_layer
from cnb_python.layers.python import Parts
from cnb_python.layers.python_parts import remove_other_parts
from cnb_python.layers.sbom_files import Sboms
from cnb_python.layers.store import BuildRecord
from cnb_python.provision import materials, python_parts
from cnb_python.provision.python_parts import NeededParts
from cnb_python.provision.request import ProvidedEnvironment, ProvisionRequest, StepResults
from cnb_python.store.manifest import StoreEntry
from cnb_python.store.store import Store
from cnb_python.system.interface import Output


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """Python and the environment, of which this build made at least one layer."""

    environment: ProvidedEnvironment
    store: Store
    entries: Mapping[str, StoreEntry]
    """What the store is to keep within its budget, by the name of the distribution."""
    not_archived: frozenset[str]
    """The distributions whose contents the store need not keep."""
    record: BuildRecord
    """The build record, still without what `finish` adds."""
    changed: frozenset[str]
    """The names of the environment's layers that are on disk."""
    temporary_layers: frozenset[str]
    """Those of them that the previous image has: they are on disk only for the app steps."""
    needed_by: str
    snapshot: Snapshot
    """The state of the layers before the app steps."""
    archiving: Future[None]
    """Puts Python into the store, beside the app steps; reads the files of its layer."""
    output: Output
    sboms: Future[Sboms]
    """Writes the SBOMs of layer `python` and of the environment's layers, beside the app steps."""

    def finish(self, results: StepResults) -> BuildRecord:
        """Remove temporary layers, save the store and return the build record.

        Raises PackagesChanged and PackagesAdded if an app step changed the environment.
        """
        request = self.environment.request
        layers_dir = request.context.layers_dir
        self.archiving.result()
        new_layers, python_size = self._finish_layers()
        record = self._saved_store(results, python_size)
        sboms = self.sboms.result()
        record = record._replace(sboms={**(record.sboms or {}), **sbom_files.digests(sboms)})
        store_layer.close_store(request.context, record)
        kept = {store_layer.NAME, *request.system_packages.directories}
        check_contents(layers_dir, {*new_layers, *results.new_layers, *kept})
        self._write_sboms(sboms)
        return record

    def _finish_layers(self) -> tuple[frozenset[str], str]:
        """Check what the steps did, and finish the layers of Python and the environment.

        Returns the names of the new ones, and the size of layer `python` in bytes, in digits.
        """
        request = self.environment.request
        needed = python_parts.needed_parts(request, self.record)
        # It was recorded when the layer was made, of the same archive.
        python_size = self.environment.sizes.get(python.NAME, "")
        is_temporary = _reuses_python(request, needed.parts) and python_size != ""
        self._check_steps(self.temporary_layers | ({python.NAME} if is_temporary else set()))
        self._log_parts(needed)
        if not is_temporary:
            remove_other_parts(request.runtime.interpreter.layer, needed.parts)
            python_size = str(bytes_below(request.runtime.interpreter.layer))
        new_layers = self.changed - self.temporary_layers
        new_layers |= _finish_python(request, needed.parts)
        previous_image.reuse(
            request.context.layers_dir,
            {name: self.record.layers[name] for name in self.temporary_layers},
        )
        return new_layers, python_size

    def _saved_store(self, results: StepResults, python_size: str) -> BuildRecord:
        """Save the store within its budget; return the completed record."""
        request = self.environment.request
        programs = tools.keys_to_keep(self.store, request.manager.name)
        trees = {request.runtime.archive, *programs, *results.trees}
        manifest = self.store.close(self.entries.values(), trees, self.not_archived)
        tool_materials = map(materials.of_program, programs)
        return self.record._replace(
            package_key=request.package_key.metadata(),
            layer_sizes=self._layer_sizes(results, python_size),
            manifest=manifest,
            static_files_key=results.static_files_key,
            materials=materials.complete(
                request, (*self.record.materials, *tool_materials), results
            ),
        )

    def _write_sboms(self, sboms: Sboms) -> None:
        """Write *sboms*, and remove those of layers that the image does not have any more."""
        layers_dir = self.environment.request.context.layers_dir
        sbom_files.write(layers_dir, sboms)
        has_packages = store_layer.SBOM_OF_PACKAGES in sbom_files.digests(sboms)
        sbom_files.remove_all_but(
            layers_dir, previous_image.with_sboms(sboms if has_packages else self.record.layers)
        )

    def _check_steps(self, temporary: Collection[str]) -> None:
        """Remove *temporary* layers, and files that steps wrote beside packages: a warning."""
        paths: list[str] = []
        for layer in self.snapshot.states:
            is_temporary = layer.name in temporary
            remove = self.snapshot.remove_all if is_temporary else self.snapshot.remove_new
            paths += remove(layer)
        added = snapshot.added(paths)
        if added.packages:
            raise PackagesAdded(self.needed_by, added.packages)
        if added.files:
            from cnb_python.errors import frameworks  # noqa: PLC0415 - only for this warning

            message = frameworks.added_files(self.needed_by, added.files)
            self.output.warning(message.title, message.body)

    def _log_parts(self, needed: NeededParts) -> None:
        request = self.environment.request
        if lines := tuple(needed.log_lines(request.runtime.parts_in_image)):
            self.output.step("Python in the image")
            for line in lines:
                self.output.line(line)

    def _layer_sizes(self, results: StepResults, python_size: str) -> dict[str, str]:
        store_size = self.store.archive_bytes(results.records)
        sizes = {
            name: size
            for name, size in self.record.layer_sizes.items()
            if name in self.record.layers
        }
        sizes |= {python.NAME: python_size, store_layer.NAME: str(store_size)}
        return sizes | {name: str(size) for name, size in results.layers.items()}


def bytes_below(directory: Path) -> int:
    """Return the total size of the files below *directory*, in bytes."""
    statuses = (status for _, status in disk.walk(directory))
    return sum(status.st_size for status in statuses if not stat.S_ISDIR(status.st_mode))


def _reuses_python(request: ProvisionRequest, parts: Parts) -> bool:
    return request.runtime.is_in_image(parts) and not request.build_consumers


def _finish_python(request: ProvisionRequest, parts: Parts) -> frozenset[str]:
    """Make layer `python`, or reuse it if the previous image has it; return the names made."""
    if _reuses_python(request, parts):
        python.reuse(request.runtime, parts)
        return frozenset()
    python.finish(request.runtime, parts, build=bool(request.build_consumers))
    return frozenset({python.NAME})
