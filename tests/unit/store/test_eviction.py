"""Which archives stay in the store if the budget does not allow all."""

import dataclasses
import hashlib
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.store.manifest import Manifest, StoredTree, StoreEntry
from cnb_python.store.store import fitting_in_budget
from tests.support.installed import module


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


class World(NamedTuple):
    """A manifest and the sizes of its archives."""

    manifest: Manifest
    sizes: dict[str, int]

    def entries(self, budget: int, *own_layer: str) -> set[str]:
        """Return the names of the distributions and trees whose archives stay."""
        fitting = fitting_in_budget(self.manifest, own_layer, self.sizes, budget)
        whole = {name for name, entries in fitting.distributions.items() if entries.archive}
        return whole | set(fitting.trees)

    def with_info(self, budget: int) -> set[str]:
        return set(fitting_in_budget(self.manifest, (), self.sizes, budget).distributions)


def world(built: dict[str, int], wheels: dict[str, int], trees: dict[str, int]) -> World:
    """Return archives with these sizes; the small parts take one byte each."""
    entries = {
        name: StoreEntry(
            dataclasses.replace(module(name), from_source=name in built),
            digest(f"whole {name}"),
            digest(f"info {name}"),
        )
        for name in built | wheels
    }
    sizes = {digest(f"whole {name}"): size for name, size in (built | wheels).items()}
    sizes |= {digest(f"info {name}"): 1 for name in entries}
    sizes |= {digest(f"tree {key}"): size for key, size in trees.items()}
    stored_trees = {key: StoredTree(digest(f"tree {key}"), ()) for key in trees}
    return World(Manifest(entries, stored_trees), sizes)


WORLD = world({"b1": 30, "b2": 10}, {"w1": 20, "w2": 5, "w3": 40}, {"python": 25})
EVERYTHING = 5 + 30 + 10 + 20 + 5 + 40 + 25


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        (EVERYTHING, "b1 b2 w1 w2 w3 python"),
        (EVERYTHING - 1, "b1 b2 w1 w2 python"),
        (5 + 40 + 25 + 5, "b1 b2 w2 python"),
        (5 + 40 + 25, "b1 b2 python"),
        (5 + 40, "b1 b2"),
        (5 + 39, "b2 python"),
        (5 + 10, "b2"),
        (5 + 9, "w2"),
        (5, ""),
    ],
)
def test_order_is_built_from_source_then_trees_then_smallest(budget: int, expected: str) -> None:
    assert WORLD.entries(budget) == set(expected.split())


def test_metadata_of_evicted_distributions_is_kept() -> None:
    assert WORLD.with_info(5) == {"b1", "b2", "w1", "w2", "w3"}


def test_distribution_without_room_for_metadata_is_evicted() -> None:
    assert WORLD.with_info(3) == {"b1", "b2", "w1"}
    assert WORLD.with_info(0) == set()
    assert WORLD.with_info(-1) == set()


def test_own_layer_is_kept_only_if_built_from_source() -> None:
    assert WORLD.entries(EVERYTHING, "b1", "w1") == {"b1", "b2", "w2", "w3", "python"}


def test_missing_archives_are_not_listed() -> None:
    for gone in ("whole w1", "tree python", "info b1"):
        WORLD.sizes.pop(digest(gone))
        try:
            assert not WORLD.entries(EVERYTHING) & set(gone.split()[1:])
        finally:
            WORLD.sizes.update(world({"b1": 30}, {"w1": 20}, {"python": 25}).sizes)


SIZES = st.integers(0, 50)


@given(
    st.dictionaries(st.sampled_from(["a", "b", "c"]), SIZES),
    st.dictionaries(st.sampled_from(["x", "y", "z"]), SIZES),
    st.dictionaries(st.sampled_from(["s", "t"]), SIZES),
    st.integers(-5, 200),
)
def test_result_is_within_budget(
    built: dict[str, int], wheels: dict[str, int], trees: dict[str, int], budget: int
) -> None:
    store = world(built, wheels, trees)

    total = sum((built | wheels | trees)[name] for name in store.entries(budget))

    assert total + len(store.with_info(budget)) <= max(0, budget)
