"""Makes archives of app interpreters where python-build-standalone's release host does not answer.

They have the layout of its `install_only_stripped` archives, so that builds use them like those
of a mirror. `interpreters.py 3.13.13 3.14.6` prints their paths.
"""

import gzip
import platform
import shutil
import struct
import subprocess
import sys
import tarfile
import tomllib
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools import cache, stage0
from tools.processes import Unavailable, say
from tools.pythons import go_module, headers

TABLE = Path(__file__).with_name("interpreters.toml")
MODULES = {row["version"]: row for row in tomllib.loads(TABLE.read_text())["module"]}
# Programs of packages that are not in the archive, or with a path of the machine of the author.
STRAYS = ("bin/pip*", "bin/idle*", "bin/2to3*", "bin/pydoc*")


def archive(version: str, arch: str) -> Path:
    """Return the archive of Python *version* for *arch*, made the first time."""
    if version not in MODULES:
        versions = ", ".join(sorted(MODULES))
        lacking = f"No known Go module contains Python {version}, only {versions}."
        raise Unavailable(lacking)
    makers = (Path(__file__), Path(headers.__file__), Path(go_module.__file__))
    pins = cache.digest(MODULES[version]["sum"], *(path.read_bytes() for path in makers))
    title = f"Making an archive of Python {version} for {arch} (about half a minute)"
    name = f"python-{version}-{arch}"
    folder = cache.entry(name, pins, title, partial(_make, version=version, arch=arch))
    return folder / file_name(version, arch)


def file_name(version: str, arch: str) -> str:
    """Return the name of the archive."""
    return f"cpython-{version}-linux-{arch}-install_only_stripped.tar.gz"


def _make(into: Path, version: str, arch: str) -> None:
    if shutil.which("go") is None:
        lacking = "Pythons are downloaded as Go modules, which needs `go`: install Go."
        raise Unavailable(lacking)
    python, minor = into / "python", version.rpartition(".")[0]
    source = go_module.download(MODULES[version]["name"], MODULES[version]["sum"])
    go_module.unpack(source / f"python/internal/data/linux-{arch}", python)
    for pattern in STRAYS:
        for path in python.glob(pattern):
            path.unlink()
    go_module.unpack(source / "pip/internal/data", python / f"lib/python{minor}/site-packages")
    try:
        headers.add(python, minor)
    except Unavailable as error:
        say(f"  {error} Packages that compile C will not build with it.")
    if arch == stage0.ARCHES[platform.machine()]:
        _strip(python)
    _pack(python, into / file_name(version, arch))
    shutil.rmtree(python)


def _strip(python: Path) -> None:
    # Some modules contain debug symbols: 110 MB of libpython instead of 22.
    programs = [*python.glob("lib/libpython*.so.*"), *python.glob("bin/python3.*")]
    for path in programs:
        content = b"" if path.is_symlink() else path.read_bytes()
        if b".debug_info\0" not in content:
            continue
        if b".bolt.org.text\0" in content:
            # strip of binutils breaks programs that BOLT has optimized.
            path.write_bytes(without_sections(content))
        elif shutil.which("strip"):
            subprocess.run(["strip", "--strip-debug", path], check=True)


def without_sections(program: bytes) -> bytes:
    """Return a 64-bit ELF *program* up to the end of its last segment, without its sections.

    https://refspecs.linuxfoundation.org/elf/gabi4+/ch5.pheader.html
    """
    start, size, count = (
        struct.unpack_from("<Q", program, 0x20)[0],
        *struct.unpack_from("<HH", program, 0x36),
    )
    headers = (struct.unpack_from("<IIQQQQ", program, start + size * n) for n in range(count))
    end = max(offset + length for _, _, offset, _, _, length in headers)
    kept = bytearray(program[:end])
    struct.pack_into("<Q", kept, 0x28, 0)  # e_shoff: no section headers
    struct.pack_into("<HH", kept, 0x3C, 0, 0)  # e_shnum, e_shstrndx
    return bytes(kept)


def _pack(python: Path, into: Path) -> None:
    # Fixed times and owners, so that the SHA-256 is the same on every machine.
    with (
        into.open("wb") as file,
        gzip.GzipFile(fileobj=file, mode="wb", filename="", mtime=0, compresslevel=6) as stream,
        tarfile.open(fileobj=stream, mode="w") as packed,
    ):
        packed.add(python, "python", filter=_anonymous)


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = 315532801
    entry.mode &= 0o755
    return entry


if __name__ == "__main__":
    try:
        for asked in sys.argv[1:] or sorted(MODULES):
            say(str(archive(asked, stage0.ARCHES[platform.machine()])))
    except Unavailable as error:
        sys.exit(str(error))
