"""Recognises what compilers, linkers and build tools say they miss."""

import re

from cnb_python.managers.libraries import Kind

# The first that matches is the reason: what is more certain stands higher.
_PATTERNS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    # Compilers and linkers.
    ("header", re.compile(r"fatal error: ([\w./+-]+): No such file or directory")),
    ("header", re.compile(r"fatal error: '([\w./+-]+)' file not found")),
    (
        "library",
        re.compile(
            r"\bld(?:\.\w+)?: (?:error: )?(?:cannot|unable to) find (?:library )?-l(\S+?):?\s"
        ),
    ),
    ("program", re.compile(r"collect2: fatal error: cannot find [\u2018'`](\w+)")),
    ("library", re.compile(r"lib([\w+.-]+?)\.so[\d.]*: cannot open shared object file")),
    # Packages' own words.
    ("program", re.compile(r"(pg_config) executable not found")),
    ("program", re.compile(r"\b([a-z0-9]+[-_]config)(?:: | )not found")),
    ("library", re.compile(r"Specify (\w+)_CFLAGS and \w+_LDFLAGS env vars")),  # mysqlclient
    ("library", re.compile(r"in library (libxml2)\. Is libxml2 installed")),  # lxml
    ("library", re.compile(r"(libxml2) and libxslt development packages are installed")),
    ("library", re.compile(r"headers or library files could not be found for (\w+)")),  # Pillow
    ("library", re.compile(r"Could not find a local (HDF5) installation")),
    # pkg-config, Meson, CMake.
    ("program", re.compile(r"Did not find (pkg-config)")),
    (
        "program",
        re.compile(r"(Pkg-config|CMake)(?: binary)? for machine .* not found", re.IGNORECASE),
    ),
    ("library", re.compile(r"Package '?([^\s']+)'? was not found in the pkg-config search path")),
    (
        "library",
        re.compile(r"(?:No package|Package) '([^']+)'(?:, required by '[^']+', not)? found"),
    ),
    ("library", re.compile(r"ERROR: Dependency [\"']([^\"']+)[\"'] not found")),
    ("library", re.compile(r"ERROR: \w+ shared or static library '([^']+)' not found")),
    # Meson looks for CMake wherever pkg-config knows nothing: what it looked for stands above.
    ("program", re.compile(r"Did not find (CMake)")),
    ("program", re.compile(r"Unknown (?:compiler|linker)\(s\): \[+'([^']+)'")),
    ("program", re.compile(r"no (?:Fortran|F) compiler found|No (?P<name>Fortran) compiler")),
    ("library", re.compile(r"By not providing \"Find(\w+)\.cmake\"")),
    ("library", re.compile(r"CMake Error at .*\n\s+Could NOT find (\w+)")),
    ("program", re.compile(r"No (CMAKE_C(?:XX)?_COMPILER|CMAKE_Fortran_COMPILER) could be found")),
    (
        "program",
        re.compile(
            r"Could not find (?:the )?compiler (?:specified|set) in (?:the )?environment variable"
            r"\s+\w+:\s+([\w.+-]+?)\.?\s"
        ),
    ),
    ("program", re.compile(r"(CMake|Ninja) must be installed|Could not find (CMake|Ninja) with")),
    # Rust. "Rust not found, installing" is no complaint: maturin goes and gets it.
    (
        "program",
        re.compile(r"(Rust) not found(?!, installing)|can't find (Rust) compiler", re.IGNORECASE),
    ),
    ("program", re.compile(r"(Cargo), the Rust package manager, is not installed")),
    # Whatever is started and not there.
    ("program", re.compile(r"rror: \[Errno 2\] No such file or directory: '([^'/ ]+)'")),
    ("program", re.compile(r"error: command '([^'/]+)' failed: No such file or directory")),
    ("program", re.compile(r"unable to execute '?([\w.+-]+)'?: No such file")),
    ("program", re.compile(r"\bsh: (?:line )?\d+: ([\w.+-]+): (?:command )?not found")),
    ("program", re.compile(r"make(?:\[\d+\])?: ([\w.+-]+): No such file or directory")),
)
# How those that build call what a shell would start.
_PROGRAMS = {
    "CMAKE_C_COMPILER": "cc",
    "CMAKE_CXX_COMPILER": "c++",
    "CMAKE_Fortran_COMPILER": "gfortran",
    "Fortran": "gfortran",
    "gcc-ar": "ar",
    "Pkg-config": "pkg-config",
}
_OF_A_TARGET = re.compile(r"\w+-linux-gnu-(\w\S*)")


def missing(told: str) -> tuple[Kind, str] | None:
    """Return what a build misses by what it *told*, None where it does not say so."""
    for kind, pattern in _PATTERNS:
        if found := pattern.search(told):
            name = next(filter(None, found.groups()), "Fortran")
            return kind, _plain(name)
    return None


def _plain(name: str) -> str:
    target = _OF_A_TARGET.fullmatch(name)
    return _PROGRAMS.get(name, target[1] if target else name)
