import hashlib
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.python.mirror import find_inventory
from cnb_python.python.releases import load_inventory
from cnb_python.system.interface import Download
from tools.processes import Unavailable
from tools.pythons import headers, interpreters, runtimes

CONFIG = """\
/* Define if you have it. */
#define HAVE_IT 1
/* #undef HAVE_OTHER */
#define SIZEOF_LONG 8
# define _GNU_SOURCE 1
#define NOT_IN_THE_BUILD 1
#ifndef Py_PYCONFIG_H
"""


def test_pyconfig_has_the_values_of_the_build() -> None:
    build = {"HAVE_IT": 0, "HAVE_OTHER": 1, "SIZEOF_LONG": 4, "_GNU_SOURCE": 1}

    assert headers.fitted(CONFIG, build).splitlines() == [
        "/* Define if you have it. */",
        "/* #undef HAVE_IT */",
        "#define HAVE_OTHER 1",
        "#define SIZEOF_LONG 4",
        "#define _GNU_SOURCE 1",
        "#define NOT_IN_THE_BUILD 1",
        "#ifndef Py_PYCONFIG_H",
    ]


def test_macro_that_is_zero_stays_defined() -> None:
    fitted = headers.fitted("#define HAVE_DECL_TZNAME 1\n", {"HAVE_DECL_TZNAME": 0})

    assert fitted == "#define HAVE_DECL_TZNAME 0\n"


@given(st.dictionaries(st.sampled_from(["HAVE_IT", "HAVE_OTHER", "SIZEOF_LONG"]), st.integers()))
def test_fitting_twice_changes_nothing(build: dict[str, int]) -> None:
    once = headers.fitted(CONFIG, build)

    assert headers.fitted(once, build) == once


def test_unknown_version_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(Unavailable, match=r"Python 3\.9\.1, only 3\.10\.16, "):
        interpreters.archive("3.9.1", "amd64")


def test_every_module_is_pinned_to_its_version_by_hash() -> None:
    for version, row in interpreters.MODULES.items():
        assert row["sum"].startswith("h1:")
        assert row["sum"].endswith("=")
        assert version.rpartition(".")[0].startswith("3.")
        assert "@v" in row["name"]


def test_program_without_sections_keeps_its_segments() -> None:
    program = Path(sys.executable).read_bytes()

    cut = interpreters.without_sections(program)

    assert len(cut) <= len(program)
    changed = [n for n in range(0x200) if cut[n] != program[n]]
    assert set(changed) <= {*range(0x28, 0x30), *range(0x3C, 0x40)}
    assert cut[0x200:] == program[0x200 : len(cut)]


def test_table_is_readable_by_the_buildpack(tmp_path: Path) -> None:
    archive = tmp_path / "cpython-3.14.6-linux-amd64-install_only_stripped.tar.gz"
    archive.write_bytes(b"not empty")
    table = tmp_path / "python.toml"
    table.write_text(runtimes.table([("3.14.6", "amd64", archive)]))

    [release] = find_inventory(str(table), tmp_path, no_fetch).releases

    assert (release.version, release.arch) == ("3.14.6", "amd64")
    assert release.url == archive.as_uri()
    assert release.sha256 == hashlib.sha256(b"not empty").hexdigest()


def no_fetch(download: Download, to: Path) -> None:
    pytest.fail(f"fetched {download.url} to {to}")


def test_newest_release_of_every_supported_line_is_the_default() -> None:
    lines = {row["minor"] for row in tomllib.loads(runtimes.DATA.read_text())["line"]}

    newest = runtimes.newest()

    minors = [each.rpartition(".")[0] for each in newest]
    assert len(set(minors)) == len(minors)
    assert set(minors) <= lines
    assert load_inventory(runtimes.DATA).default in minors
