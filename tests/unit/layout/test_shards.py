"""Which shard holds which files: a function of content alone."""

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


def test_small_environment_is_one_shard() -> None:
    assert list(by_name(module("django"), module("six"))) == ["deps-00"]


def test_threshold_for_one_shard_is_exact() -> None:
    half = ONE_SHARD_BELOW // 2
    below = shard_of_each([module("a", size=half), module("b", size=half - 1)])
    at = shard_of_each([module("a", size=half), module("b", size=half)])
    assert below == {"a": "deps-00", "b": "deps-00"}
    assert at == {"a": "deps-a", "b": "deps-b"}


def test_large_distribution_has_own_layer() -> None:
    shard_names = shard_of_each([BIG, heavy("middle", 8), module("small")])
    assert shard_names["big"] == "deps-big"
    assert SPREAD.fullmatch(shard_names["middle"])  # 8 MB is not above 8 MB
    assert SPREAD.fullmatch(shard_names["small"])


def test_only_largest_distributions_have_own_layers() -> None:
    distributions = [heavy(f"m{number}", 9 + number) for number in range(30)]
    shard_names = shard_of_each(distributions)
    own = {name for name, shard in shard_names.items() if not SPREAD.fullmatch(shard)}
    assert own == {f"m{number}" for number in range(30 - OWN_LAYERS_AT_MOST, 30)}


def test_equal_sizes_are_ordered_by_name() -> None:
    distributions = [heavy(f"m{number:02}", 9) for number in range(OWN_LAYERS_AT_MOST + 1)]
    shard_names = shard_of_each(list(reversed(distributions)))
    assert SPREAD.fullmatch(shard_names.pop(f"m{OWN_LAYERS_AT_MOST:02}"))
    assert sorted(shard_names.values()) == [f"deps-{name}" for name in sorted(shard_names)]


def test_coupled_distributions_share_layer_of_largest() -> None:
    nvidia = frozenset({"torch", "nvidia-cublas"})
    shard_names = shard_of_each([BIG, heavy("torch", 7), heavy("nvidia-cublas", 6)], [nvidia])
    assert shard_names == {"big": "deps-big", "torch": "deps-torch", "nvidia-cublas": "deps-torch"}


def test_small_coupled_distributions_are_in_shard_of_largest() -> None:
    without_couple = shard_of_each([BIG, heavy("b", 2)])
    shard_names = shard_of_each([BIG, module("a"), heavy("b", 2), module("c")], [frozenset("abc")])
    assert {shard_names[name] for name in "abc"} == {without_couple["b"]}


@pytest.mark.parametrize(
    "name", ["00", "15", "99", "a/../b", "é", "x" * 300, "", "-", "A.B", "a--b", "a\n", "\udc80"]
)
def test_unusual_name_gives_valid_layer_name_outside_spread(name: str) -> None:
    shard = shard_of_each([distribution(name, [file("share/x", size=40 * MEGABYTE)])])[name]
    assert LAYER_NAME.fullmatch(shard)
    assert not SPREAD.fullmatch(shard)
    assert shard.startswith("deps-")
    assert len(shard) < 150


@given(st.sets(st.from_regex(r"[a-z0-9]{1,3}(-[a-z0-9]{1,2})?", fullmatch=True), min_size=2))
def test_large_distributions_have_different_layers(names: set[str]) -> None:
    distributions = [heavy(name, 40) for name in sorted(names)[:OWN_LAYERS_AT_MOST]]
    assert len(set(shard_of_each(distributions).values())) == len(distributions)


def test_shard_lists_its_contents() -> None:
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
def test_digest_depends_on_contents_modes_paths_and_kinds(changed: File) -> None:
    (before,) = shards_of([distribution("m", [file(f"{SITE}/m.py", "text")])])
    (after,) = shards_of([distribution("m", [changed])])
    assert before.digest != after.digest


def test_digest_does_not_depend_on_names_and_versions() -> None:
    (before,) = shards_of([distribution("a", [file("share/x", "text")])])
    (after,) = shards_of([distribution("b", [file("share/x", "text")])])
    assert before.digest == after.digest


def test_no_files_give_no_shard() -> None:
    assert shards_of([]) == ()
    assert shards_of([Distribution("empty", "1", "", ())]) == ()


def test_merged_layout_is_one_shard_named_venv() -> None:
    (shard,) = shards_of([BIG, module("six"), heavy("other", 20)], merged=True)
    assert shard.name == "venv"
    assert shard.distributions == ("big", "other", "six")


@given(st.permutations([BIG, heavy("nine", 9), *(module(f"m{n}", "x.py") for n in range(20))]))
def test_order_of_distributions_does_not_matter(distributions: list[Distribution]) -> None:
    assert shards_of(distributions) == shards_of(sorted(distributions, key=lambda each: each.name))


@given(st.integers(0, 39))
def test_adding_distribution_changes_only_its_shard(number: int) -> None:
    distributions = [BIG, *(module(f"m{n}", "x.py") for n in range(40))]
    fewer = [each for each in distributions if each.name != f"m{number}"]
    changed = shard_of_each(distributions)[f"m{number}"]

    before, after = by_name(*distributions), by_name(*fewer)

    assert before.pop(changed) != after.pop(changed, None)
    assert before == after


def test_two_thousand_distributions_are_spread_evenly() -> None:
    distributions = [module(f"package-{number}", "x.py") for number in range(2000)]
    shard_names = by_name(BIG, *distributions)
    shard_names.pop("deps-big")
    assert len(shard_names) == 16
    assert all(60 < len(shard.distributions) < 200 for shard in shard_names.values())
    assert sum(len(shard.files) for shard in shard_names.values()) == 4000
