"""Lets `ctypes.util.find_library` find libraries of the image's layer.

It searches the cache of ldconfig, which only root can write, and then asks gcc, or ld, and objdump
for a library's name. A run image has none of them, so two scripts at the end of PATH answer
instead, from a list of the layer's libraries. They do nothing else; a real ld or objdump comes
before them. Build images have gcc, which takes a library by a link without a version: such links
are in the tree for builds.
https://docs.python.org/3/library/ctypes.html#finding-shared-libraries
"""

import posixpath
import re
from collections.abc import Iterable, Iterator

from cnb_python.distributions import elf
from cnb_python.system_packages.tree import PackageTree

PROGRAMS = "usr/lib/cnb-python/find-library"
"""The directory of the scripts."""
_LIST = f"{PROGRAMS}/libraries"
_LIBRARY = re.compile(r"(lib[^\s/]+?\.so)[.\d]*")
_NUMBER = re.compile(r"\d+")
# Python calls `ld -t -L DIRECTORY ... -o /dev/null -lNAME`, and searches the output for a file.
_LD = """\
#!/bin/sh
# Prints which files of system packages are the library NAME: ld -t -lNAME. Links nothing.
name=
for word; do
    case $word in -l*) name=${word#-l} ;; esac
done
if [ "$1" != -t ] || [ -z "$name" ]; then
    echo "ld: the image has no linker; $0 only finds libraries for ctypes.util.find_library" >&2
    exit 1
fi
while read -r file soname; do
    case ${file##*/} in "lib$name.so"*) echo "$file" ;; esac
done <"${0%/*}/libraries"
"""
# Python calls `objdump -p -j .dynamic FILE`, and searches the output for SONAME.
_OBJDUMP = """\
#!/bin/sh
# Prints the name by which a library of system packages is loaded: objdump -p FILE.
for word; do
    last=$word
done
while read -r file soname; do
    if [ "$file" = "$last" ]; then
        echo "  SONAME  $soname"
        exit 0
    fi
done <"${0%/*}/libraries"
echo "objdump: $0 only reads libraries for ctypes.util.find_library" >&2
exit 1
"""


def write_programs(tree: PackageTree, directories: Iterable[str]) -> None:
    """Write the scripts into the finished *tree*, if it has libraries in *directories*."""
    lines = [
        f"{tree.root / path} {elf.soname(tree.root / path) or posixpath.basename(path)}\n"
        for path in _libraries(tree, directories)
        if elf.is_elf(tree.root / path)
    ]
    if lines:
        tree.write(_LIST, "".join(lines))
        tree.write(f"{PROGRAMS}/ld", _LD, is_program=True)
        tree.write(f"{PROGRAMS}/objdump", _OBJDUMP, is_program=True)


def link_for_compilers(
    run: PackageTree, development: PackageTree, directories: Iterable[str]
) -> None:
    """Add links such as `libzbar.so` to *development* for the libraries of *run*.

    Before `PackageTree.finish` of *development*, after that of *run*.
    """
    for path in _libraries(run, directories):
        match = _LIBRARY.fullmatch(posixpath.basename(path))
        link = posixpath.join(posixpath.dirname(path), match[1]) if match else path
        if not development.exists(link):
            development.links[link] = path


def _libraries(tree: PackageTree, directories: Iterable[str]) -> Iterator[str]:
    """Yield the paths of the libraries in *directories*, of each name the newest first."""
    searched = set(directories)
    libraries = [
        path
        for path in {*tree.files, *tree.links}
        if posixpath.dirname(path) in searched
        and _LIBRARY.fullmatch(posixpath.basename(path))
        and (tree.root / path).is_file()
    ]
    yield from sorted(sorted(libraries), key=_version, reverse=True)


def _version(path: str) -> list[int]:
    return [int(number) for number in _NUMBER.findall(path.rpartition(".so")[2])]
