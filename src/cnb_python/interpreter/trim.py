"""Which files of a CPython archive an app can use. Pure.

Left out: tests, teaching and desktop parts (with Tcl/Tk, which would also put shared libraries on
every process's LD_LIBRARY_PATH), package managers (never in an image), static libraries, manuals.

Kept on purpose: headers and `python3-config` (packages are compiled against them), and libpython:
up to 3.13 the program itself is a 20 kB stub that loads it, and from 3.14 on, where the program
holds everything, what embeds Python (uWSGI, mod_wsgi) is linked with it: 21 MB, 8 compressed.
"""

import re
from functools import cache

# Below the archive's top directory. `python3*` also is `python3.14t`, the free-threaded build.
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

# Changes with every change of the list above, so that a layer made by an older one is not kept.
FORMAT = "1"


def is_wanted(name: str) -> bool:
    """Whether the entry *name*, a path below the archive's top directory, belongs in the image.

    >>> [is_wanted(name) for name in ("lib/python3.14/test/support.py", "lib/python3.14/ast.py")]
    [False, True]
    """
    return _unwanted().match(name) is None


@cache
def _unwanted() -> re.Pattern[str]:
    # Not while this module is imported: it takes 7 ms, and most builds unpack no archive.
    from glob import translate  # noqa: PLC0415 - only needed here

    return re.compile(
        "|".join(
            translate(form, recursive=True, include_hidden=True)
            for pattern in _LEFT_OUT
            for form in (pattern, f"{pattern}/**")
        )
    )
