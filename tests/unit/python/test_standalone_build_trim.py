"""The files of a standalone build that belong in an image."""

import pytest

from cnb_python.python.standalone_build import belongs_in_image


@pytest.mark.parametrize(
    "name",
    [
        *("bin", "bin/python", "bin/python3", "bin/python3.14", "bin/python3.14t"),
        *("bin/python3-config", "include/python3.14/Python.h", "include/python3.14/cpython"),
        *("lib/libpython3.14.so.1.0", "lib/pkgconfig/python-3.14.pc", "lib/python3.14"),
        *("lib/python3.14/os.py", "lib/python3.14/unittest/case.py", "lib/python3.14/pydoc.py"),
        *("lib/python3.14/venv/__init__.py", "lib/python3.14/sqlite3/__init__.py"),
        *("lib/python3.14/doctest.py", "lib/python3.14/threading.py", "lib/python3.14/token.py"),
        *("lib/python3.10/distutils/core.py", "lib/python3.14t/json/__init__.py"),
        *("lib/python3.14/lib-dynload/_dbm.cpython-314-x86_64-linux-gnu.so",),
        *("lib/python3.14/config-3.14-x86_64-linux-gnu/Makefile",),
        *("lib/python3.14/_sysconfigdata__linux_x86_64-linux-gnu.py",),
    ],
)
def test_a_file_that_apps_use_is_kept(name: str) -> None:
    assert belongs_in_image(name)


@pytest.mark.parametrize(
    "name",
    [
        *("lib/python3.14/test", "lib/python3.14/test/support/__init__.py"),
        *("lib/python3.10/unittest/test/test_case.py", "lib/python3.11/distutils/tests/x.py"),
        *("lib/python3.14/idlelib/idle.py", "lib/python3.14/tkinter/__init__.py"),
        *("lib/python3.14/turtledemo/clock.py", "lib/python3.14/turtle.py"),
        *("lib/python3.12/lib2to3/main.py", "lib/python3.14/ensurepip/_bundled/pip-26.whl"),
        *("lib/python3.14/site-packages/pip/__main__.py", "lib/python3.14/site-packages/x.pth"),
        *("lib/python3.14t/test/regrtest.py", "lib/python3.14/__pycache__/os.cpython-314.pyc"),
        *("lib/python3.14/lib-dynload/_tkinter.cpython-314-x86_64-linux-gnu.so",),
        *("lib/python3.14/lib-dynload/_testcapi.cpython-314-x86_64-linux-gnu.so",),
        *("lib/python3.14/config-3.14-x86_64-linux-gnu/libpython3.14.a",),
        *("lib/libtcl9.0.so", "lib/libtcl9tk9.0.so", "lib/tcl8.6/init.tcl", "lib/tk8.6/tk.tcl"),
        *("lib/itcl4.3.5/libtcl9itcl4.3.5.so", "lib/thread3.0.4/libtcl9thread3.0.4.so"),
        *("bin/pip", "bin/pip3.14", "bin/idle3", "bin/pydoc3.14", "bin/2to3-3.12"),
        *("share/man/man1/python3.1", "share/terminfo/x/xterm"),
    ],
)
def test_a_file_that_no_app_uses_is_left_out(name: str) -> None:
    assert not belongs_in_image(name)
