"""Who has a file that several distributions bring."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import Distribution
from cnb_python.errors.install import PathClash
from cnb_python.layout.conflicts import Conflict, owners_of, source_of
from tests.support.installed import SITE, distribution, file

PYC = f"{SITE}/cv2/__pycache__/__init__.cpython-314.pyc"
INIT = f"{SITE}/cv2/__init__.py"


def winners(*distributions: Distribution) -> dict[str, str]:
    return {path: owned.owner for path, owned in owners_of(distributions).files.items()}


def test_a_file_of_one_distribution_is_its_own() -> None:
    assert winners(distribution("six", [f"{SITE}/six.py"])) == {f"{SITE}/six.py": "six"}


def test_the_last_by_name_wins_and_the_log_can_say_so() -> None:
    some = [distribution(name, [INIT]) for name in ("opencv-b", "opencv-c", "opencv-a")]

    owners = owners_of(some)

    assert owners.files[INIT].owner == "opencv-c"
    assert owners.files[INIT].file == some[1].files[0]
    assert owners.conflicts == (Conflict(INIT, "opencv-c", ("opencv-a", "opencv-b")),)


def test_equal_contents_are_no_contest() -> None:
    init = file(f"{SITE}/ns/__init__.py", "the same")
    owners = owners_of([distribution("b", [init]), distribution("a", [init])])
    assert owners.files[init.path].owner == "b"
    assert owners.conflicts == ()


def test_another_mode_is_a_contest() -> None:
    tool = file("bin/tool", "the same", program=True)
    owners = owners_of(
        [distribution("a", [tool]), distribution("b", [tool._replace(is_program=False)])]
    )
    assert owners.conflicts == (Conflict("bin/tool", "b", ("a",)),)


def test_bytecode_of_a_module_that_lost_is_dropped() -> None:
    # b's module does not compile, a's does: the interpreter would run a's in its place.
    found = winners(distribution("a", [INIT, PYC]), distribution("b", [INIT]))
    assert found == {INIT: "b"}


def test_bytecode_comes_from_where_its_module_does() -> None:
    found = owners_of([distribution("a", [INIT, PYC]), distribution("b", [INIT, PYC])])
    assert found.files[PYC].owner == "b"
    assert [contest.path for contest in found.conflicts] == [INIT]


def test_bytecode_follows_a_module_that_only_a_loser_of_the_bytecode_brings() -> None:
    source, pyc = f"{SITE}/x.py", f"{SITE}/__pycache__/x.cpython-314.pyc"
    found = winners(
        distribution("a", [source, pyc]),
        distribution("b", [source, pyc]),
        distribution("c", [pyc]),
    )
    assert found == {source: "b", pyc: "b"}


def test_bytecode_without_a_module_is_a_file_like_any_other() -> None:
    assert winners(distribution("a", [PYC])) == {PYC: "a"}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("p/__pycache__/m.cpython-314.pyc", "p/m.py"),
        ("p/__pycache__/m.cpython-314.opt-1.pyc", "p/m.py"),
        ("p/__pycache__/not.a.name.cpython-314.pyc", "p/not.a.name.py"),
        ("p/m.pyc", ""),
        ("p/__pycache__/m.pyc", ""),
        ("p/m.py", ""),
    ],
)
def test_the_source_of_bytecode_is_known_by_its_name(path: str, source: str) -> None:
    assert source_of(path) == source


@pytest.mark.parametrize(
    "path",
    [
        "pyvenv.cfg",
        "lib64",
        "lib64/python3.14/site-packages/x.py",
        "bin/python",
        "bin/python3",
        "bin/python3.14",
        "bin/python3.14t",
        # The lifecycle would take these for variables and programs of ours.
        "env/PATH.prepend",
        "env.launch/web/X",
        "exec.d/program",
        "profile.d/x.sh",
    ],
)
def test_a_place_of_the_environment_itself_is_nobodys(path: str) -> None:
    owners = owners_of([distribution("odd", [path, f"{SITE}/odd.py"])])
    assert list(owners.files) == [f"{SITE}/odd.py"]
    assert owners.conflicts == (Conflict(path, "", ("odd",)),)


@pytest.mark.parametrize(
    "path", ["bin/python-argcomplete", "bin/pythonic", "environment/x", "lib/env/x", "env.d/x"]
)
def test_a_name_that_only_looks_like_such_a_place_is_kept(path: str) -> None:
    assert winners(distribution("fine", [path])) == {path: "fine"}


def test_a_file_in_the_place_of_a_directory_names_both_packages() -> None:
    some = [distribution("one", [f"{SITE}/x"]), distribution("two", [f"{SITE}/x/deep/y.py"])]
    with pytest.raises(PathClash) as caught:
        owners_of(some)
    assert (caught.value.path, caught.value.file_of, caught.value.directory_of) == (
        f"{SITE}/x",
        "one",
        "two",
    )


@given(st.permutations(["a", "b", "c", "d"]), st.data())
def test_the_order_of_distributions_does_not_matter(names: list[str], data: st.DataObject) -> None:
    paths = st.sets(st.sampled_from([INIT, PYC, "bin/x", f"{SITE}/y.py", f"{SITE}/é \n.py"]))
    some = [distribution(name, data.draw(paths)) for name in sorted(names)]
    assert owners_of(some) == owners_of(sorted(some, key=lambda one: names.index(one.name)))
