"""Parts of the interpreter are removed as a whole, and never one that the interpreter needs."""

from pathlib import Path

import pytest

from cnb_python.layers.python import ALL_PARTS, HEADERS, LIBPYTHON
from cnb_python.layers.python_parts import remove_other_parts
from tests.support.elf_files import elf

OF_LIBPYTHON = {"lib/libpython3.14.so", "lib/libpython3.14.so.1.0", "lib/libpython3.so"}
OF_HEADERS = {
    "include/python3.14/Python.h",
    "lib/pkgconfig/python-3.14.pc",
    "lib/python3.14/config-3.14-x86_64-linux-gnu/Makefile",
    "bin/python3-config",
    "bin/python3.14-config",
}
OF_ALL = {
    "bin/python3",
    "bin/python3.14",
    "lib/python3.14/_sysconfigdata__linux_x86_64-linux-gnu.py",
    "lib/python3.14/configparser.py",
    "lib/python3.14/lib-dynload/_dbm.so",
}
# libpython itself is linked with the large one; that is no use of it.
CONTENTS = {"lib/libpython3.so": elf(needed=["$ORIGIN/../lib/libpython3.14.so.1.0"])}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in OF_LIBPYTHON | OF_HEADERS | OF_ALL:
        path = tmp_path / "python" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENTS.get(name, elf(needed=["libc.so.6"])))
    for link, target in (("lib/libpython3.14.so", "libpython3.14.so.1.0"), ("bin/python", "3")):
        (tmp_path / "python" / link).unlink(missing_ok=True)
        (tmp_path / "python" / link).symlink_to(target)
    return tmp_path / "python"


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir()} - {
        "bin/python"
    }


@pytest.mark.parametrize(
    ("parts", "kept"),
    [
        (frozenset(), OF_ALL),
        ({LIBPYTHON}, OF_ALL | OF_LIBPYTHON),
        ({HEADERS}, OF_ALL | OF_HEADERS),
        (ALL_PARTS, OF_ALL | OF_LIBPYTHON | OF_HEADERS),
    ],
    ids=["none", "libpython", "headers", "all"],
)
def test_other_parts_are_removed(root: Path, parts: frozenset[str], kept: set[str]) -> None:
    remove_other_parts(root, frozenset(parts))

    assert files(root) == kept


def test_no_empty_directory_is_left(root: Path) -> None:
    remove_other_parts(root, frozenset())

    assert [path for path in root.rglob("*") if path.is_dir() and not any(path.iterdir())] == []


@pytest.mark.parametrize("user", ["bin/python3.14", "lib/python3.14/lib-dynload/_dbm.so"])
def test_libpython_stays_if_the_interpreter_is_linked_with_it(root: Path, user: str) -> None:
    (root / user).write_bytes(elf(needed=["$ORIGIN/../lib/libpython3.14.so.1.0", "libc.so.6"]))

    remove_other_parts(root, frozenset())

    assert files(root) == OF_ALL | OF_LIBPYTHON
