"""Runs collectstatic of Django projects whose packages are only partly on disk."""

from collections.abc import Callable, Collection
from copy import replace
from dataclasses import dataclass, field

from cnb_python.app_steps import collectstatic
from cnb_python.app_steps.static_files import StaticFiles
from cnb_python.distributions.model import Distribution, directories_of
from cnb_python.layers.venv_and_shards import Layers
from cnb_python.layout.shards import shards_of
from cnb_python.provision.on_demand import OnDemand, ReadBefore
from cnb_python.provision.request import ProvidedEnvironment
from cnb_python.store.store import Store
from tests.support.django_runs import SHARD, Project, Result
from tests.support.trees import Files
from tools.processes import run

type Mistake = Callable[[ReadBefore], ReadBefore]
"""Changes what a record says that the previous run read."""


def layers_of(distributions: Collection[Distribution]) -> Layers:
    """Return the layers of *distributions* with one temporary shard."""
    (shard,) = shards_of(tuple(distributions), merged=True)
    return Layers(
        distributions={item.name: item for item in distributions},
        shards=(replace(shard, name=SHARD),),
        venv_entries=(),
        env=(),
        digests={},
        changed=frozenset({SHARD}),
        same=frozenset({SHARD}),
    )


@dataclass
class PartialProject(Project):
    """A project whose second build has only those files of packages that were read before."""

    mistake: Mistake | None = None
    """None: every file is on disk."""
    absent: int = 0
    """How many files were not on disk at the start of the last run."""
    on_demand: OnDemand = field(default_factory=OnDemand)
    requested: tuple[str, ...] = ()

    def build_partly(
        self, mistake: Mistake, changes: Files, after: str, environ: dict[str, str] | None = None
    ) -> Result:
        """Build with *changes* after the build *after*; *mistake* changes what is on disk."""
        self.mistake = mistake
        try:
            return self.build(changes, after, environ=environ)
        finally:
            self.mistake, self.requested = None, tuple(self.on_demand.requested)
            self.on_demand.need_everything()

    def _environment(self, store: Store, after: str, *args: object, records: bool):  # type: ignore[no-untyped-def]  # noqa: ANN202 - as in Project
        environment: ProvidedEnvironment = super()._environment(
            store,
            after,
            *args,  # type: ignore[arg-type]  # as they are
            records=records,
        )
        if self.mistake is None:
            return environment
        static = collectstatic.find(environment)
        assert isinstance(static, StaticFiles)
        before = collectstatic.read_before(environment, static)
        assert before is not None
        self.on_demand = OnDemand(self.mistake(before))
        self._remove(self.on_demand)
        return environment._replace(on_demand=self.on_demand)

    def _remove(self, on_demand: OnDemand) -> None:
        distributions = self.machine.distributions
        on_demand.choose(layers_of(distributions), [item.name for item in distributions])
        tree = self.machine.layers / SHARD / "tree"
        whole = tree.with_name("whole")
        if not whole.exists():
            run("cp", "-al", "--", tree, whole)
        self.absent = sum(map(len, on_demand.absent.values()))
        for paths in on_demand.absent.values():
            for path in paths:
                (tree / path).unlink()
        emptied = directories_of(path for paths in on_demand.absent.values() for path in paths)
        for directory in sorted(emptied, reverse=True):
            if not any((tree / directory).iterdir()):
                (tree / directory).rmdir()

        def bring(name: str, paths: Collection[str]) -> None:
            assert name
            for path in paths:
                (tree / path).parent.mkdir(parents=True, exist_ok=True)
                (tree / path).hardlink_to(whole / path)

        on_demand.begin(bring)
