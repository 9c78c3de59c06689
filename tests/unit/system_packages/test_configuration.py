"""What the installation of packages would write, and where builds search in both trees."""

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system_packages.contents import Contents, UnpackRequest, unpack
from cnb_python.system_packages.deb import Deb
from cnb_python.system_packages.request import Requested
from tests.support.debs import DebFile
from tests.support.fake_system import Log, Programs, refuse_fetch

X = "x86_64-linux-gnu"
SQLITE = DebFile(
    "libsqliteodbc",
    {"Section": "libs"},
    {
        f"usr/lib/{X}/odbc/libsqlite3odbc.so": "S",
        "usr/share/sqliteodbc/unixodbc.ini": "[SQLite3]\nDriver=libsqlite3odbc.so\n",
        "usr/share/sqliteodbc/example.ini": "[Example]\nDriver=SQLite3\n",
    },
    scripts={"postinst": "odbcinst -i -d -f /usr/share/sqliteodbc/unixodbc.ini\n"},
)
TDS = DebFile(
    "tdsodbc",
    {"Section": "libs"},
    {"usr/share/tdsodbc/odbcinst.ini": "[FreeTDS]\nDriver=libtdsodbc.so\n"},
)
MIME = DebFile(
    "shared-mime-info",
    {"Section": "misc"},
    {
        "usr/share/pkgconfig/shared-mime-info.pc": "prefix=/usr\n",
        "usr/bin/mime-config": "#!/bin/sh\necho /usr/share/mime\n",
    },
    modes={"usr/bin/mime-config": 0o755},
)
PROTOCOL = DebFile(
    "x11proto-dev",
    {"Section": "x11"},
    {"usr/include/X11/X.h": "H", "usr/share/pkgconfig/xproto.pc": "prefix=/usr\n"},
)


SPOKEN = DebFile("espeak-ng-data", files={f"usr/lib/{X}/espeak-ng-data/phontab": "P"})
POSTSCRIPT = DebFile(
    "libgs9-common",
    files={
        "usr/share/ghostscript/10.00.0/Resource/Init/gs_init.ps": "I",
        "usr/share/ghostscript/10.00.0/lib/pdf2dsc.ps": "L",
    },
)
SHARED = DebFile(
    "gsettings-desktop-schemas",
    files={
        "usr/share/glib-2.0/schemas/a.gschema.xml": "S",
        "usr/share/mime/packages/a.xml": "M",
        f"usr/lib/{X}/glib-2.0/glib-compile-schemas": "",
        "usr/bin/update-mime-database": "",
    },
)


def _nothing(command: Command) -> Outcome:
    raise AssertionError(command)


def contents(
    directory: Path,
    packages: Sequence[DebFile],
    answer: Callable[[Command], Outcome] = _nothing,
) -> Contents:
    debs = {each.name: Deb(each.write(directory)) for each in packages}
    run, development = directory / "run", directory / "development"
    run.mkdir()
    development.mkdir()
    system = System(
        Programs(answer), refuse_fetch, Log(), date(2026, 1, 1), 2, root=directory / "root"
    )
    requested = [Requested(name, "") for name in debs]
    return unpack(UnpackRequest(debs, requested, run, development, X, system))


def test_odbc_drivers_are_registered(tmp_path: Path) -> None:
    unpacked = contents(tmp_path, (SQLITE, TDS))

    text = (tmp_path / "run/etc/odbcinst.ini").read_text()
    assert text.splitlines() == [
        "[SQLite3]",
        "Driver=libsqlite3odbc.so",
        "",
        "[FreeTDS]",
        "Driver=libtdsodbc.so",
    ]
    assert f"{tmp_path}/run/etc" in {each.value for each in unpacked.launch}


def test_fonts_have_the_rules_of_their_packages(tmp_path: Path) -> None:
    files = {"etc/fonts/fonts.conf": "<fontconfig/>", "etc/fonts/conf.d/60-latin.conf": "L"}

    unpacked = contents(tmp_path, (DebFile("fontconfig-config", files=files),))

    own = tmp_path / "run/etc/fonts/cnb-python.conf"
    assert f">{tmp_path}/run/etc/fonts/conf.d</include>" in own.read_text()
    assert ("FONTCONFIG_FILE", "default", str(own)) in unpacked.launch


def test_builds_search_what_the_image_gets_too(tmp_path: Path) -> None:
    unpacked = contents(tmp_path, (MIME, PROTOCOL))

    assert unpacked.run_packages == {"shared-mime-info"}
    variables = {each.name: each.value for each in unpacked.build}
    trees = [tmp_path / "development", tmp_path / "run"]
    assert variables["PKG_CONFIG_PATH"] == ":".join(
        f"{tree}/usr/share/pkgconfig" for tree in trees
    )
    assert variables["CPATH"] == f"{trees[0]}/usr/include"
    for tree, name in zip(trees, ("xproto", "shared-mime-info"), strict=True):
        assert (tree / f"usr/share/pkgconfig/{name}.pc").read_text() == f"prefix={tree}/usr\n"
    program = tmp_path / "run/usr/bin/mime-config"
    assert program.read_text() == f"#!/bin/sh\necho {tmp_path}/run/usr/share/mime\n"
    assert program.stat().st_mode & 0o111


def test_variables_name_each_directory_once(tmp_path: Path) -> None:
    ran: list[tuple[str, ...]] = []

    def answer(command: Command) -> Outcome:
        ran.append(command.argv)
        return Outcome(0, "")

    unpacked = contents(tmp_path, (SPOKEN, POSTSCRIPT, SHARED), answer)

    run = tmp_path / "run/usr"
    scripts = run / "share/ghostscript/10.00.0"
    variables = {each.name: each.value for each in unpacked.launch}
    assert variables["ESPEAK_DATA_PATH"] == f"{run}/lib/{X}"
    assert variables["GS_LIB"] == f"{scripts}/Resource/Init:{scripts}/lib"
    assert variables["XDG_DATA_DIRS"] == f"{run}/share:/usr/local/share:/usr/share"
    assert ran == [
        (f"{run}/lib/{X}/glib-2.0/glib-compile-schemas", f"{run}/share/glib-2.0/schemas"),
        (f"{run}/bin/update-mime-database", f"{run}/share/mime"),
    ]
