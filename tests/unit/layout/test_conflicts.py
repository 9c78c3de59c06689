"""Which distribution owns a path that several contain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import Distribution
from cnb_python.errors.packages.install import PathConflict
from cnb_python.layout.conflicts import Conflict, owners_of, source_of
from tests.support.installed import SITE, distribution, file

PYC = f"{SITE}/cv2/__pycache__/__init__.cpython-314.pyc"
INIT = f"{SITE}/cv2/__init__.py"


def winners(*distributions: Distribution) -> dict[str, str]:
    return {path: owned.owner for path, owned in owners_of(distributions).files.items()}


def test_file_of_one_distribution_belongs_to_it() -> None:
    assert winners(distribution("six", [f"{SITE}/six.py"])) == {f"{SITE}/six.py": "six"}


def test_last_distribution_by_name_wins_and_conflict_is_listed() -> None:
    distributions = [distribution(name, [INIT]) for name in ("opencv-b", "opencv-c", "opencv-a")]

    owners = owners_of(distributions)

    assert owners.files[INIT].owner == "opencv-c"
    assert owners.files[INIT].file == distributions[1].files[0]
    assert owners.conflicts == (Conflict(INIT, "opencv-c", ("opencv-a", "opencv-b")),)


def test_equal_contents_are_no_conflict() -> None:
    init = file(f"{SITE}/ns/__init__.py", "the same")
    owners = owners_of([distribution("b", [init]), distribution("a", [init])])
    assert owners.files[init.path].owner == "b"
    assert owners.conflicts == ()


def test_different_modes_are_a_conflict() -> None:
    tool = file("bin/tool", "the same", program=True)
    owners = owners_of(
        [distribution("a", [tool]), distribution("b", [tool._replace(is_program=False)])]
    )
    assert owners.conflicts == (Conflict("bin/tool", "b", ("a",)),)


def test_bytecode_of_losing_module_is_dropped() -> None:
    # b's module does not compile, a's does: the interpreter would run a's in its place.
    owners = winners(distribution("a", [INIT, PYC]), distribution("b", [INIT]))
    assert owners == {INIT: "b"}


def test_bytecode_has_owner_of_its_module() -> None:
    owners = owners_of([distribution("a", [INIT, PYC]), distribution("b", [INIT, PYC])])
    assert owners.files[PYC].owner == "b"
    assert [conflict.path for conflict in owners.conflicts] == [INIT]


def test_bytecode_of_third_distribution_yields_to_owner_of_module() -> None:
    source, pyc = f"{SITE}/x.py", f"{SITE}/__pycache__/x.cpython-314.pyc"
    owners = winners(
        distribution("a", [source, pyc]),
        distribution("b", [source, pyc]),
        distribution("c", [pyc]),
    )
    assert owners == {source: "b", pyc: "b"}


def test_bytecode_without_module_is_kept() -> None:
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
def test_source_of_bytecode_follows_from_its_name(path: str, source: str) -> None:
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
        # The lifecycle would read these as variables and programs of the layer.
        "env/PATH.prepend",
        "env.launch/web/X",
        "exec.d/program",
        "profile.d/x.sh",
    ],
)
def test_reserved_path_has_no_owner(path: str) -> None:
    owners = owners_of([distribution("odd", [path, f"{SITE}/odd.py"])])
    assert list(owners.files) == [f"{SITE}/odd.py"]
    assert owners.conflicts == (Conflict(path, "", ("odd",)),)


@pytest.mark.parametrize(
    "path", ["bin/python-argcomplete", "bin/pythonic", "environment/x", "lib/env/x", "env.d/x"]
)
def test_path_similar_to_reserved_path_is_kept(path: str) -> None:
    assert winners(distribution("fine", [path])) == {path: "fine"}


def test_file_where_another_has_directory_raises_path_conflict() -> None:
    distributions = [
        distribution("cv", [f"{SITE}/x"]),
        distribution("cv-headless", [f"{SITE}/x/deep/y.py"]),
    ]
    with pytest.raises(PathConflict) as caught:
        owners_of(distributions)
    assert (caught.value.path, caught.value.file_of, caught.value.directory_of) == (
        f"{SITE}/x",
        "cv",
        "cv-headless",
    )


@given(st.permutations(["a", "b", "c", "d"]), st.data())
def test_order_of_distributions_does_not_matter(names: list[str], data: st.DataObject) -> None:
    paths = st.sets(st.sampled_from([INIT, PYC, "bin/x", f"{SITE}/y.py", f"{SITE}/é \n.py"]))
    distributions = [distribution(name, data.draw(paths)) for name in sorted(names)]
    assert owners_of(distributions) == owners_of(
        sorted(distributions, key=lambda each: names.index(each.name))
    )
