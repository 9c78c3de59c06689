"""Prepares a standalone build for its layer: leaves files out, and rewrites its build settings.

A build of python-build-standalone names the directory (`/install`) and the compiler (`clang`) that
it was made with in the settings that `sysconfig`, `python3-config` and pkg-config give to builds
of C extensions.
https://gregoryszorc.com/docs/python-build-standalone/main/quirks.html#references-to-build-time-paths
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

# Below the archive's top directory. `python3*` also matches `python3.14t`, the free-threaded
# build.
_LEFT_OUT = (
    *("share", "bin/2to3*", "bin/idle*", "bin/pip*", "bin/pydoc*", "bin/easy_install*"),
    *("**/__pycache__", "**/*.a"),
    *("lib/tcl*", "lib/tk*", "lib/Tk*", "lib/Tix*", "lib/itcl*", "lib/tdbc*", "lib/thread*"),
    *("lib/sqlite3.*", "lib/libtcl*", "lib/libtk*", "lib/*Config.sh"),
    *("lib/pkgconfig/tcl.pc", "lib/pkgconfig/tk.pc"),
    *("include/tcl*", "include/tk*", "include/itcl*", "include/tdbc*", "include/X11"),
    "lib/python3*/site-packages",
    *("lib/python3*/test", "lib/python3*/*/test", "lib/python3*/*/tests", "lib/python3*/idlelib"),
    *("lib/python3*/lib2to3", "lib/python3*/tkinter", "lib/python3*/turtle*"),
    *("lib/python3*/ensurepip", "lib/python3*/__phello__*", "lib/python3*/lib-dynload/_tkinter*"),
    *("lib/python3*/lib-dynload/_test*", "lib/python3*/lib-dynload/_ctypes_test*"),
    *("lib/python3*/lib-dynload/_xxtest*", "lib/python3*/lib-dynload/xx*"),
)

# Raise it with every change of the list above: layers made with an older list are then replaced.
FORMAT = "1"
_TEXTS = (
    "lib/python3*/_sysconfigdata*.py",
    "lib/python3*/_sysconfig_vars*.json",
    "lib/python3*/build-details.json",
    "lib/python3*/config-*/Makefile",
    "lib/pkgconfig/*.pc",
    "bin/python3*-config",
)
_PREFIX = re.compile(r"""^\s*["']prefix["']:\s*["']([^"']+)["']""", re.MULTILINE)
# A variable of sysconfig, of its JSON form or of a Makefile, whose value starts with a program.
_VARIABLE = re.compile(
    r"""(?P<head>^\s*["']?(?:AR|BLDSHARED|CC|CXX|LDCXXSHARED|LDSHARED|LINKCC|MAINCC)["']?\s*[:=]\s*
        ["']?)(?P<program>[\w./+-]+)""",
    re.MULTILINE | re.VERBOSE,
)
_TOOLS = {"clang": "cc", "clang++": "c++", "llvm-ar": "ar"}
# Search paths of the machine that it was built on, and options of its compiler alone.
_BUILD_FLAGS = re.compile(r"-[IL]/tools/[\w./-]+ ?|-fdebug-default-version=\d+ ?")


def belongs_in_image(name: str) -> bool:
    """Whether the entry *name*, a path below the archive's top directory, belongs in the image.

    >>> [belongs_in_image(f"lib/python3.14/{name}") for name in ("test/support.py", "ast.py")]
    [False, True]
    """
    return not _left_out().match(name)


def is_build_setting(name: str) -> bool:
    """Whether the file *name*, a path below the archive's top directory, has build settings.

    >>> [is_build_setting(f"bin/{name}") for name in ("python3.14-config", "python3.14")]
    [True, False]
    """
    return _settings().match(name) is not None


@cache
def _left_out() -> re.Pattern[str]:
    return _pattern(form for pattern in _LEFT_OUT for form in (pattern, f"{pattern}/**"))


@cache
def _settings() -> re.Pattern[str]:
    return _pattern(_TEXTS)


def _pattern(forms: Iterable[str]) -> re.Pattern[str]:
    # Not at import: it takes 7 ms, and most builds unpack no archive.
    from glob import translate  # noqa: PLC0415 - only needed here

    return re.compile(
        "|".join(translate(form, recursive=True, include_hidden=True) for form in forms)
    )


def relocated(files: Mapping[str, bytes], home: Path) -> dict[str, bytes]:
    """Return build settings, by path, for an interpreter that will be at *home*."""
    texts = {path: content.decode("utf-8", "surrogateescape") for path, content in files.items()}
    prefix = _prefix_of(texts)
    return {
        path: rewritten(text, prefix, str(home)).encode("utf-8", "surrogateescape")
        for path, text in texts.items()
    }


def rewritten(text: str, prefix: str | None, home: str) -> str:
    """Return *text* with *home* in place of *prefix*, and with the usual names of tools.

    >>> rewritten('"CC": "clang -pthread", "LIBDIR": "/install/lib"', "/install", "/layers/p")
    '"CC": "cc -pthread", "LIBDIR": "/layers/p/lib"'
    """
    text = _VARIABLE.sub(_usual_tool, text)
    text = _BUILD_FLAGS.sub("", text)
    if prefix is None:
        return text
    # Only whole paths, also those joined to a flag: neither `./install` nor `/usr/bin/install -c`.
    start, end = r"(?:(?<![\w./-])|(?<=-[ILR]))", r"(?![\w.-])"
    return re.sub(f"{start}{re.escape(prefix)}{end}", lambda _: home, text)


def _prefix_of(texts: Mapping[str, str]) -> str | None:
    """Return the prefix in the interpreter's own settings, None if they have none."""
    data = _pattern(_TEXTS[:1])
    matches = (_PREFIX.search(texts[path]) for path in sorted(texts) if data.match(path))
    return next((match[1] for match in matches if match), None)


def _usual_tool(match: re.Match[str]) -> str:
    name = match["program"].rpartition("/")[2]
    return match["head"] + _TOOLS.get(name, match["program"])
