"""Shares and links on disk: every file in its place, and nothing else."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions.model import Distribution
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.install import PathClash
from cnb_python.install.staging import make
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


def roots_of(some: Sequence[Distribution], directory: Path) -> Callable[[str], Path]:
    for one in some:
        install(one, directory / one.name)
    return lambda name: directory / name


def shard_of(*some: Distribution) -> Shard:
    (shard,) = shards_of(some)
    return shard


def lay_out(shard: Shard, into: Path, root_of: Callable[[str], Path]) -> Path:
    materialize_shard(shard, into, root_of)
    return into / "tree"


def environment(some: Sequence[Distribution], directory: Path) -> Path:
    """Lay out the whole environment of *some*; return its `venv`."""
    root_of = roots_of(some, directory / "roots")
    venv = directory / "venv"
    make(venv, Path("/python/bin/python3.14"), "3.14")
    shards = shards_of(some)
    materialize_links(venv_entries(shards, "3.14"), venv, root_of)
    for shard in shards:
        lay_out(shard, directory / shard.name, root_of)
    return venv


def files_of(venv: Path) -> Iterator[str]:
    """Yield every file as programs see it that follow links, but for the environment's own."""
    for directory, names, files in os.walk(venv, followlinks=True):
        names[:] = [name for name in names if name != "lib64"]
        for name in files:
            path = str((Path(directory) / name).relative_to(venv))
            if path != "pyvenv.cfg" and not path.startswith("bin/python"):
                yield path


