"""The variables by which programs and libraries find the files of system packages.

`data/system_packages.toml` has those that some packages need.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.distributions import elf
from cnb_python.system_packages import find_library
from cnb_python.system_packages.tree import PackageTree

TABLE = Path(__file__).parents[1] / "data/system_packages.toml"
TRIPLETS = {
    "amd64": "x86_64-linux-gnu",
    "arm64": "aarch64-linux-gnu",
    "arm": "arm-linux-gnueabihf",
    "386": "i386-linux-gnu",
    "ppc64le": "powerpc64le-linux-gnu",
    "riscv64": "riscv64-linux-gnu",
    "s390x": "s390x-linux-gnu",
}
"""Debian's names of processors, by Go's."""
_LIBRARIES = "LD_LIBRARY_PATH"
PROGRAMS = ("usr/bin", "usr/sbin", "usr/games")
"""The directories of programs."""
_FONTS = "etc/fonts/fonts.conf"
_OWN_FONTS = "etc/fonts/cnb-python.conf"
_DRIVERS = "etc/odbcinst.ini"
# For packages whose scripts cannot be read, such as those that let the user choose.
_DRIVER_TEMPLATES = ("usr/share/*/odbcinst.ini*", "usr/share/*/*.odbcinst.ini")
# The system's fonts as well: FONTCONFIG_FILE replaces its configuration. fonts.conf includes
# `conf.d` by a path that is relative to the system's /etc/fonts.
_FONTS_TEXT = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{root}/usr/share/fonts</dir>
  <include ignore_missing="yes">{root}/etc/fonts/fonts.conf</include>
  <include ignore_missing="yes">{root}/etc/fonts/conf.d</include>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
</fontconfig>
"""


class PathVariable(NamedTuple):
    """A variable that names directories or files of a layer."""

    name: str
    action: str
    """`default` or `append`."""
    value: str

    def applied(self, environ: Mapping[str, str], default: str = "") -> str:
        """Return the value in an environment with *environ*, *default* if it is not there."""
        given = environ.get(self.name) or default
        if self.action == "default":
            return given or self.value
        return f"{given}:{self.value}" if given else self.value


class Step(NamedTuple):
    """A program of the packages, which their installation would run."""

    argv: tuple[str, ...]
    output: str
    """The file, relative to the layer, with what it prints; empty: none."""


def launch_variables(tree: PackageTree, triplet: str) -> tuple[PathVariable, ...]:
    """Return the variables for programs and libraries of *tree*, sorted by name."""
    variables = [*_of_table(tree, triplet)]
    if libraries := _existing(tree, library_directories(tree, triplet)):
        # After the libraries of other buildpacks. Those of the system come last in any case.
        variables.append(PathVariable(_LIBRARIES, "append", ":".join(libraries)))
    if programs := _existing(tree, (*PROGRAMS, find_library.PROGRAMS)):
        # Programs of the run image take precedence.
        variables.append(PathVariable("PATH", "append", ":".join(programs)))
    return tuple(sorted(variables))


def build_variables(tree: PackageTree, run: PackageTree, triplet: str) -> tuple[PathVariable, ...]:
    """Return the variables for what runs in builds: compilers, and programs of *tree*.

    *run*: the files that the image gets. Packages such as shared-mime-info have files for
    pkg-config there.
    """
    headers = ("usr/include", f"usr/include/{triplet}", *_named_headers())
    packages = (f"usr/lib/{triplet}/pkgconfig", "usr/lib/pkgconfig", "usr/share/pkgconfig")
    libraries = (f"usr/lib/{triplet}", "usr/lib")
    existing = {
        "CPATH": [*_existing(tree, headers), *_existing(run, headers)],
        # For programs of packages such as gettext.
        _LIBRARIES: _existing(tree, library_directories(tree, triplet)),
        "LIBRARY_PATH": _existing(tree, libraries),
        "PATH": _existing(tree, PROGRAMS),
        "PKG_CONFIG_PATH": [*_existing(tree, packages), *_existing(run, packages)],
    }
    return tuple(
        PathVariable(name, "append", ":".join(paths)) for name, paths in existing.items() if paths
    )


