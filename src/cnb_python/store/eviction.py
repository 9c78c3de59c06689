"""What a store keeps, so that it stays small: a cache costs time in every build, used or not."""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple

from cnb_python.store.manifest import Kept, Manifest

BUDGET_BYTES = 64 * 1024 * 1024

type _Kind = Literal["info", "tree", "archive"]


class _Candidate(NamedTuple):
    """Something that may be kept. They sort by how soon it is."""

    rank: int
    size: int
    name: str
    kind: _Kind


def fitting(
    manifest: Manifest, alone: Collection[str], sizes: Mapping[str, int], budget: int
) -> Manifest:
    """Return what of *manifest* fits into *budget* bytes, where *sizes* are those of archives.

    Small parts come first: nothing is known of a distribution without them. Then what was built
    from source, for that takes longest to do again, then trees, then the rest; of each, the small
    ones. Of the distributions in *alone*, whose contents are rarely asked for, only what was
    built from source. Archives that *sizes* lacks are gone.
    """
    chosen: dict[_Kind, set[str]] = {"info": set(), "tree": set(), "archive": set()}
    for candidate in sorted(_candidates(manifest, alone, sizes)):
        has_info = candidate.kind != "archive" or candidate.name in chosen["info"]
        if has_info and candidate.size <= budget:
            budget -= candidate.size
            chosen[candidate.kind].add(candidate.name)
    kept = manifest.distributions
    return Manifest(
        {
            name: kept[name] if name in chosen["archive"] else kept[name]._replace(archive="")
            for name in sorted(chosen["info"])
        },
        {key: manifest.trees[key] for key in sorted(chosen["tree"])},
    )


def _candidates(
    manifest: Manifest, alone: Collection[str], sizes: Mapping[str, int]
) -> Iterator[_Candidate]:
    for key, tree in manifest.trees.items():
        if tree.archive in sizes:
            yield _Candidate(2, sizes[tree.archive], key, "tree")
    for name, kept in manifest.distributions.items():
        if kept.info in sizes:
            yield _Candidate(0, sizes[kept.info], name, "info")
        if kept.archive in sizes and _is_wanted(kept, alone):
            rank = 1 if kept.distribution.is_built else 3
            yield _Candidate(rank, sizes[kept.archive], name, "archive")


def _is_wanted(kept: Kept, alone: Collection[str]) -> bool:
    return kept.distribution.is_built or kept.distribution.name not in alone
