"""Whose file is whose."""

from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.ownership import (
    ListedFile,
    Ownership,
    assign_owners,
    merge_overlapping,
    shared_directories,
)

SITE = "lib/python3.14/site-packages"
SHARED = shared_directories("3.14")


def owned(*claims: tuple[str, str, str], unowned: tuple[str, ...] = ()) -> Ownership:
    """Settle *claims* (owner, path, content) and files that nobody claims."""
    made = [ListedFile(*claim) for claim in claims]
    names = {claim.owner for claim in made}
    return assign_owners(names, made, {*unowned, *(claim.path for claim in made)}, SHARED)


def test_listed_file_belongs_to_its_distribution() -> None:
    found = owned(("a", f"{SITE}/a.py", "1"), ("b", f"{SITE}/b.py", "2"), ("a", "bin/a", "3"))

    assert found == Ownership({"a": ("bin/a", f"{SITE}/a.py"), "b": (f"{SITE}/b.py",)})


def test_file_with_equal_contents_belongs_to_both() -> None:
    path = f"{SITE}/google/__init__.py"

    found = owned(("a", path, "same"), ("b", path, "same"))

    assert found == Ownership({"a": (path,), "b": (path,)})


def test_different_contents_are_a_conflict() -> None:
    path = f"{SITE}/cv2/__init__.py"

    found = owned(("a", path, "1"), ("b", path, "2"), ("c", path, "1"), ("d", f"{SITE}/d.py", ""))

    assert found.conflicts == (frozenset("abc"),)


def test_unknown_contents_are_a_conflict() -> None:
    path = f"{SITE}/x.py"

    assert owned(("a", path, ""), ("b", path, "")).conflicts == (frozenset("ab"),)


def test_unlisted_file_belongs_to_owner_of_directory() -> None:
    stray = f"{SITE}/a/data/deep/x.bin"

    found = owned(("a", f"{SITE}/a/x.py", "1"), ("b", f"{SITE}/b.py", "2"), unowned=(stray,))

    assert stray in found.files["a"]
    assert (found.unowned, found.conflicts) == ((), ())


def test_unlisted_file_in_common_directory_is_a_conflict() -> None:
    claims = [(name, f"{SITE}/google/{name}/x.py", "1") for name in "ab"]
    stray = f"{SITE}/google/x.txt"

    found = owned(*claims, ("c", f"{SITE}/c.py", ""), unowned=(stray,))

    assert found.conflicts == (frozenset("ab"),)
    assert found.unowned == (stray,)


def test_unlisted_file_in_shared_directory_is_a_conflict_of_all() -> None:
    claims = [(name, f"{SITE}/{name}.py", "1") for name in "ab"]

    for stray in (f"{SITE}/x.py", "bin/x", "x", "share/x", "opt/x/y"):
        assert owned(*claims, unowned=(stray,)).conflicts == (frozenset("ab"),), stray


def test_only_distribution_owns_everything() -> None:
    found = assign_owners({"a"}, [], ["x", f"{SITE}/y.py"], SHARED)

    assert found == Ownership({"a": (f"{SITE}/y.py", "x")})


def test_no_distributions_own_nothing() -> None:
    assert assign_owners((), [], ["x"], SHARED) == Ownership({}, (), ("x",))


def test_overlapping_groups_are_merged() -> None:
    groups = [frozenset(each) for each in ("ab", "cd", "bc", "xy", "")]

    assert merge_overlapping(groups) == (frozenset("abcd"), frozenset("xy"))


PATHS = st.sampled_from([f"{SITE}/{each}" for each in ("a/1", "a/2", "n/1", "n/b/1", "x")])
WHEELS = st.dictionaries(
    st.sampled_from("abc"), st.dictionaries(PATHS, st.sampled_from("12"), min_size=1), min_size=2
)


@given(WHEELS, st.sampled_from([(), ("txt",)]))
def test_files_without_conflict_are_those_of_wheel_alone(
    wheels: dict[str, dict[str, str]], kinds_of_strays: tuple[str, ...]
) -> None:
    brought = {name: set(files) for name, files in wheels.items()}
    for name, files in wheels.items():
        # Beside each of its files may lie one that its RECORD does not name.
        directories = {path.rpartition("/")[0] for path in files}
        brought[name] |= {
            f"{one}/{name}.{kind}" for one in directories for kind in kinds_of_strays
        }
    claims = [ListedFile(name, *item) for name, files in wheels.items() for item in files.items()]

    found = assign_owners(wheels, claims, set().union(*brought.values()), SHARED)

    for name in wheels.keys() - frozenset().union(*found.conflicts):
        assert set(found.files[name]) == brought[name]
