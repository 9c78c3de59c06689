"""Which files of packages are not written until something reads them."""

from collections.abc import Collection
from copy import replace

import pytest

from cnb_python.distributions.model import Distribution
from cnb_python.provision.on_demand import OnDemand, ReadBefore, key_of
from tests.support.installed import SITE, distribution
from tests.support.on_demand_runs import layers_of

FRAME = distribution(
    "frame",
    [
        f"{SITE}/frame/__init__.py",
        f"{SITE}/frame/__pycache__/__init__.cpython-314.pyc",
        f"{SITE}/frame/forms.py",
        f"{SITE}/frame/forms.pyi",
        f"{SITE}/frame/locale/de/text.mo",
        f"{SITE}/frame/locale/fr/text.mo",
        f"{SITE}/frame-1.0.dist-info/METADATA",
    ],
)
ONE = distribution("one", [f"{SITE}/one.py", f"{SITE}/one-1.0.dist-info/METADATA"])
NATIVE = replace(
    distribution("native", [f"{SITE}/native/_x.so", f"{SITE}/native/data.bin"]),
    reaches=(f"{SITE}/libs",),
)
LIBS = distribution("libs", [f"{SITE}/libs/libx.so.1", f"{SITE}/libs/more.txt"])
ALL = (FRAME, ONE, NATIVE, LIBS)
NOTHING = ReadBefore(frozenset(), frozenset(), frozenset())


def chosen(
    reads: ReadBefore | None,
    distributions: Collection[Distribution] = ALL,
    usable: Collection[str] | None = None,
) -> tuple[OnDemand, list[str]]:
    """Return what is not written at first, and the names of what is written later."""
    on_demand, written = OnDemand(reads), list[str]()
    names = [item.name for item in distributions] if usable is None else usable
    on_demand.choose(layers_of(distributions), names)
    on_demand.begin(lambda name, paths: written.append(f"{name} {len(paths)}"))
    return on_demand, written


def read(
    *paths: str, directories: Collection[str] = (), listed: Collection[str] = ()
) -> ReadBefore:
    below = (frozenset(f"{SITE}/{path}" for path in each) for each in (directories, listed))
    return ReadBefore(frozenset(key_of(f"{SITE}/{path}") for path in paths), *below)


def test_without_a_record_everything_is_written() -> None:
    assert chosen(None)[0].absent == {}


def test_small_parts_are_always_written() -> None:
    absent = chosen(NOTHING)[0].absent

    assert absent.keys() == {"frame", "one", "native", "libs"}
    assert absent["one"] == {f"{SITE}/one.py"}


def test_files_that_were_read_are_written_with_all_forms_of_their_module() -> None:
    absent = chosen(read("frame/__pycache__/__init__.cpython-314.pyc", "frame/forms.py"))[0].absent

    assert absent["frame"] == {
        f"{SITE}/frame/locale/de/text.mo",
        f"{SITE}/frame/locale/fr/text.mo",
    }


def test_distribution_with_native_code_is_written_whole_with_its_libraries() -> None:
    assert chosen(read("native/_x.so"))[0].absent.keys() == {"frame", "one"}


def test_directory_that_was_seen_exists() -> None:
    absent = chosen(read("frame/__init__.py", directories=["frame/locale/fr"]))[0].absent

    assert f"{SITE}/frame/locale/fr/text.mo" not in absent["frame"]
    assert f"{SITE}/frame/locale/de/text.mo" in absent["frame"]


def test_directory_that_was_listed_has_all_entries() -> None:
    absent = chosen(read(listed=["frame", "frame/locale"]))[0].absent

    assert "frame" not in absent


def test_only_intact_archives_of_temporary_layers_are_left_out() -> None:
    assert chosen(NOTHING, usable=["one"])[0].absent.keys() == {"one"}
    on_demand = OnDemand(NOTHING)
    on_demand.choose(layers_of(ALL)._replace(same=frozenset()), ["one", "frame"])
    assert on_demand.absent == {}


@pytest.mark.parametrize("name", ["x.pth", "sitecustomize.py", "usercustomize/__init__.py"])
def test_code_that_runs_at_startup_turns_it_off(name: str) -> None:
    startup = distribution("startup", [f"{SITE}/{name}"])

    assert (chosen(NOTHING, (*ALL, startup))[0].absent == {}) == (not name.endswith("__init__.py"))


def test_pth_file_of_setuptools_does_not_turn_it_off() -> None:
    setuptools = distribution("setuptools", [f"{SITE}/distutils-precedence.pth"])

    assert chosen(NOTHING, (*ALL, setuptools))[0].absent.keys() == {item.name for item in ALL}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("one.py", ["one 1"]),
        ("frame/forms.py", ["frame 6"]),
        ("frame/locale", ["frame 6"]),
        ("frame/locale/xx/new.mo", []),
        ("frame/new.txt", ["frame 6"]),
        ("two.py", []),
        ("native/_x.so", ["libs 2", "native 2"]),
    ],
)
def test_path_that_does_not_exist_is_written(path: str, expected: list[str]) -> None:
    on_demand, written = chosen(NOTHING)

    assert on_demand.need_path(f"{SITE}/{path}") == bool(expected)
    assert sorted(written) == expected
    assert not on_demand.need_path(f"{SITE}/{path}")


@pytest.mark.parametrize(
    ("directory", "name", "expected"),
    [
        ("", "one", ["one 1"]),
        ("", "frame", ["frame 6"]),
        ("/frame", "forms", ["frame 6"]),
        ("", "sys", []),
        ("/frame", "none", []),
    ],
)
def test_module_is_written(directory: str, name: str, expected: list[str]) -> None:
    on_demand, written = chosen(NOTHING)

    assert on_demand.need_module(f"{SITE}{directory}", name) == bool(expected)
    assert written == expected


def test_listing_of_a_directory_writes_its_entries() -> None:
    on_demand, written = chosen(read("frame/__init__.py", "frame/locale/fr/text"))

    assert not on_demand.need_listing(f"{SITE}/frame/locale/fr")
    assert on_demand.need_listing(f"{SITE}/frame/locale")
    assert written == ["frame 3"]


def test_everything_is_written_once() -> None:
    on_demand, written = chosen(NOTHING)

    assert on_demand.need_everything()
    assert not on_demand.need_everything()
    assert sorted(on_demand.requested) == ["frame", "libs", "native", "one"]
    assert len(written) == 4