def test_a_share_lies_below_tree_at_its_paths_in_the_environment(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    tree = lay_out(shard_of(SMALL), tmp_path / "share", root_of)
    assert (tree / SITE / "small/deep/y.py").read_text() == f"small:{SITE}/small/deep/y.py"
    assert [path.name for path in (tmp_path / "share").iterdir()] == ["tree"]


def test_directories_are_for_everyone_whatever_they_were(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    (root_of("small") / SITE / "small/deep").chmod(0o700)
    before = os.umask(0o077)
    try:
        tree = lay_out(shard_of(SMALL), tmp_path / "share", root_of)
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
    "harm", [_remove, _lengthen, _make_program, _make_link, _make_directory, _make_pipe]
)
def test_a_share_that_is_not_what_was_installed_is_refused(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    root_of = roots_of([SMALL], tmp_path)
    harm(root_of("small") / SITE / "small/x.py")
    with pytest.raises(ContractBroken, match="x"):
        lay_out(shard_of(SMALL), tmp_path / "share", root_of)


def test_what_lay_there_before_is_noticed(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    stray = tmp_path / "share/tree/lib/stray.py"
    stray.parent.mkdir(parents=True)
    stray.touch()
    with pytest.raises(ContractBroken, match=r"lib/stray\.py"):
        lay_out(shard_of(SMALL), tmp_path / "share", root_of)


def test_of_a_file_that_several_have_the_winners_is_there(tmp_path: Path) -> None:
    paths = [f"{SITE}/cv2/__init__.py", f"{SITE}/cv2/__pycache__/__init__.cpython-314.pyc"]
    some = [distribution("b", paths), distribution("a", [*paths, f"{SITE}/cv2/a.py"])]
    tree = lay_out(shard_of(*some), tmp_path / "share", roots_of(some, tmp_path))
    assert (tree / paths[0]).read_text() == f"b:{paths[0]}"
    assert (tree / paths[1]).read_text() == f"b:{paths[1]}"
    assert (tree / SITE / "cv2/a.py").read_text() == f"a:{SITE}/cv2/a.py"


def test_scripts_are_real_files_with_their_modes(tmp_path: Path) -> None:
    script, text = file("bin/tool", "#!/bin/sh\n", program=True), file("bin/tool.rc", "rc")
    one = distribution("one", [script, text])
    install(one, tmp_path / "root", {"bin/tool": "#!/bin/sh\n", "bin/tool.rc": "rc"})
    before = os.umask(0o077)
    try:
        (tmp_path / "venv").mkdir()
        found = venv_entries(shards_of([one]), "3.14")
        materialize_links(found, tmp_path / "venv", lambda _: tmp_path / "root")
    finally:
        os.umask(before)
    made = {path.name: path.lstat() for path in (tmp_path / "venv/bin").iterdir()}
    assert {name: state.st_mode for name, state in made.items()} == {
        "tool": stat.S_IFREG | 0o755,
        "tool.rc": stat.S_IFREG | 0o644,
    }
    assert (tmp_path / "venv/bin/tool").read_text() == "#!/bin/sh\n"


def test_links_are_made_without_the_shares(tmp_path: Path) -> None:
    (tmp_path / "venv").mkdir()
    found = venv_entries(shards_of([SMALL]), "3.14")
    materialize_links(found, tmp_path / "venv", lambda name: tmp_path / name)
    link = tmp_path / "venv" / SITE / "small"
    assert link.is_symlink()
    assert not link.exists()


def test_the_environments_own_files_are_never_covered(tmp_path: Path) -> None:
    bad = ["pyvenv.cfg", "bin/python", "bin/python3.14", "lib64", "env/PATH"]
    some = [distribution("bad", [*bad, "bin/bad"]), BIG]
    venv = environment(some, tmp_path)
    assert (venv / "bin/python").readlink() == Path("/python/bin/python3.14")
    assert (venv / "lib64").readlink() == Path("lib")
    assert "home = /python/bin" in (venv / "pyvenv.cfg").read_text()
    assert (venv / "bin/bad").is_file()
    assert not (venv / "env").exists()


def test_merged_is_one_tree_of_real_files(tmp_path: Path) -> None:
    some = [
        BIG,
        SMALL,
        distribution("z", ["bin/z", "share/z/x", symlink(f"{SITE}/z.py", "small/x.py")]),
    ]
    root_of = roots_of(some, tmp_path)
    venv = tmp_path / "venv"
    make(venv, Path("/python/bin/python3.14"), "3.14")
    (shard,) = shards_of(some, merged=True)

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


def test_merged_refuses_what_does_not_belong(tmp_path: Path) -> None:
    root_of = roots_of([SMALL], tmp_path)
    venv = tmp_path / "venv"
    make(venv, Path("/python/bin/python3.14"), "3.14")
    (venv / SITE / "stray.py").touch()
    (shard,) = shards_of([SMALL], merged=True)
    with pytest.raises(ContractBroken, match="stray"):
        materialize_merged(shard, venv, root_of)


NAMES = ["__init__.py", "a.py", "x", "ns", "__pycache__", "é\n", "__pycache__/a.cpython-314.pyc"]
PLACES = st.sampled_from([SITE, f"{SITE}/ns", f"{SITE}/p", "bin", "share/x", "etc", "include", ""])
PATHS = st.tuples(PLACES, st.lists(st.sampled_from(NAMES), min_size=1, max_size=3))


def _distributions(data: st.DataObject) -> list[Distribution]:
    some = []
    for name in ("alpha", "beta", "gamma", "delta"):
        found = data.draw(st.lists(PATHS, max_size=6))
        paths = {"/".join([place, *parts]).lstrip("/") for place, parts in found}
        tops = {path for path in paths if not any(other.startswith(f"{path}/") for other in paths)}
        some.append(distribution(name, [file(path, f"{name}:{path}") for path in tops]))
    return [*some, BIG, heavy("other", 9)]


def _clash(some: Sequence[Distribution]) -> PathClash | None:
    try:
        owners_of(some)
    except PathClash as clash:
        return clash
    return None


def _assert_true(clash: PathClash, paths: Mapping[str, set[str]]) -> None:
    assert clash.path in paths[clash.file_of]
    assert any(path.startswith(f"{clash.path}/") for path in paths[clash.directory_of])


@given(st.data())
def test_every_file_is_reached_once_and_is_the_right_one(data: st.DataObject) -> None:
    some = _distributions(data)
    clash = _clash(some)
    if clash:
        _assert_true(clash, {one.name: {each.path for each in one.files} for one in some})
        return
    owners = owners_of(some).files
    with tempfile.TemporaryDirectory() as directory:
        venv = environment(some, Path(directory))
        assert sorted(files_of(venv)) == sorted(owners)
        for path, owned in owners.items():
            if owned.file.size < 1000:
                assert (venv / path).read_text() == f"{owned.owner}:{path}"


@given(st.data())
def test_copies_are_complete_without_the_share_that_has_them_too(data: st.DataObject) -> None:
    some = _distributions(data)
    if _clash(some):
        return
    shards = shards_of(some)
    for place in venv_entries(shards, "3.14"):
        if isinstance(place, Copy):
            (home,) = [shard for shard in shards if shard.name == place.shard]
            assert home.files[place.path].file == place.file
            assert home.files[place.path].owner == place.owner
