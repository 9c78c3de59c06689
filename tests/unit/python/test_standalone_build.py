"""Build settings name the new directory and the usual tools."""

from pathlib import Path

import pytest

from cnb_python.python.standalone_build import relocate, rewritten

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


def tree(root: Path, prefix: str) -> dict[str, Path]:
    texts = {
        "lib/python3.14/_sysconfigdata__x.py": f'v = {{\n  "prefix": "{prefix}",\n}}\n',
        "lib/python3.14/_sysconfig_vars__x.json": f'{{\n  "LIBDIR": "{prefix}/lib"\n}}\n',
        "lib/python3.14/config-3.14-x/Makefile": f"prefix=\t{prefix}\nCC=\t\tclang\n",
        "lib/python3.14/build-details.json": f'{{"base_prefix": "{prefix}"}}\n',
        "lib/python3.14/other.py": f"# {prefix}\n",
        "lib/pkgconfig/python-3.14.pc": f"prefix={prefix}\n",
        "bin/python3.14-config": f'prefix="{prefix}"\n',
    }
    for name, text in texts.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return {name: root / name for name in texts}


@pytest.mark.parametrize("prefix", ["/install", "/opt/python 3", "/home/me/+build"])
def test_the_prefix_is_read_from_the_interpreters_settings(prefix: str, tmp_path: Path) -> None:
    paths = tree(tmp_path, prefix)

    relocate(tmp_path, Path(HOME))

    kept = paths.pop("lib/python3.14/other.py")
    assert kept.read_text() == f"# {prefix}\n"
    for path in paths.values():
        assert HOME in path.read_text()
        assert prefix not in path.read_text()
    assert "CC=\t\tcc" in paths["lib/python3.14/config-3.14-x/Makefile"].read_text()


def test_a_link_is_not_rewritten(tmp_path: Path) -> None:
    tree(tmp_path, "/install")
    link = tmp_path / "bin/python3-config"
    link.symlink_to("python3.14-config")

    relocate(tmp_path, Path(HOME))

    assert link.is_symlink()
    assert link.read_text() == f'prefix="{HOME}"\n'


def test_an_interpreter_without_settings_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()

    relocate(tmp_path, Path(HOME))

    assert [path.name for path in tmp_path.rglob("*")] == ["bin"]
