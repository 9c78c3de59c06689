"""Which share holds what: a function of content alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import Distribution, File
from cnb_python.layout.shards import (
    ONE_SHARD_BELOW,
    OWN_LAYERS_AT_MOST,
    Shard,
    shard_of_each,
    shards_of,
)
from tests.support.installed import MEGABYTE, SITE, distribution, file, heavy, module, symlink

LAYER_NAME = re.compile(r"[A-Za-z0-9_-]+")
SPREAD = re.compile(r"deps-(0\d|1[0-5])")
BIG = heavy("big", 40)


def by_name(*distributions: Distribution) -> dict[str, Shard]:
    return {shard.name: shard for shard in shards_of(distributions)}


def test_a_small_environment_is_one_share() -> None:
    assert list(by_name(module("django"), module("six"))) == ["deps-00"]


def test_the_threshold_is_a_number_of_bytes() -> None:
    half = ONE_SHARD_BELOW // 2
    below = shard_of_each([module("a", size=half), module("b", size=half - 1)])
    at = shard_of_each([module("a", size=half), module("b", size=half)])
    assert below == {"a": "deps-00", "b": "deps-00"}
    assert at == {"a": "deps-a", "b": "deps-b"}


def test_a_large_distribution_has_a_share_of_its_own() -> None:
    found = shard_of_each([BIG, heavy("middle", 8), module("small")])
    assert found["big"] == "deps-big"
    assert SPREAD.fullmatch(found["middle"])  # 8 MB is not above 8 MB
    assert SPREAD.fullmatch(found["small"])


def test_only_the_largest_have_shares_of_their_own() -> None:
    some = [heavy(f"m{number}", 9 + number) for number in range(30)]
    found = shard_of_each(some)
    own = {name for name, shard in found.items() if not SPREAD.fullmatch(shard)}
    assert own == {f"m{number}" for number in range(30 - OWN_LAYERS_AT_MOST, 30)}


def test_equal_sizes_are_told_apart_by_name() -> None:
    some = [heavy(f"m{number:02}", 9) for number in range(OWN_LAYERS_AT_MOST + 1)]
    found = shard_of_each(list(reversed(some)))
    assert SPREAD.fullmatch(found.pop(f"m{OWN_LAYERS_AT_MOST:02}"))
    assert sorted(found.values()) == [f"deps-{name}" for name in sorted(found)]


def test_coupled_distributions_go_together_named_after_the_largest() -> None:
    nvidia = frozenset({"torch", "nvidia-cublas"})
    found = shard_of_each([BIG, heavy("torch", 7), heavy("nvidia-cublas", 6)], [nvidia])
    assert found == {"big": "deps-big", "torch": "deps-torch", "nvidia-cublas": "deps-torch"}


def test_small_coupled_distributions_share_the_place_of_their_largest() -> None:
    alone = shard_of_each([BIG, heavy("b", 2)])
    found = shard_of_each([BIG, module("a"), heavy("b", 2), module("c")], [frozenset("abc")])
    assert {found[name] for name in "abc"} == {alone["b"]}


@pytest.mark.parametrize(
    "name", ["00", "15", "99", "a/../b", "é", "x" * 300, "", "-", "A.B", "a--b", "a\n", "\udc80"]
)
def test_no_name_makes_a_bad_layer_or_one_of_the_spread(name: str) -> None:
    shard = shard_of_each([distribution(name, [file("share/x", size=40 * MEGABYTE)])])[name]
    assert LAYER_NAME.fullmatch(shard)
    assert not SPREAD.fullmatch(shard)
    assert shard.startswith("deps-")
    assert len(shard) < 150


@given(st.sets(st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,2})?", fullmatch=True), min_size=2))
def test_two_large_distributions_never_have_one_share(names: set[str]) -> None:
    some = [heavy(name, 40) for name in sorted(names)[:OWN_LAYERS_AT_MOST]]
    assert len(set(shard_of_each(some).values())) == len(some)


def test_a_share_says_what_it_holds() -> None:
    shard = by_name(module("django", "a.py"), distribution("six", [f"{SITE}/six.py"]))["deps-00"]
    assert shard.distributions == ("django", "six")
    assert list(shard.files) == sorted(shard.files)
    assert shard.files[f"{SITE}/six.py"].owner == "six"
    assert shard.size == sum(owned.file.size for owned in shard.files.values())


@pytest.mark.parametrize(
    "changed",
    [
        file(f"{SITE}/m.py", "other"),
        file(f"{SITE}/m.py", "text", program=True),
        file(f"{SITE}/n.py", "text"),
        symlink(f"{SITE}/m.py", "text"),
    ],
)
def test_contents_modes_paths_and_kinds_are_in_the_digest(changed: File) -> None:
    (before,) = shards_of([distribution("m", [file(f"{SITE}/m.py", "text")])])
    (after,) = shards_of([distribution("m", [changed])])
    assert before.digest != after.digest


def test_versions_and_owners_are_not_in_the_digest() -> None:
    (before,) = shards_of([distribution("a", [file("share/x", "text")])])
    (after,) = shards_of([distribution("b", [file("share/x", "text")])])
    assert before.digest == after.digest


def test_nothing_makes_no_share() -> None:
    assert shards_of([]) == ()
    assert shards_of([Distribution("empty", "1", "", ())]) == ()


def test_merged_is_one_share_that_is_the_environment() -> None:
    (shard,) = shards_of([BIG, module("six"), heavy("other", 20)], merged=True)
    assert shard.name == "venv"
    assert shard.distributions == ("big", "other", "six")


@given(st.permutations([BIG, heavy("nine", 9), *(module(f"m{n}", "x.py") for n in range(20))]))
def test_the_order_of_distributions_does_not_matter(some: list[Distribution]) -> None:
    assert shards_of(some) == shards_of(sorted(some, key=lambda one: one.name))


@given(st.integers(0, 39))
def test_one_distribution_more_or_less_changes_its_own_share_only(number: int) -> None:
    some = [BIG, *(module(f"m{n}", "x.py") for n in range(40))]
    less = [one for one in some if one.name != f"m{number}"]
    home = shard_of_each(some)[f"m{number}"]

    before, after = by_name(*some), by_name(*less)

    assert before.pop(home) != after.pop(home, None)
    assert before == after


def test_two_thousand_distributions_are_spread_evenly() -> None:
    some = [module(f"package-{number}", "x.py") for number in range(2000)]
    found = by_name(BIG, *some)
    found.pop("deps-big")
    assert len(found) == 16
    assert all(60 < len(shard.distributions) < 200 for shard in found.values())
    assert sum(len(shard.files) for shard in found.values()) == 4000
