"""Ends a build that laid something out: what the image has goes back, what is new stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb.layer import check_contents
from cnb_python.errors.frameworks import PackagesAdded
from cnb_python.install import snapshot, tools
from cnb_python.install.snapshot import Untouched
from cnb_python.layers import previous_image, python
from cnb_python.layers import store as store_layer
from cnb_python.layers.build_record import Record
from cnb_python.provision.environment import Added, Environment
from cnb_python.provision.request import Job
from cnb_python.store.manifest import Kept
from cnb_python.store.store import Store
from cnb_python.system.interface import Output


@dataclass(frozen=True, slots=True)
class Renewed:
    """Python and the packages, of which something is here."""

    environment: Environment
    store: Store
    stored: Mapping[str, Kept]
    """By name: what the store is to keep, as far as it has room."""
    alone: frozenset[str]
    """The names of distributions that have a share of their own."""
    record: Record
    """What to note."""
    made: frozenset[str]
    """The names of the environment's layers that were made."""
    lent: frozenset[str]
    """Those of them that the previous image has: they are here for whom wants to use them."""
    wanted_by: str
    untouched: Untouched
    """What was laid out, as it was before anybody used it."""
    output: Output

    def close(self, added: Added) -> Record:
        """Take back what was lent, and keep what the next build can use."""
        job, layers_dir = self.environment.job, self.environment.job.context.layers_dir
        self._check()
        made = (self.made - self.lent) | _close_python(job)
        previous_image.reuse(layers_dir, {name: self.record.layers[name] for name in self.lent})
        programs = tools.kept(self.store, job.manager.name)
        trees = {job.runtime.archive, *programs, *added.trees}
        manifest = self.store.close(self.stored.values(), trees, self.alone)
        record = self.record._replace(
            contents=job.contents_key.metadata(),
            layer_sizes=self._sizes(added),
            manifest=manifest,
            collected=added.collected,
        )
        store_layer.close_store(job.context, record)
        check_contents(layers_dir, {*made, *added.made, store_layer.NAME})
        return record

    def _check(self) -> None:
        """Remove what was written beside the packages, and say so."""
        written = [path for one in self.untouched.seen for path in self.untouched.check(one)]
        found = snapshot.added(written)
        if found.packages:
            raise PackagesAdded(self.wanted_by, found.packages)
        if found.files:
            from cnb_python.errors import frameworks  # noqa: PLC0415 - for who needs it

            message = frameworks.added_files(self.wanted_by, found.files)
            self.output.warning(message.title, message.body)

    def _sizes(self, added: Added) -> dict[str, str]:
        layers_dir = self.environment.job.context.layers_dir
        sizes = {
            name: size
            for name, size in self.record.layer_sizes.items()
            if name in {python.NAME, *self.record.layers}
        }
        for name in (python.NAME, store_layer.NAME):
            if (layers_dir / name).is_dir():
                sizes[name] = str(bytes_below(layers_dir / name))
        return sizes | {name: str(size) for name, size in added.layers.items()}


def _close_python(job: Job) -> frozenset[str]:
    """Make what was laid out the layer, unless the previous image has it; return what was made."""
    if job.runtime.is_in_image and not job.demand:
        python.reuse(job.runtime)
        return frozenset()
    python.finish(job.runtime, build=bool(job.demand))
    return frozenset({python.NAME})


def bytes_below(directory: Path) -> int:
    """Return how much the files below *directory* hold."""
    return sum(
        (parent / name).lstat().st_size for parent, _, names in directory.walk() for name in names
    )
