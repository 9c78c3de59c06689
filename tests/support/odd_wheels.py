"""Wheels with rarely used features of packaging, for tests of linked environments."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.wheels import wheel

PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
# As setuptools wrote it for `namespace_packages`.
NSPKG = (
    "import sys, types, os;has_mfs = sys.version_info > (3, 5);"
    "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('spkg',));"
    "importlib = has_mfs and __import__('importlib.util');"
    "has_mfs and __import__('importlib.machinery');"
    "m = has_mfs and sys.modules.setdefault('spkg', importlib.util.module_from_spec("
    "importlib.machinery.PathFinder.find_spec('spkg', [os.path.dirname(p)])));"
    "m = m or sys.modules.setdefault('spkg', types.ModuleType('spkg'));"
    "mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n"
)
SERVICE = """\
from twisted.application.service import ServiceMaker
odd = ServiceMaker("odd", "odd_service", "an odd service", "odd")
"""
NAMESPACES = ("odd-a", "odd-b", "odd-c")


def odd_wheels(into: Path) -> list[str]:
    """Write all wheels; return their paths."""
    into.mkdir()
    return [str(path) for path in _wheels(into)]


def _wheels(into: Path) -> Iterator[Path]:
    for name in NAMESPACES:
        letter = name[-1]
        files = {
            "pkgutil_style/__init__.py": PKGUTIL,
            f"spkg/{letter}.py": f"NAME = {letter!r}\n",
            f"{name}-nspkg.pth": NSPKG,
            f"implicit/{letter}/__init__.py": f"NAME = {letter!r}\n",
            f"implicit/data/{letter}.txt": letter,
            f"pkgutil_style/{letter}.py": f"NAME = {letter!r}\n",
        }
        yield wheel(into, name, "1.0", files)
    yield _schemes(into)
    paths = "odd_modules\n../../../share/odd/modules\nimport sys; sys.odd = sitedir\n"
    yield wheel(
        into,
        "odd-paths",
        "1.0",
        {
            "odd.pth": paths,
            "odd_modules/odd_near.py": "",
            "odd_paths-1.0.data/data/share/odd/modules/odd_far.py": "",
        },
    )
    yield wheel(into, "odd-plugin", "1.0", {"twisted/plugins/odd_plugin.py": SERVICE})
    yield from _native(into)


def _schemes(into: Path) -> Path:
    data = "odd_schemes-1.0.data"
    return wheel(
        into,
        "odd-schemes",
        "1.0",
        {
            f"{data}/data/share/odd/deep/x.txt": "share",
            f"{data}/data/etc/odd.conf": "etc",
            f"{data}/data/odd/x.txt": "top",
            f"{data}/headers/odd.h": "#define ODD 1\n",
            f"{data}/purelib/odd_pure/__init__.py": "NAME = 'pure'\n",
            f"{data}/platlib/odd_plat.py": "NAME = 'plat'\n",
            f"{data}/scripts/odd-script": "#!python\nimport sys\nprint('odd', sys.prefix)\n",
            f"{data}/scripts/odd-large": f"#!/bin/sh\necho large\nexit\n{'#' * 100_000}\n",
            "odd_schemes.py": "def main():\n    print('entry point')\n",
        },
        scripts={"odd-entry": "odd_schemes:main"},
    )


def _native(into: Path) -> Iterator[Path]:
    """Yield two wheels, one with a library that loads that of the other by `$ORIGIN`."""
    low, high = into / "libodd.so", into / "use.so"
    _compile(low, "int odd(void) { return 42; }")
    options = (f"-L{into}", "-lodd", "-Wl,-rpath,$ORIGIN/../odd_low/lib")
    _compile(high, "int odd(void); int use(void) { return odd() + 1; }", *options)
    yield wheel(into, "odd-low", "1.0", {"odd_low/lib/libodd.so": low.read_bytes()})
    code = (
        "import ctypes, pathlib\n"
        "use = ctypes.CDLL(pathlib.Path(__file__).with_name('use.so')).use\n"
    )
    files = {"odd_high/__init__.py": code.encode(), "odd_high/use.so": high.read_bytes()}
    yield wheel(into, "odd-high", "1.0", files)


def _compile(into: Path, code: str, *options: str) -> None:
    command = ("cc", "-shared", "-fPIC", "-o", str(into), "-x", "c", "-", "-x", "none", *options)
    subprocess.run(command, input=code, text=True, check=True)
