"""What `ctypes.util.find_library` finds of a layer: the list that its scripts read, and links."""

from pathlib import Path

from cnb_python.system_packages import find_library
from cnb_python.system_packages.deb import Deb
from cnb_python.system_packages.paths import launch_variables
from cnb_python.system_packages.tree import PackageTree
from tests.support.debs import DebFile
from tests.support.elf_files import elf

LIB = "usr/lib/x86_64-linux-gnu"
ZBAR = DebFile(
    "libzbar0",
    files={
        f"{LIB}/libzbar.so.0.3.0": elf("libzbar.so.0", tag=14),
        f"{LIB}/libzbar.so.0.10.0": elf("libzbar.so.0", tag=14),
        f"{LIB}/libplain.so": elf(),
        f"{LIB}/libtext.so.1": "GROUP ( libzbar.so.0 )",
        f"{LIB}/plugins/libplugin.so.1": elf(),
        f"{LIB}/zbar.py": "",
    },
    links={f"{LIB}/libzbar.so.0": "libzbar.so.0.10.0", f"{LIB}/libgone.so.1": "libgone.so.1.2"},
)


def unpacked(
    directory: Path, *packages: DebFile, beside: PackageTree | None = None
) -> PackageTree:
    root = directory / "layer"
    root.mkdir(parents=True)
    tree = PackageTree(root, beside=beside)
    for package in packages:
        tree.add(Deb(package.write(directory)))
    return tree


def test_list_has_the_files_and_names_of_libraries(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, ZBAR)
    tree.finish()

    find_library.write_programs(tree, [LIB])

    lines = (tree.root / find_library.PROGRAMS / "libraries").read_text().splitlines()
    assert lines == [
        f"{tree.root}/{LIB}/libzbar.so.0.10.0 libzbar.so.0",
        f"{tree.root}/{LIB}/libzbar.so.0.3.0 libzbar.so.0",
        f"{tree.root}/{LIB}/libzbar.so.0 libzbar.so.0",
        f"{tree.root}/{LIB}/libplain.so libplain.so",
    ]
    for name in ("ld", "objdump"):
        assert (tree.root / find_library.PROGRAMS / name).stat().st_mode & 0o111
    (path,) = (each for each in launch_variables(tree, "") if each.name == "PATH")
    assert path == ("PATH", "append", f"{tree.root}/{find_library.PROGRAMS}")


def test_layer_without_libraries_has_no_scripts(tmp_path: Path) -> None:
    tree = unpacked(tmp_path, DebFile("a", files={f"{LIB}/liba.so.1": "text", "usr/bin/a": ""}))
    tree.finish()

    find_library.write_programs(tree, [LIB])

    assert not (tree.root / find_library.PROGRAMS).exists()


def test_compilers_find_the_newest_library_without_its_version(tmp_path: Path) -> None:
    run = unpacked(tmp_path / "run", ZBAR)
    run.finish()
    own = DebFile("libplain-dev", files={f"{LIB}/libplain.so": "own"})
    development = unpacked(tmp_path / "development", own, beside=run)

    find_library.link_for_compilers(run, development, [LIB])
    development.finish()

    link = development.root / LIB / "libzbar.so"
    assert link.resolve() == run.root / LIB / "libzbar.so.0.10.0"
    assert (development.root / LIB / "libplain.so").read_text() == "own"
    assert not (development.root / LIB / "libplugin.so").exists()
