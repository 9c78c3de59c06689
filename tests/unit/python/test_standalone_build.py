"""Build settings name the new directory and the usual tools."""

from pathlib import Path

import pytest

from cnb_python.python.standalone_build import is_build_setting, relocated, rewritten

HOME = "/layers/cnb-python_python/python"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('    "CC": "clang -pthread",', '    "CC": "cc -pthread",'),
        (" 'CXX': 'clang++ -pthread',", " 'CXX': 'c++ -pthread',"),
        ('"AR": "/tools/llvm/bin/llvm-ar",', '"AR": "ar",'),
        ('"LDSHARED": "clang -shared",', '"LDSHARED": "cc -shared",'),
        ("CC=\t\tclang -pthread", "CC=\t\tcc -pthread"),
        ("AR=\t\t/tools/clang-linux64/bin/llvm-ar", "AR=\t\tar"),
        ('"CC": "/usr/bin/gcc -pthread"', '"CC": "/usr/bin/gcc -pthread"'),
        ('"CC": "clang-format"', '"CC": "clang-format"'),
        ('"LIBDIR": "/install/lib",', f'"LIBDIR": "{HOME}/lib",'),
        ('"prefix": "/install",', f'"prefix": "{HOME}",'),
        ("'--prefix=/install' '--x'", f"'--prefix={HOME}' '--x'"),
        ("-I/install/include -L/install/lib", f"-I{HOME}/include -L{HOME}/lib"),
        ("prefix=/install\n", f"prefix={HOME}\n"),
        ('"INSTALL": "/usr/bin/install -c",', '"INSTALL": "/usr/bin/install -c",'),
        ('"X": "/install-sh ./install/lib"', '"X": "/install-sh ./install/lib"'),
        ('"LDFLAGS": "-L/tools/deps/lib -lm"', '"LDFLAGS": "-lm"'),
        ('"CFLAGS": "-g -fdebug-default-version=4 -O3"', '"CFLAGS": "-g -O3"'),
    ],
)
def test_only_paths_and_programs_are_rewritten(old: str, new: str) -> None:
    assert rewritten(old, "/install", HOME) == new


def test_without_a_prefix_paths_are_not_rewritten() -> None:
    assert rewritten('"LIBDIR": "/install/lib"', None, HOME) == '"LIBDIR": "/install/lib"'


def test_backslashes_in_the_home_are_literal() -> None:
    assert rewritten("/install/lib", "/install", r"/a\1b") == r"/a\1b/lib"


def settings(prefix: str) -> dict[str, bytes]:
    texts = {
        "lib/python3.14/_sysconfigdata__x.py": f'v = {{\n  "prefix": "{prefix}",\n}}\n',
        "lib/python3.14/_sysconfig_vars__x.json": f'{{\n  "LIBDIR": "{prefix}/lib"\n}}\n',
        "lib/python3.14/config-3.14-x/Makefile": f"prefix=\t{prefix}\nCC=\t\tclang\n",
        "lib/python3.14/build-details.json": f'{{"base_prefix": "{prefix}"}}\n',
        "lib/pkgconfig/python-3.14.pc": f"prefix={prefix}\n",
        "bin/python3.14-config": f'prefix="{prefix}"\n',
    }
    return {path: text.encode() for path, text in texts.items()}


@pytest.mark.parametrize("prefix", ["/install", "/opt/python 3", "/home/me/+build"])
def test_the_prefix_is_read_from_the_interpreters_settings(prefix: str) -> None:
    new = {path: text.decode() for path, text in relocated(settings(prefix), Path(HOME)).items()}

    assert new.keys() == settings(prefix).keys()
    assert all(HOME in text and prefix not in text for text in new.values())
    assert "CC=\t\tcc" in new["lib/python3.14/config-3.14-x/Makefile"]


def test_files_with_build_settings_are_recognized() -> None:
    other = ("lib/python3.14/other.py", "lib/python3.14/config-3.14-x/a/Makefile", "bin/python3")

    assert [path for path in (*settings(""), *other) if is_build_setting(path)] == [*settings("")]


def test_without_an_interpreters_settings_only_programs_are_rewritten() -> None:
    files = {"bin/python3-config": b'prefix="/install"\nCC="clang"\n'}

    assert relocated(files, Path(HOME)) == {"bin/python3-config": b'prefix="/install"\nCC="cc"\n'}


def test_bytes_that_are_not_utf_8_are_kept() -> None:
    assert relocated({"lib/pkgconfig/a.pc": b"# \xff"}, Path(HOME)) == {
        "lib/pkgconfig/a.pc": b"# \xff"
    }
