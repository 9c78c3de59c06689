"""Collects installed distributions: normalizes, compiles, hashes and archives them.

These steps overlap: a distribution whose bytecode is complete is hashed and archived, in this
process and in helpers, while the app's interpreter compiles the next one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cnb_python.distributions import collect as distributions
from cnb_python.distributions import elf
from cnb_python.distributions.bytecode import compile_modules
from cnb_python.distributions.collect import InstalledPin, Normalized
from cnb_python.distributions.model import Distribution
from cnb_python.install import finishing
from cnb_python.install.finishing import Archives, Unfinished
from cnb_python.system.interface import System
from cnb_python.system.workers import Workers, helpers_for

LARGEST_ARCHIVED = 32 * 1024 * 1024
"""Bytes of the largest distribution that is archived as a whole, if it was not built."""


@dataclass(frozen=True, slots=True)
class Collection:
    """Distributions as the image gets them."""

    distributions: tuple[Distribution, ...]
    """In the order of the pins."""
    messages: tuple[str, ...]
    """Log lines about wrong RECORDs."""
    archives: Mapping[str, Archives]
    """By the name of the distribution; empty for those that the next build cannot use."""


def collect(
    installed_pins: Sequence[InstalledPin], interpreter: Path, store: Path, system: System
) -> Collection:
    """Return the distributions of *installed_pins*, compiled, and archived in the *store*.

    Raises DiskFull, Killed, BytecodeFailed, OSError, and ContractBroken if a root does not contain
    the pinned distribution.
    """
    normalized = [distributions.normalize(each) for each in installed_pins]
    jobs = [_job(each, store) for each in normalized]
    order: list[int] = []
    helpers = helpers_for(sum(job.size for job in jobs), len(jobs), system)
    with Workers(finishing.TASK, helpers, system) as workers:

        def on_compiled(number: int) -> None:
            order.append(number)
            workers.add(jobs[number])

        packages = map(distributions.modules_of, normalized)
        compile_modules(interpreter, packages, system, on_compiled)
        finished = dict(zip(order, workers.results(), strict=True))
    contents = [finished[number].contents for number in range(len(jobs))]
    machine = elf.machine_of(interpreter)
    return Collection(
        tuple(
            distributions.described(*pair, machine)
            for pair in zip(normalized, contents, strict=True)
        ),
        tuple(
            message
            for pair in zip(normalized, contents, strict=True)
            for message in distributions.record_messages(*pair)
        ),
        {jobs[number].name: each.archives for number, each in finished.items()},
    )


def _job(normalized: Normalized, store: Path) -> Unfinished:
    of = normalized.of
    return Unfinished(
        of.pin.name,
        of.root.path,
        of.root.site,
        normalized.record,
        normalized.entries,
        store if of.pin.is_cacheable else None,
        None if normalized.from_source else LARGEST_ARCHIVED,
    )
