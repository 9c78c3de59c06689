"""Which distributions must be in the same shard."""

from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import Distribution
from cnb_python.layout.shards import coupled_groups
from tests.support.installed import SITE, distribution, file, module

TORCH = distribution(
    "torch",
    [f"{SITE}/torch/__init__.py", f"{SITE}/torch/lib/libtorch.so"],
    reaches=(f"{SITE}/nvidia/cublas/lib", f"{SITE}/torch/lib", "lib", f"{SITE}/nowhere"),
)
CUBLAS = distribution("nvidia-cublas", [f"{SITE}/nvidia/cublas/lib/libcublas.so.12"])


def test_unrelated_distributions_are_not_coupled() -> None:
    assert coupled_groups([module("django"), module("six")]) == ()


def test_common_path_couples() -> None:
    same = file(f"{SITE}/backports/__init__.py", "pkgutil")
    groups = coupled_groups([distribution("b", [same]), module("c"), distribution("a", [same])])
    assert groups == (frozenset({"a", "b"}),)


def test_file_in_regular_package_of_another_couples() -> None:
    plugin = distribution("plugin", [f"{SITE}/tool/plugins/deep/plugin.py"])
    assert coupled_groups([plugin, module("tool")]) == (frozenset({"plugin", "tool"}),)


def test_file_in_package_with_compiled_init_couples() -> None:
    init = f"{SITE}/fast/__init__.cpython-314-x86_64-linux-gnu.so"
    addon = distribution("addon", [f"{SITE}/fast/addon.py"])
    assert coupled_groups([distribution("fast", [init]), addon]) == (frozenset({"addon", "fast"}),)


def test_namespace_package_does_not_couple() -> None:
    first = distribution("google-a", [f"{SITE}/google/a/__init__.py"])
    second = distribution("google-b", [f"{SITE}/google/b/__init__.py"])
    assert coupled_groups([first, second]) == ()


def test_regular_package_in_namespace_couples_only_its_writers() -> None:
    first = distribution("google-a", [f"{SITE}/google/a/__init__.py"])
    second = distribution("google-b", [f"{SITE}/google/b/__init__.py"])
    addon = distribution("google-a-extra", [f"{SITE}/google/a/extra.py"])
    assert coupled_groups([first, second, addon]) == (frozenset({"google-a", "google-a-extra"}),)


def test_init_in_site_packages_does_not_couple_everything() -> None:
    stray = distribution("stray", [f"{SITE}/__init__.py", f"{SITE}/stray/__init__.py"])
    bytecode = distribution("odd", [f"{SITE}/__pycache__/__init__.cpython-314.pyc"])
    neighbor = distribution("other", [f"{SITE}/__pycache__/other.cpython-314.pyc"])
    assert coupled_groups([stray, bytecode, neighbor, module("django")]) == ()


def test_modules_outside_site_packages_do_not_couple() -> None:
    first = distribution("one", ["share/templates/__init__.py"])
    second = distribution("two", ["share/templates/x.py"])
    assert coupled_groups([first, second]) == ()


def test_library_loaded_from_another_distribution_couples() -> None:
    assert coupled_groups([CUBLAS, TORCH, module("six")]) == (
        frozenset({"nvidia-cublas", "torch"}),
    )


def test_reached_directory_without_libraries_does_not_couple() -> None:
    up = distribution("up", [f"{SITE}/_up.so"], reaches=(SITE, f"{SITE}/django"))
    assert coupled_groups([up, module("django"), distribution("six", [f"{SITE}/six.py"])]) == ()


def test_overlapping_couples_are_one_group() -> None:
    chain = [
        distribution(f"d{number}", [f"share/{number}", f"share/{number + 1}"])
        for number in range(5)
    ]
    pair = [distribution("x", ["bin/x"]), distribution("y", ["bin/x"])]
    assert coupled_groups([*pair, *chain]) == (
        frozenset({"d0", "d1", "d2", "d3", "d4"}),
        frozenset({"x", "y"}),
    )


PATHS = [f"{SITE}/{each}" for each in ("a/__init__.py", "a/b/c.py", "a/b/__init__.py", "d/e.so")]


@given(st.data())
def test_groups_are_disjoint_and_independent_of_order(data: st.DataObject) -> None:
    chosen = st.sets(st.sampled_from(PATHS))
    reaches = st.sampled_from([(), (f"{SITE}/d",)])
    distributions: list[Distribution] = [
        distribution(name, data.draw(chosen), data.draw(reaches)) for name in "abcdef"
    ]

    groups = coupled_groups(distributions)

    members = [name for group in groups for name in group]
    assert len(members) == len(set(members))
    assert all(len(group) > 1 for group in groups)
    assert coupled_groups(data.draw(st.permutations(distributions))) == groups
