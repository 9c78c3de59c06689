"""Shards and links on disk: every file at its path, and nothing else."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.cnb import disk
from cnb_python.cnb.disk import State
from cnb_python.distributions.model import Distribution
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.packages.install import PathConflict
from cnb_python.install.snapshot import Snapshot
from cnb_python.install.virtual_environment import make_environment
from cnb_python.layout.conflicts import owners_of
from cnb_python.layout.links import Copy, venv_entries
from cnb_python.layout.materialize import (
    materialize_links,
    materialize_merged,
    materialize_shard,
)
from cnb_python.layout.shards import Shard, shards_of
from tests.support.installed import SITE, distribution, file, heavy, install, module, symlink

BIG = heavy("big", 40)
SMALL = module("small", "x.py", "deep/y.py")


def roots_of(distributions: Sequence[Distribution], directory: Path) -> Callable[[str], Path]:
    for each in distributions:
        install(each, directory / each.name)
    return lambda name: directory / name


def shard_of(*distributions: Distribution) -> Shard:
    (shard,) = shards_of(distributions)
    return shard


def materialize(shard: Shard, into: Path, root_of: Callable[[str], Path]) -> Path:
    materialize_shard(shard, into, root_of)
    return into / "tree"


def environment(distributions: Sequence[Distribution], directory: Path) -> Path:
    """Materialize the whole environment of *distributions*; return its `venv`."""
    root_of = roots_of(distributions, directory / "roots")
    venv = directory / "venv"
    make_environment(venv, Path("/python/bin/python3.14"), "3.14")
    shards = shards_of(distributions)
    materialize_links(venv_entries(shards, "3.14"), venv, root_of)
    for shard in shards:
        materialize(shard, directory / shard.name, root_of)
    return venv


def files_of(venv: Path) -> Iterator[str]:
    """Yield the path of every file, following links, except those of the environment itself."""
    for directory, names, files in os.walk(venv, followlinks=True):
        names[:] = [name for name in names if name != "lib64"]
        for name in files:
            path = str((Path(directory) / name).relative_to(venv))
            if path != "pyvenv.cfg" and not path.startswith("bin/python"):
                yield path


def test_shard_has_files_below_tree(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    tree = materialize(shard_of(SMALL), tmp_path / "shard", root_of)
    assert (tree / SITE / "small/deep/y.py").read_text() == f"small:{SITE}/small/deep/y.py"
    assert [path.name for path in (tmp_path / "shard").iterdir()] == ["tree"]


def test_directories_get_mode_755(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    (root_of("small") / SITE / "small/deep").chmod(0o700)
    before = os.umask(0o077)
    try:
        tree = materialize(shard_of(SMALL), tmp_path / "shard", root_of)
    finally:
        os.umask(before)
    directories = [tree.parent, tree, *(path for path in tree.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in directories} == {0o755}


def _remove(path: Path) -> None:
    path.unlink()


def _lengthen(path: Path) -> None:
    path.write_text(path.read_text() + "!")


def _make_program(path: Path) -> None:
    path.chmod(0o755)


def _make_link(path: Path) -> None:
    path.rename(path.with_name("z.py"))
    path.symlink_to("z.py")


def _make_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage", [_remove, _lengthen, _make_program, _make_link, _make_directory, _make_pipe]
)
def test_file_unlike_its_description_is_refused(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    root_of = roots_of([SMALL], tmp_path)
    damage(root_of("small") / SITE / "small/x.py")
    with pytest.raises(ContractBroken, match="x"):
        materialize(shard_of(SMALL), tmp_path / "shard", root_of)


def test_unexpected_file_in_shard_is_refused(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    stray = tmp_path / "shard/tree/lib/stray.py"
    stray.parent.mkdir(parents=True)
    stray.touch()
    with pytest.raises(ContractBroken, match=r"lib/stray\.py"):
        materialize(shard_of(SMALL), tmp_path / "shard", root_of)


def test_placed_files_are_not_moved(tmp_path: Path) -> None:
    install(SMALL, tmp_path / "shard/tree")
    states = states_of(SMALL, tmp_path / "shard/tree")

    returned = materialize_shard(shard_of(SMALL), tmp_path / "shard", Path, states)

    assert returned == snapshot_of(tmp_path / "shard")


def test_states_of_moved_files_are_those_that_a_listing_would_find(tmp_path: Path) -> None:
    linked = distribution("linked", [file(f"{SITE}/a/b.py", "x"), symlink(f"{SITE}/a/c", "b.py")])
    root_of = roots_of([linked], tmp_path)
    (root_of("linked") / SITE / "a").chmod(0o700)

    returned = materialize_shard(shard_of(linked), tmp_path / "shard", root_of)

    assert returned == snapshot_of(tmp_path / "shard")


def test_states_of_files_with_other_hard_links_are_not_known(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    (tmp_path / "cache.py").hardlink_to(root_of("small") / SITE / "small/deep/y.py")

    assert materialize_shard(shard_of(SMALL), tmp_path / "shard", root_of) is None


def snapshot_of(directory: Path) -> Mapping[str, State]:
    snapshot = Snapshot()
    snapshot.add(directory)
    return snapshot.states[directory]


def test_placed_and_moved_files_are_one_shard(tmp_path: Path) -> None:
    other = module("other", "z.py")
    install(SMALL, tmp_path / "shard/tree")
    states = states_of(SMALL, tmp_path / "shard/tree")
    root_of = roots_of([other], tmp_path)

    shard = shard_of(SMALL, other)
    returned = materialize_shard(shard, tmp_path / "shard", root_of, states)

    assert returned == snapshot_of(tmp_path / "shard")
    assert (tmp_path / "shard/tree" / SITE / "other/z.py").is_file()
    assert (tmp_path / "shard/tree" / SITE / "small/x.py").is_file()


def test_unexpected_file_beside_placed_files_is_refused(tmp_path: Path) -> None:
    other = module("other", "z.py")
    install(SMALL, tmp_path / "shard/tree")
    states = states_of(SMALL, tmp_path / "shard/tree")
    (tmp_path / "shard/tree/stray.py").touch()

    with pytest.raises(ContractBroken, match=r"stray\.py"):
        materialize_shard(
            shard_of(SMALL, other), tmp_path / "shard", roots_of([other], tmp_path), states
        )


def states_of(each: Distribution, tree: Path) -> dict[str, State]:
    return {item.path: disk.state_of((tree / item.path).lstat()) for item in each.files}


def test_conflicting_path_has_file_of_owner(tmp_path: Path) -> None:
    paths = [f"{SITE}/cv2/__init__.py", f"{SITE}/cv2/__pycache__/__init__.cpython-314.pyc"]
    distributions = [distribution("b", paths), distribution("a", [*paths, f"{SITE}/cv2/a.py"])]
    tree = materialize(
        shard_of(*distributions), tmp_path / "shard", roots_of(distributions, tmp_path)
    )
    assert (tree / paths[0]).read_text() == f"b:{paths[0]}"
    assert (tree / paths[1]).read_text() == f"b:{paths[1]}"
    assert (tree / SITE / "cv2/a.py").read_text() == f"a:{SITE}/cv2/a.py"


def test_scripts_are_copied_with_their_modes(tmp_path: Path) -> None:
    script, text = file("bin/tool", "#!/bin/sh\n", program=True), file("bin/tool.rc", "rc")
    each = distribution("one", [script, text])
    install(each, tmp_path / "root", {"bin/tool": "#!/bin/sh\n", "bin/tool.rc": "rc"})
    before = os.umask(0o077)
    try:
        (tmp_path / "venv").mkdir()
        entries = venv_entries(shards_of([each]), "3.14")
        materialize_links(entries, tmp_path / "venv", lambda _: tmp_path / "root")
    finally:
        os.umask(before)
    statuses = {path.name: path.lstat() for path in (tmp_path / "venv/bin").iterdir()}
    assert {name: state.st_mode for name, state in statuses.items()} == {
        "tool": stat.S_IFREG | 0o755,
        "tool.rc": stat.S_IFREG | 0o644,
    }
    assert (tmp_path / "venv/bin/tool").read_text() == "#!/bin/sh\n"


def test_links_do_not_need_shards(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    entries = venv_entries(shards_of([SMALL]), "3.14")
    materialize_links(entries, tmp_path / "venv", lambda name: tmp_path / name)
    link = tmp_path / "venv" / SITE / "small"
    assert link.is_symlink()
    assert not link.exists()


def test_reserved_paths_keep_files_of_environment(tmp_path: Path) -> None:
    reserved = ["pyvenv.cfg", "bin/python", "bin/python3.14", "lib64", "env/PATH"]
    distributions = [distribution("bad", [*reserved, "bin/bad"]), BIG]
    venv = environment(distributions, tmp_path)
    assert (venv / "bin/python").readlink() == Path("/python/bin/python3.14")
    assert (venv / "lib64").readlink() == Path("lib")
    assert "home = /python/bin" in (venv / "pyvenv.cfg").read_text()
    assert (venv / "bin/bad").is_file()
    assert not (venv / "env").exists()


def test_merged_environment_is_one_tree_of_real_files(tmp_path: Path) -> None:
    distributions = [
        BIG,
        SMALL,
        distribution("z", ["bin/z", "share/z/x", symlink(f"{SITE}/z.py", "small/x.py")]),
    ]
    root_of = roots_of(distributions, tmp_path)
    venv = tmp_path / "venv"
    make_environment(venv, Path("/python/bin/python3.14"), "3.14")
    (shard,) = shards_of(distributions, merged=True)

    materialize_merged(shard, venv, root_of)

    assert sorted(files_of(venv)) == sorted(shard.files)
    links = [path for path in venv.rglob("*") if path.is_symlink()]
    assert sorted(path.name for path in links) == [
        "lib64",
        "python",
        "python3",
        "python3.14",
        "z.py",
    ]
    assert (venv / SITE / "z.py").read_text() == f"small:{SITE}/small/x.py"


def test_merged_environment_with_unexpected_file_is_refused(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    venv = tmp_path / "venv"
    make_environment(venv, Path("/python/bin/python3.14"), "3.14")
    (venv / SITE / "stray.py").touch()
    (shard,) = shards_of([SMALL], merged=True)
    with pytest.raises(ContractBroken, match="stray"):
        materialize_merged(shard, venv, root_of)


NAMES = ["__init__.py", "a.py", "x", "ns", "__pycache__", "é\n", "__pycache__/a.cpython-314.pyc"]
DIRECTORIES = st.sampled_from(
    [SITE, f"{SITE}/ns", f"{SITE}/p", "bin", "share/x", "etc", "include", ""]
)
PATHS = st.tuples(DIRECTORIES, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))


def _distributions(data: st.DataObject) -> list[Distribution]:
    distributions = []
    for name in ("alpha", "beta", "gamma", "delta"):
        entries = data.draw(st.lists(PATHS, max_size=6))
        paths = {"/".join([entry, *parts]).lstrip("/") for entry, parts in entries}
        tops = {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
        distributions.append(distribution(name, [file(path, f"{name}:{path}") for path in tops]))
    return [*distributions, BIG, heavy("other", 9)]


def _conflict(distributions: Sequence[Distribution]) -> PathConflict | None:
    try:
        owners_of(distributions)
    except PathConflict as conflict:
        return conflict
    return None


def _assert_true(conflict: PathConflict, paths: Mapping[str, set[str]]) -> None:
    assert conflict.path in paths[conflict.file_of]
    assert any(path.startswith(f"{conflict.path}/") for path in paths[conflict.directory_of])


@given(st.data())
def test_every_file_appears_once_with_content_of_its_owner(data: st.DataObject) -> None:
    distributions = _distributions(data)
    conflict = _conflict(distributions)
    if conflict:
        _assert_true(
            conflict, {each.name: {each.path for each in each.files} for each in distributions}
        )
        return
    owners = owners_of(distributions).files
    with tempfile.TemporaryDirectory() as directory:
        venv = environment(distributions, Path(directory))
        assert sorted(files_of(venv)) == sorted(owners)
        for path, owned in owners.items():
            if owned.file.size < 1000:
                assert (venv / path).read_text() == f"{owned.owner}:{path}"


@given(st.data())
def test_every_copy_equals_file_of_its_shard(data: st.DataObject) -> None:
    distributions = _distributions(data)
    if _conflict(distributions):
        return
    shards = shards_of(distributions)
    for entry in venv_entries(shards, "3.14"):
        if isinstance(entry, Copy):
            (shard_of_entry,) = [shard for shard in shards if shard.name == entry.shard]
            assert shard_of_entry.files[entry.path].file == entry.file
            assert shard_of_entry.files[entry.path].owner == entry.owner
