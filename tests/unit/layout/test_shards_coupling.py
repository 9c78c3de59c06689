"""Which distributions have to lie in one share."""

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


def test_strangers_are_not_coupled() -> None:
    assert coupled_groups([module("django"), module("six")]) == ()


def test_the_same_path_couples_whatever_it_holds() -> None:
    same = file(f"{SITE}/backports/__init__.py", "pkgutil")
    found = coupled_groups([distribution("b", [same]), module("c"), distribution("a", [same])])
    assert found == (frozenset({"a", "b"}),)


def test_a_file_in_anothers_regular_package_couples() -> None:
    plugin = distribution("plugin", [f"{SITE}/tool/plugins/deep/plugin.py"])
    assert coupled_groups([plugin, module("tool")]) == (frozenset({"plugin", "tool"}),)


def test_a_package_whose_init_is_compiled_couples_too() -> None:
    init = f"{SITE}/fast/__init__.cpython-314-x86_64-linux-gnu.so"
    addon = distribution("addon", [f"{SITE}/fast/addon.py"])
    assert coupled_groups([distribution("fast", [init]), addon]) == (frozenset({"addon", "fast"}),)


def test_a_namespace_package_does_not_couple() -> None:
    one = distribution("google-a", [f"{SITE}/google/a/__init__.py"])
    two = distribution("google-b", [f"{SITE}/google/b/__init__.py"])
    assert coupled_groups([one, two]) == ()


def test_a_regular_package_inside_a_namespace_couples_only_who_writes_into_it() -> None:
    one = distribution("google-a", [f"{SITE}/google/a/__init__.py"])
    two = distribution("google-b", [f"{SITE}/google/b/__init__.py"])
    into = distribution("google-a-extra", [f"{SITE}/google/a/extra.py"])
    assert coupled_groups([one, two, into]) == (frozenset({"google-a", "google-a-extra"}),)


def test_a_stray_init_in_site_packages_does_not_couple_everything() -> None:
    stray = distribution("stray", [f"{SITE}/__init__.py", f"{SITE}/stray/__init__.py"])
    bytecode = distribution("odd", [f"{SITE}/__pycache__/__init__.cpython-314.pyc"])
    other = distribution("other", [f"{SITE}/__pycache__/other.cpython-314.pyc"])
    assert coupled_groups([stray, bytecode, other, module("django")]) == ()


def test_modules_outside_site_packages_are_only_data() -> None:
    one = distribution("one", ["share/templates/__init__.py"])
    two = distribution("two", ["share/templates/x.py"])
    assert coupled_groups([one, two]) == ()


def test_a_library_that_is_looked_for_elsewhere_couples() -> None:
    assert coupled_groups([CUBLAS, TORCH, module("six")]) == (
        frozenset({"nvidia-cublas", "torch"}),
    )


def test_a_directory_that_is_reached_without_libraries_in_it_does_not_couple() -> None:
    up = distribution("up", [f"{SITE}/_up.so"], reaches=(SITE, f"{SITE}/django"))
    assert coupled_groups([up, module("django"), distribution("six", [f"{SITE}/six.py"])]) == ()


def test_couples_of_couples_are_one() -> None:
    chain = [
        distribution(f"d{number}", [f"share/{number}", f"share/{number + 1}"])
        for number in range(5)
    ]
    far = [distribution("x", ["bin/x"]), distribution("y", ["bin/x"])]
    assert coupled_groups([*far, *chain]) == (
        frozenset({"d0", "d1", "d2", "d3", "d4"}),
        frozenset({"x", "y"}),
    )


PATHS = [f"{SITE}/{each}" for each in ("a/__init__.py", "a/b/c.py", "a/b/__init__.py", "d/e.so")]


@given(st.data())
def test_nobody_is_in_two_sets_and_order_does_not_matter(data: st.DataObject) -> None:
    chosen = st.sets(st.sampled_from(PATHS))
    reaches = st.sampled_from([(), (f"{SITE}/d",)])
    some: list[Distribution] = [
        distribution(name, data.draw(chosen), data.draw(reaches)) for name in "abcdef"
    ]

    found = coupled_groups(some)

    members = [name for group in found for name in group]
    assert len(members) == len(set(members))
    assert all(len(group) > 1 for group in found)
    assert coupled_groups(data.draw(st.permutations(some))) == found
