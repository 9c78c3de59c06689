"""Which distribution owns which file."""

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


def owned(*listed: tuple[str, str, str], unowned: tuple[str, ...] = ()) -> Ownership:
    """Return the owners of *listed* files (owner, path, content) and of *unowned* paths."""
    files = [ListedFile(*row) for row in listed]
    names = {file.owner for file in files}
    return assign_owners(names, files, {*unowned, *(file.path for file in files)}, SHARED)


def test_listed_file_belongs_to_its_distribution() -> None:
    ownership = owned(("a", f"{SITE}/a.py", "1"), ("b", f"{SITE}/b.py", "2"), ("a", "bin/a", "3"))

    assert ownership == Ownership({"a": ("bin/a", f"{SITE}/a.py"), "b": (f"{SITE}/b.py",)})


def test_file_with_equal_contents_belongs_to_both() -> None:
    path = f"{SITE}/google/__init__.py"

    ownership = owned(("a", path, "same"), ("b", path, "same"))

    assert ownership == Ownership({"a": (path,), "b": (path,)})


def test_different_contents_are_a_conflict() -> None:
    path = f"{SITE}/cv2/__init__.py"

    ownership = owned(
        ("a", path, "1"), ("b", path, "2"), ("c", path, "1"), ("d", f"{SITE}/d.py", "")
    )

    assert ownership.conflicts == (frozenset("abc"),)


def test_unknown_contents_are_a_conflict() -> None:
    path = f"{SITE}/x.py"

    assert owned(("a", path, ""), ("b", path, "")).conflicts == (frozenset("ab"),)


def test_unlisted_file_belongs_to_owner_of_directory() -> None:
    unlisted = f"{SITE}/a/data/deep/x.bin"

    ownership = owned(
        ("a", f"{SITE}/a/x.py", "1"), ("b", f"{SITE}/b.py", "2"), unowned=(unlisted,)
    )

    assert unlisted in ownership.files["a"]
    assert (ownership.unowned, ownership.conflicts) == ((), ())


def test_unlisted_file_in_common_directory_is_a_conflict() -> None:
    listed = [(name, f"{SITE}/google/{name}/x.py", "1") for name in "ab"]
    unlisted = f"{SITE}/google/x.txt"

    ownership = owned(*listed, ("c", f"{SITE}/c.py", ""), unowned=(unlisted,))

    assert ownership.conflicts == (frozenset("ab"),)
    assert ownership.unowned == (unlisted,)


def test_unlisted_file_in_shared_directory_is_a_conflict_of_all() -> None:
    listed = [(name, f"{SITE}/{name}.py", "1") for name in "ab"]

    for unlisted in (f"{SITE}/x.py", "bin/x", "x", "share/x", "opt/x/y"):
        assert owned(*listed, unowned=(unlisted,)).conflicts == (frozenset("ab"),), unlisted


def test_only_distribution_owns_everything() -> None:
    ownership = assign_owners({"a"}, [], ["x", f"{SITE}/y.py"], SHARED)

    assert ownership == Ownership({"a": (f"{SITE}/y.py", "x")})


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
    wheels: dict[str, dict[str, str]], suffixes: tuple[str, ...]
) -> None:
    expected = {name: set(files) for name, files in wheels.items()}
    for name, files in wheels.items():
        # A file that its RECORD does not list may lie beside each of its files.
        directories = {path.rpartition("/")[0] for path in files}
        expected[name] |= {
            f"{directory}/{name}.{suffix}" for directory in directories for suffix in suffixes
        }
    listed = [ListedFile(name, *item) for name, files in wheels.items() for item in files.items()]

    ownership = assign_owners(wheels, listed, set().union(*expected.values()), SHARED)

    for name in wheels.keys() - frozenset().union(*ownership.conflicts):
        assert set(ownership.files[name]) == expected[name]
