"""What is unpacked of packages, and what is refused."""

import tarfile
from pathlib import Path

import pytest

from cnb_python.errors.downloads import DamagedArchive, UnsafeArchive
from cnb_python.system_packages.deb import Deb
from cnb_python.system_packages.paths import launch_variables
from cnb_python.system_packages.tree import PackageTree, SetIdProgram
from tests.support.debs import DebFile, member


def unpacked(directory: Path, *packages: DebFile) -> PackageTree:
    root = directory / "layer"
    root.mkdir()
    tree = PackageTree(root)
    for package in packages:
        tree.add(Deb(package.write(directory)))
    tree.finish()
    return tree


def test_files_are_where_a_merged_usr_has_them(tmp_path: Path) -> None:
    package = DebFile(
        "a",
        files={"lib/x/liba.so.1.2": "A", "usr/bin/a": "#!", "bin/b": "B"},
        links={"lib/x/liba.so.1": "liba.so.1.2", "usr/lib/a": "/lib/x", "usr/bin/b": "/bin/b"},
        modes={"usr/bin/a": 0o755},
    )

    root = unpacked(tmp_path, package).root

    assert (root / "usr/lib/x/liba.so.1").read_text() == "A"
    assert str((root / "usr/lib/a").readlink()) == "x"
    assert (root / "usr/bin/b").read_text() == "B"
    assert (root / "usr/bin/a").stat().st_mode & 0o777 == 0o755
    assert not (root / "lib").exists()


def test_documentation_is_left_out_and_licences_are_not(tmp_path: Path) -> None:
    names = ("doc/a/copyright", "doc/a/README", "man/man1/a.1", "locale/de/a.mo", "a/data")

    tree = unpacked(tmp_path, DebFile("a", files={f"usr/share/{name}": "" for name in names}))

    assert tree.files == {"usr/share/doc/a/copyright", "usr/share/a/data"}


def test_links_to_files_outside_are_left_out(tmp_path: Path) -> None:
    links = {"usr/a": "/etc/shadow", "usr/b": "/etc/own", "usr/c": "c", "usr/d": "e", "usr/e": "d"}

    root = unpacked(tmp_path, DebFile("a", files={"etc/own": "1"}, links=links)).root

    assert sorted(path.name for path in (root / "usr").iterdir()) == ["b"]
    assert str((root / "usr/b").readlink()) == "../etc/own"


def test_hard_links_become_links(tmp_path: Path) -> None:
    package = DebFile(
        "a", files={"usr/a": "A"}, members=(member("./usr/b", tarfile.LNKTYPE, "./usr/a"),)
    )

    assert str((unpacked(tmp_path, package).root / "usr/b").readlink()) == "a"


@pytest.mark.parametrize(
    "hostile",
    [
        DebFile("a", members=(member("/etc/passwd", tarfile.REGTYPE),)),
        DebFile("a", members=(member("./usr/../../evil", tarfile.REGTYPE),)),
        DebFile("a", members=(member("./usr/null", tarfile.CHRTYPE),)),
        DebFile("a", members=(member("./usr/disk", tarfile.BLKTYPE),)),
        DebFile("a", members=(member("./usr/pipe", tarfile.FIFOTYPE),)),
        DebFile("a", links={"usr/up": "../../../../../etc"}),
        DebFile("a", members=(member("./usr/b", tarfile.LNKTYPE, "../../b"),)),
        DebFile("a", members=(member("./" + "usr/" * 200 + "a", tarfile.REGTYPE),)),
    ],
    ids=["absolute", "parent", "device", "disk", "pipe", "link", "hard_link", "deep"],
)
def test_hostile_member_is_refused(tmp_path: Path, hostile: DebFile) -> None:
    with pytest.raises(UnsafeArchive):
        unpacked(tmp_path, hostile)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.deb", "layer"]


def test_file_below_a_link_is_not_written_through_it(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    first = DebFile("a", links={"usr/lib/x": str(tmp_path / "outside")})
    second = DebFile("b", files={"usr/lib/x/file": "B"})

    root = unpacked(tmp_path, first, second).root

    assert (root / "usr/lib/x/file").read_text() == "B"
    assert not list((tmp_path / "outside").iterdir())


def test_package_with_a_set_id_program_leaves_nothing(tmp_path: Path) -> None:
    files = {"usr/bin/a": "A", "usr/bin/sudo": "S"}
    tree = PackageTree(tmp_path)

    with pytest.raises(SetIdProgram, match="/usr/bin/sudo"):
        tree.add(Deb(DebFile("a", files=files, modes={"usr/bin/sudo": 0o4755}).write(tmp_path)))

    assert not tree.files
    assert not (tmp_path / "usr/bin/a").exists()


@pytest.mark.parametrize("keep", [0, 7, 8, 60, 200, 300])
def test_damaged_file_is_an_error(tmp_path: Path, keep: int) -> None:
    path = DebFile("a", files={"usr/a": "A" * 999}).write(tmp_path)
    path.write_bytes(path.read_bytes()[:keep])

    with pytest.raises(DamagedArchive):
        list(Deb(path).members())


@pytest.mark.parametrize("keep", range(600, 1200, 100))
def test_file_that_ends_within_a_control_file_is_damaged(tmp_path: Path, keep: int) -> None:
    """Members are read after `members` has yielded them: that must name the damage too."""
    info = tarfile.TarInfo("./control")
    info.size = 1000
    control = info.tobuf() + b"A: b\n" * 200
    header = f"{'control.tar':<48}{keep:<10}`\n".encode()
    (tmp_path / "a.deb").write_bytes(b"!<arch>\n" + header + control[:keep])

    with pytest.raises(DamagedArchive, match=r"a\.deb"):
        Deb(tmp_path / "a.deb").control()


def test_order_and_times_of_packages_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    old, new = DebFile("a", files={"usr/a": "A"}), DebFile("b", files={"usr/b": "B"})

    one, two = unpacked(tmp_path / "1", old, new), unpacked(tmp_path / "2", new, old)

    assert one.files == two.files
    assert one.links == two.links


def test_git_and_perl_find_their_files_in_the_layer(tmp_path: Path) -> None:
    tree = PackageTree(tmp_path)
    files = {
        "usr/lib/git-core/git-remote-https": "",
        "usr/share/git-core/templates/description": "",
        "usr/share/perl5/Git.pm": "",
        "usr/lib/x86_64-linux-gnu/perl5/5.36/DBI.pm": "",
    }
    tree.add(Deb(DebFile("git", files=files).write(tmp_path)))
    tree.finish()

    found = {each.name: each.value for each in launch_variables(tree, "x86_64-linux-gnu")}

    assert found["GIT_EXEC_PATH"] == f"{tmp_path}/usr/lib/git-core"
    assert found["GIT_TEMPLATE_DIR"] == f"{tmp_path}/usr/share/git-core/templates"
    xs_modules = f"{tmp_path}/usr/lib/x86_64-linux-gnu/perl5/5.36"
    assert found["PERL5LIB"] == f"{xs_modules}:{tmp_path}/usr/share/perl5"
