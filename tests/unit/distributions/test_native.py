"""Which libraries a distribution needs from outside, and whether importing it needs them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cnb_python.distributions import elf, native
from cnb_python.distributions.elf import NOT_ELF
from cnb_python.distributions.model import LibraryNeed
from cnb_python.distributions.native import Users
from tests.support import elf_files
from tests.support.installed import distribution

SITE = "lib/python3.14/site-packages"
EXTENSION = ".cpython-314-x86_64-linux-gnu.so"


def needs(
    directory: Path, files: Mapping[str, bytes], machine: int = 0
) -> tuple[LibraryNeed, ...]:
    read = []
    for number, (path, content) in enumerate(files.items()):
        (directory / str(number)).write_bytes(content)
        read.append((path, elf.read(directory / str(number))))
    return native.needs_of(read, machine)


def test_libraries_of_the_distribution_itself_are_not_needed(tmp_path: Path) -> None:
    files = {
        "a/_a.so": elf_files.elf(needed=["libinner-1.so", "libz.so.1", "/opt/x/libabs.so.2"]),
        "a.libs/libinner-1.so": elf_files.elf(needed=["libm.so.6"]),
    }

    assert needs(tmp_path, files) == (
        LibraryNeed("libabs.so.2"),
        LibraryNeed("libm.so.6"),
        LibraryNeed("libz.so.1"),
    )


def test_highest_versions_are_kept(tmp_path: Path) -> None:
    versions = {"libc.so.6": ["GLIBC_2.4", "GLIBC_2.17", "GLIBC_ABI_DT_RELR", "GLIBC_2.9"]}
    files = {
        "a.so": elf_files.elf(needed=["libc.so.6"], versions=versions),
        "b.so": elf_files.elf(needed=["libc.so.6"], versions={"libc.so.6": ["GLIBC_2.14"]}),
    }

    assert needs(tmp_path, files) == (
        LibraryNeed("libc.so.6", ("GLIBC_2.17", "GLIBC_ABI_DT_RELR")),
    )


def test_files_for_other_systems_are_left_out(tmp_path: Path) -> None:
    """Wheels such as debugpy's contain libraries for several kinds of processors."""
    files = {
        "a.so": elf_files.elf(needed=["liba.so"]),
        "x86.so": elf_files.elf(needed=["libb.so"], bits=32),
        "alpine.so": elf_files.elf(needed=["libc.musl-x86_64.so.1", "libd.so"]),
        "android.so": elf_files.elf(needed=["libc.so", "libe.so"]),
    }

    assert needs(tmp_path, files, 2 << 16 | 62) == (LibraryNeed("liba.so"),)


@pytest.mark.parametrize("name", ["", "a b", "x\n", "\x1b[1m", "é", "x" * 1000])
def test_names_that_no_library_has_are_left_out(tmp_path: Path, name: str) -> None:
    assert needs(tmp_path, {"a.so": elf_files.elf(needed=[name, "libz.so.1"])}) == (
        LibraryNeed("libz.so.1"),
    )


def test_nothing_is_needed_without_native_files() -> None:
    assert native.needs_of([("a.py", NOT_ELF)], 0) == ()


def used(root: Path, files: Mapping[str, str | Sequence[str]]) -> Users:
    """Return what needs libx.so.1; the value of a native file is what it is linked with."""
    for name, content in files.items():
        path = root / SITE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else elf_files.elf(needed=content)
        path.write_bytes(data)
    paths = [f"{SITE}/{name}" for name in files]
    return native.users_of("libx.so.1", distribution("a", paths), root)


LINKED = ["libc.so.6", "libx.so.1"]


@pytest.mark.parametrize(
    "files",
    [
        {"a/__init__.py": "from a._a import f", f"a/_a{EXTENSION}": LINKED},
        {"a/__init__.py": "from . import _a", "a/_a.abi3.so": LINKED},
        {"a/__init__.py": "from ._a import *", "a/_a.so": LINKED},
        {"a/__init__.py": "import a._a", "a/_a.so": LINKED},
        {
            "a/__init__.py": "from a.core import x",
            "a/core/__init__.py": "with y: from . import b",
            "a/core/b.py": "from .. import _c",
            "a/_c.so": LINKED,
        },
        # It is imported, and the error has a better message.
        {
            "a/__init__.py": "try:\n from . import _a\nexcept ImportError as e:\n raise E from e",
            "a/_a.so": LINKED,
        },
        {"a.py": "import _a", "_a.so": LINKED},
        # Python warns of it, but not in the log of the build.
        {"a.py": "x = '\\d'\nimport _a", "_a.so": LINKED},
        {f"a{EXTENSION}": LINKED},
        {"google/a/__init__.py": "from . import _a", "google/a/_a.so": LINKED},
        # opencv's loader imports it by name.
        {"a/__init__.py": "bootstrap()", "a/a.abi3.so": LINKED},
        # Through another library of the distribution.
        {
            "a/__init__.py": "from . import _a",
            "a/_a.so": ["libone-1.so"],
            "a.libs/libone-1.so": ["libtwo-2.so"],
            "a.libs/libtwo-2.so": LINKED,
        },
    ],
)
def test_import_certainly_needs_the_library(
    tmp_path: Path, files: Mapping[str, str | Sequence[str]]
) -> None:
    assert used(tmp_path, files).at_import


@pytest.mark.parametrize(
    "files",
    [
        {"a/__init__.py": "", f"a/_a{EXTENSION}": LINKED},
        {"a/__init__.py": "def f():\n from a import _a", "a/_a.so": LINKED},
        {"a/__init__.py": "if X:\n from a import _a", "a/_a.so": LINKED},
        {
            "a/__init__.py": "try:\n from . import _a\nexcept ImportError:\n _a = None",
            "a/_a.so": LINKED,
        },
        {"a/__init__.py": "", "a/gui.py": "from . import _a", "a/_a.so": LINKED},
        {"a/__init__.py": "from . import _a", "a/_a.so": [], "a/plugins/libqxcb.so": LINKED},
        {"a/__init__.py": "(" * 500, "a/_a.so": LINKED},
        {"a/__init__.py": "from ..... import _a", "a/_a.so": LINKED},
        {"a.py": "", "_a.so": LINKED},
    ],
)
def test_import_may_not_need_the_library(
    tmp_path: Path, files: Mapping[str, str | Sequence[str]]
) -> None:
    assert not used(tmp_path, files).at_import


def test_module_of_the_package_is_named_before_its_plugins(tmp_path: Path) -> None:
    files = {"a/plugins/deep/p.so": LINKED, "a/z.so": LINKED, "a/__init__.py": ""}

    assert used(tmp_path, files).file == f"{SITE}/a/z.so"


def test_library_in_a_run_path_of_the_build_image_is_not_missing(tmp_path: Path) -> None:
    directory, site = tmp_path / "opt/x/lib", tmp_path / SITE / "a"
    for each in (directory, site):
        each.mkdir(parents=True)
    (site / "__init__.py").write_text("from . import _a")
    (site / "_a.so").write_bytes(elf_files.elf(str(directory), needed=LINKED))
    item = distribution("a", [f"{SITE}/a/__init__.py", f"{SITE}/a/_a.so"])
    assert native.users_of("libx.so.1", item, tmp_path).at_import

    (directory / "libx.so.1").touch()

    assert not native.users_of("libx.so.1", item, tmp_path).at_import