def joined(variables: Sequence[PathVariable]) -> tuple[PathVariable, ...]:
    """Return *variables* with one that appends for each name; its values keep their order."""
    appended: dict[str, list[str]] = {}
    for each in variables:
        if each.action == "append":
            appended.setdefault(each.name, []).append(each.value)
    defaults = (each for each in variables if each.action != "append")
    return (
        *defaults,
        *(PathVariable(name, "append", ":".join(values)) for name, values in appended.items()),
    )


def write_configuration(tree: PackageTree, driver_templates: Iterable[str]) -> None:
    """Write the configuration files that the installation of the packages would write.

    *driver_templates*: files of any tree that the installation would register as ODBC drivers.
    Call this before `PackageTree.finish`.
    """
    if _FONTS in tree.files:
        tree.write(_OWN_FONTS, _FONTS_TEXT.format(root=tree.root))
    named = frozenset(driver_templates)
    templates = [
        path
        for path in tree.all_files()
        if path in named or any(fnmatchcase(path, pattern) for pattern in _DRIVER_TEMPLATES)
    ]
    if templates and _DRIVERS not in tree.files:
        texts = [(tree.root / path).read_text("utf-8", "replace") for path in templates]
        tree.write(_DRIVERS, "\n".join(texts))


def steps(tree: PackageTree, triplet: str) -> Iterator[Step]:
    """Yield the programs that have to run once in the finished *tree*."""
    for row in toml.tables_at(toml.read(TABLE), "made"):
        argv = row["argv"]
        if not list(_matching(tree, str(row["when"]), triplet)) or not isinstance(argv, list):
            continue
        words = [word for text in map(str, argv) for word in _expanded(tree, text, triplet)]
        if Path(words[0]).is_file():
            yield Step(tuple(words), str(row["output"]).format(triplet=triplet))


def _expanded(tree: PackageTree, text: str, triplet: str) -> Iterable[str]:
    if not text.startswith("@"):
        return (text,)
    return [str(tree.root / path) for path in _matching(tree, text[1:], triplet)]


def _of_table(tree: PackageTree, triplet: str) -> Iterator[PathVariable]:
    for row in toml.tables_at(toml.read(TABLE), "path"):
        values = list(dict.fromkeys(_values(tree, row, triplet)))
        if values:
            after = row.get("after", [])
            values += map(str, after) if isinstance(after, list) else ()
            yield PathVariable(str(row["variable"]), str(row["action"]), ":".join(values))


def _values(tree: PackageTree, row: TomlTable, triplet: str) -> Iterator[str]:
    patterns, up = row["paths"], row.get("up", 0)
    for pattern in map(str, patterns if isinstance(patterns, list) else ()):
        for path in _matching(tree, pattern, triplet):
            parts = path.split("/")
            kept = parts[: len(parts) - (up if isinstance(up, int) else 0)]
            yield str(tree.root.joinpath(*kept))


def _matching(tree: PackageTree, pattern: str, triplet: str) -> list[str]:
    """Return the paths in *tree* that match *pattern*, sorted; `*` stands for a part of a name."""
    name = pattern.format(triplet=triplet)
    depth = name.count("/")
    candidates = {*tree.files, *tree.directories, *tree.links}
    return sorted(
        path
        for path in candidates
        if path.count("/") == depth and fnmatchcase(path, name) and tree.exists(path)
    )


def library_directories(tree: PackageTree, triplet: str) -> Iterator[str]:
    """Yield the directories of libraries, also of those that only some programs search."""
    yield from (f"usr/lib/{triplet}", "usr/lib", f"usr/lib/{triplet}/odbc")
    private = set[str]()
    for path in tree.files:
        if elf.may_be_elf(path, is_program=path.startswith(PROGRAMS)):
            private.update(each.strip("/") for each in elf.read(tree.root / path).run_paths)
    yield from sorted(each for each in private if each.startswith("usr/lib/"))


def _named_headers() -> list[str]:
    """Return the directories of headers that programs such as `pg_config` name."""
    names = ("postgresql", "gdal", "mysql", "mariadb", "freetype2", "libxml2")
    return [f"usr/include/{name}" for name in names]


def _existing(tree: PackageTree, paths: Iterable[str]) -> list[str]:
    # Each once: a directory of the system may be a link here.
    return [str(tree.root / path) for path in dict.fromkeys(paths) if path in tree.directories]
