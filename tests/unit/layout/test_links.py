"""What the environment holds so that every file of the shares has its place."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import SMALL_BYTES, Distribution, File
from cnb_python.layout.links import Copy, Link, VenvEntry, digest_of_entries, venv_entries
from cnb_python.layout.shards import shards_of
from tests.support.installed import SITE, distribution, file, heavy, module, symlink

# Together above the limit for one share, and each above that for a share of its own.
BIG = heavy("big", 40)
A = heavy("a", 20)
B = heavy("b", 20)


def of(*distributions: Distribution, merged: bool = False) -> dict[str, VenvEntry]:
    found = venv_entries(shards_of(distributions, merged=merged), "3.14")
    return {place.path: place for place in found}


def also(one: Distribution, *files: File | str) -> Distribution:
    return distribution(one.name, [*one.files, *files])


def test_a_package_is_one_link() -> None:
    place = of(A, B)[f"{SITE}/a"]
    assert place == Link(f"{SITE}/a", "deps-a")
    assert place.target == f"../../../../deps-a/tree/{SITE}/a"


def test_a_namespace_package_is_a_real_directory_of_links() -> None:
    found = of(
        also(A, f"{SITE}/google/cloud/a/x.py", f"{SITE}/google/one/a.py"),
        also(B, f"{SITE}/google/cloud/b/y.py"),
    )
    assert {path: place for path, place in found.items() if "google" in path} == {
        f"{SITE}/google/cloud/a": Link(f"{SITE}/google/cloud/a", "deps-a"),
        f"{SITE}/google/cloud/b": Link(f"{SITE}/google/cloud/b", "deps-b"),
        f"{SITE}/google/one": Link(f"{SITE}/google/one", "deps-a"),
    }


def test_what_lies_loose_in_site_packages_is_linked_one_by_one() -> None:
    paths = [
        f"{SITE}/{name}"
        for name in ("six.py", "_x.so", "x.pth", "__pycache__/six.cpython-314.pyc")
    ]
    found = of(also(A, *paths), also(B, f"{SITE}/__pycache__/other.cpython-314.pyc"))
    assert all(found[path] == Link(path, "deps-a") for path in paths)


@pytest.mark.parametrize("directory", ["bin", "etc", "include", "lib", "share", SITE, "src"])
def test_a_directory_of_the_environments_own_is_always_real(directory: str) -> None:
    found = of(distribution("only", [f"{directory}/below/x"]))
    assert list(found) == [f"{directory}/below"]


def test_a_directory_of_share_is_linked_where_one_has_it() -> None:
    found = of(also(A, "share/jupyter/lab/static/x.js", "share/jupyter/a/b"), also(B, "share/b/x"))
    assert found["share/jupyter"] == Link("share/jupyter", "deps-a")
    assert found["share/b"] == Link("share/b", "deps-b")


@pytest.mark.parametrize("top", ["share", "etc"])
def test_what_lies_loose_where_files_are_served_from_is_copied(top: str) -> None:
    loose = file(f"{top}/jupyter/a.json", "{}", size=SMALL_BYTES + 1)
    found = of(also(A, loose), also(B, f"{top}/jupyter/b.json"))
    assert found[loose.path] == Copy(loose.path, "deps-a", loose, "a")
    assert isinstance(found[f"{top}/jupyter/b.json"], Copy)


def test_a_script_is_copied_and_a_large_program_linked() -> None:
    script = file("bin/small", "#!", program=True, size=SMALL_BYTES)
    program = file("bin/large", "ELF", program=True, size=SMALL_BYTES + 1)
    found = of(also(A, script, program, "bin/data/x"), B)
    assert found["bin/small"] == Copy("bin/small", "deps-a", script, "a")
    assert found["bin/large"] == Link("bin/large", "deps-a")
    assert found["bin/data"] == Link("bin/data", "deps-a")


def test_a_symbolic_link_is_led_to_not_copied() -> None:
    found = of(also(A, symlink("bin/tool", "../lib/tool"), symlink("share/x", "y")))
    assert found["bin/tool"] == Link("bin/tool", "deps-00")
    assert found["share/x"] == Link("share/x", "deps-00")


def test_a_file_at_the_top_is_linked() -> None:
    assert of(distribution("odd", ["LICENSE"]))["LICENSE"].shard == "deps-00"
    assert Link("LICENSE", "deps-00").target == "../deps-00/tree/LICENSE"


def test_merged_is_all_copies() -> None:
    found = of(A, BIG, also(B, symlink(f"{SITE}/b/link", "__init__.py")), merged=True)
    assert {path for path in found if isinstance(found[path], Copy)} == {
        f"{SITE}/{path}"
        for path in ("a/__init__.py", "big/__init__.py", "b/__init__.py", "b/link")
    }


def test_the_digest_tells_links_and_copies_apart() -> None:
    script, other = file("bin/x", "1"), file("bin/x", "2")
    all_of_them: list[list[VenvEntry]] = [
        [],
        [Link("bin/x", "deps-00")],
        [Link("bin/x", "deps-01")],
        [Link("bin/y", "deps-00")],
        [Copy("bin/x", "deps-00", script, "a")],
        [Copy("bin/x", "deps-00", other, "a")],
        [Copy("bin/x", "deps-00", script._replace(is_program=True), "a")],
        [Copy("bin/x", "deps-00", script._replace(target="y"), "a")],
    ]
    assert len({digest_of_entries(found) for found in all_of_them}) == len(all_of_them)


def test_where_a_copy_is_copied_from_is_not_in_the_digest() -> None:
    script = file("bin/x", "1")
    first = Copy("bin/x", "deps-00", script, "a")
    assert digest_of_entries([first]) == digest_of_entries([first._replace(shard="s", owner="b")])


def test_odd_names_keep_their_places() -> None:
    names = ["ä ö", "line\nbreak", "\udcff", "..x", "-", "a\\b", "$(x)"]
    found = of(*(distribution(f"d{n}", [f"{SITE}/{name}/x.py"]) for n, name in enumerate(names)))
    assert {path.removeprefix(f"{SITE}/") for path in found} == set(names)
    assert len(digest_of_entries(list(found.values()))) == 64


TREES = st.lists(
    st.lists(st.sampled_from(["bin", "share", "etc", "lib", "ns", "x"]), min_size=1, max_size=4),
    max_size=8,
)


@given(st.data())
def test_every_file_has_one_place_and_every_link_leads_into_one_share(data: st.DataObject) -> None:
    some = [
        also(one, *{f"{'/'.join(parts)}/{one.name}.txt" for parts in data.draw(TREES)})
        for one in (A, B, BIG)
    ]
    shards = shards_of(some)

    found = venv_entries(shards, "3.14")

    assert list(found) == sorted(found)
    for shard in shards:
        for path in shard.files:
            covering = [
                place for place in found if path == place.path or path.startswith(f"{place.path}/")
            ]
            assert [place.shard for place in covering] == [shard.name]
    for place in found:
        assert any(
            path == place.path or path.startswith(f"{place.path}/")
            for shard in shards
            if shard.name == place.shard
            for path in shard.files
        )


def test_fifty_thousand_files_take_no_time() -> None:
    paths = [f"{SITE}/huge/{n % 100}/{n}.py" for n in range(50_000)]
    some = [A, B, distribution("huge", [file(path, path) for path in paths])]
    began = time.process_time()
    found = venv_entries(shards_of(some), "3.14")
    assert time.process_time() - began < 3
    assert len(found) == 3


def test_two_thousand_distributions_take_no_time() -> None:
    some = [module(f"package-{number}", "x.py", "sub/y.py") for number in range(2000)]
    began = time.process_time()
    found = venv_entries(shards_of([BIG, *some]), "3.14")
    assert time.process_time() - began < 3
    assert len(found) == 2001
