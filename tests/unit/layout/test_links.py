"""Links and copies in layer `venv` that make the files of the shards appear."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import SMALL_BYTES, Distribution, File
from cnb_python.layout.links import Copy, Link, VenvEntry, digest_of_entries, venv_entries
from cnb_python.layout.shards import shards_of
from tests.support.installed import SITE, distribution, file, heavy, module, symlink

# Together above the limit for one shard, and each large enough for its own layer.
BIG = heavy("big", 40)
A = heavy("a", 20)
B = heavy("b", 20)


def entries_of(*distributions: Distribution, merged: bool = False) -> dict[str, VenvEntry]:
    entries = venv_entries(shards_of(distributions, merged=merged), "3.14")
    return {entry.path: entry for entry in entries}


def with_files(each: Distribution, *files: File | str) -> Distribution:
    return distribution(each.name, [*each.files, *files])


def test_package_is_one_link() -> None:
    entry = entries_of(A, B)[f"{SITE}/a"]
    assert entry == Link(f"{SITE}/a", "deps-a")
    assert entry.target == f"../../../../deps-a/tree/{SITE}/a"


def test_namespace_package_is_real_directory_of_links() -> None:
    entries = entries_of(
        with_files(A, f"{SITE}/google/cloud/a/x.py", f"{SITE}/google/one/a.py"),
        with_files(B, f"{SITE}/google/cloud/b/y.py"),
    )
    assert {path: entry for path, entry in entries.items() if "google" in path} == {
        f"{SITE}/google/cloud/a": Link(f"{SITE}/google/cloud/a", "deps-a"),
        f"{SITE}/google/cloud/b": Link(f"{SITE}/google/cloud/b", "deps-b"),
        f"{SITE}/google/one": Link(f"{SITE}/google/one", "deps-a"),
    }


def test_single_files_in_site_packages_are_linked_one_by_one() -> None:
    paths = [
        f"{SITE}/{name}"
        for name in ("six.py", "_x.so", "x.pth", "__pycache__/six.cpython-314.pyc")
    ]
    entries = entries_of(
        with_files(A, *paths), with_files(B, f"{SITE}/__pycache__/other.cpython-314.pyc")
    )
    assert all(entries[path] == Link(path, "deps-a") for path in paths)


@pytest.mark.parametrize("directory", ["bin", "etc", "include", "lib", "share", SITE, "src"])
def test_standard_directory_of_environment_is_always_real(directory: str) -> None:
    entries = entries_of(distribution("only", [f"{directory}/below/x"]))
    assert list(entries) == [f"{directory}/below"]


def test_directory_below_share_of_one_shard_is_linked() -> None:
    entries = entries_of(
        with_files(A, "share/jupyter/lab/static/x.js", "share/jupyter/a/b"),
        with_files(B, "share/b/x"),
    )
    assert entries["share/jupyter"] == Link("share/jupyter", "deps-a")
    assert entries["share/b"] == Link("share/b", "deps-b")


@pytest.mark.parametrize("top", ["share", "etc"])
def test_single_files_below_share_and_etc_are_copied(top: str) -> None:
    loose = file(f"{top}/jupyter/a.json", "{}", size=SMALL_BYTES + 1)
    entries = entries_of(with_files(A, loose), with_files(B, f"{top}/jupyter/b.json"))
    assert entries[loose.path] == Copy(loose.path, "deps-a", loose, "a")
    assert isinstance(entries[f"{top}/jupyter/b.json"], Copy)


def test_script_is_copied_and_large_program_is_linked() -> None:
    script = file("bin/small", "#!", program=True, size=SMALL_BYTES)
    program = file("bin/large", "ELF", program=True, size=SMALL_BYTES + 1)
    entries = entries_of(with_files(A, script, program, "bin/data/x"), B)
    assert entries["bin/small"] == Copy("bin/small", "deps-a", script, "a")
    assert entries["bin/large"] == Link("bin/large", "deps-a")
    assert entries["bin/data"] == Link("bin/data", "deps-a")


def test_symbolic_link_is_linked_not_copied() -> None:
    entries = entries_of(
        with_files(A, symlink("bin/tool", "../lib/tool"), symlink("share/x", "y"))
    )
    assert entries["bin/tool"] == Link("bin/tool", "deps-00")
    assert entries["share/x"] == Link("share/x", "deps-00")


def test_file_at_top_of_environment_is_linked() -> None:
    assert entries_of(distribution("odd", ["LICENSE"]))["LICENSE"].shard == "deps-00"
    assert Link("LICENSE", "deps-00").target == "../deps-00/tree/LICENSE"


def test_merged_layout_has_copies_only() -> None:
    entries = entries_of(
        A, BIG, with_files(B, symlink(f"{SITE}/b/link", "__init__.py")), merged=True
    )
    assert {path for path in entries if isinstance(entries[path], Copy)} == {
        f"{SITE}/{path}"
        for path in ("a/__init__.py", "big/__init__.py", "b/__init__.py", "b/link")
    }


def test_digest_depends_on_links_and_copies() -> None:
    script, other = file("bin/x", "1"), file("bin/x", "2")
    variants: list[list[VenvEntry]] = [
        [],
        [Link("bin/x", "deps-00")],
        [Link("bin/x", "deps-01")],
        [Link("bin/y", "deps-00")],
        [Copy("bin/x", "deps-00", script, "a")],
        [Copy("bin/x", "deps-00", other, "a")],
        [Copy("bin/x", "deps-00", script._replace(is_program=True), "a")],
        [Copy("bin/x", "deps-00", script._replace(target="y"), "a")],
    ]
    assert len({digest_of_entries(entries) for entries in variants}) == len(variants)


def test_digest_does_not_depend_on_source_of_copy() -> None:
    script = file("bin/x", "1")
    first = Copy("bin/x", "deps-00", script, "a")
    assert digest_of_entries([first]) == digest_of_entries([first._replace(shard="s", owner="b")])


def test_unusual_names_keep_their_paths() -> None:
    names = ["ä ö", "line\nbreak", "\udcff", "..x", "-", "a\\b", "$(x)"]
    entries = entries_of(
        *(distribution(f"d{n}", [f"{SITE}/{name}/x.py"]) for n, name in enumerate(names))
    )
    assert {path.removeprefix(f"{SITE}/") for path in entries} == set(names)
    assert len(digest_of_entries(list(entries.values()))) == 64


TREES = st.lists(
    st.lists(st.sampled_from(["bin", "share", "etc", "lib", "ns", "x"]), min_size=1, max_size=4),
    max_size=8,
)


@given(st.data())
def test_every_file_is_covered_by_one_entry_of_its_shard(data: st.DataObject) -> None:
    distributions = [
        with_files(each, *{f"{'/'.join(parts)}/{each.name}.txt" for parts in data.draw(TREES)})
        for each in (A, B, BIG)
    ]
    shards = shards_of(distributions)

    entries = venv_entries(shards, "3.14")

    assert list(entries) == sorted(entries)
    for shard in shards:
        for path in shard.files:
            covering = [
                entry
                for entry in entries
                if path == entry.path or path.startswith(f"{entry.path}/")
            ]
            assert [entry.shard for entry in covering] == [shard.name]
    for entry in entries:
        assert any(
            path == entry.path or path.startswith(f"{entry.path}/")
            for shard in shards
            if shard.name == entry.shard
            for path in shard.files
        )


def test_fifty_thousand_files_are_linked_in_time() -> None:
    paths = [f"{SITE}/huge/{n % 100}/{n}.py" for n in range(50_000)]
    distributions = [A, B, distribution("huge", [file(path, path) for path in paths])]
    began = time.process_time()
    entries = venv_entries(shards_of(distributions), "3.14")
    assert time.process_time() - began < 3
    assert len(entries) == 3


def test_two_thousand_distributions_are_linked_in_time() -> None:
    distributions = [module(f"package-{number}", "x.py", "sub/y.py") for number in range(2000)]
    began = time.process_time()
    entries = venv_entries(shards_of([BIG, *distributions]), "3.14")
    assert time.process_time() - began < 3
    assert len(entries) == 2001
