"""Making roots of wheels, also of hostile ones."""

import contextlib
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.distributions import wheel
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.distributions.scan import walk
from cnb_python.errors.packages.install import DamagedPackage
from tests.support.stages import FINAL, SITE

INFO = "evil-1.0.dist-info"
METADATA = "Metadata-Version: 2.1\nName: Evil\nVersion: 1.0\n"
DATA = "evil-1.0.data"


def archive(
    directory: Path, files: Mapping[str, str], modes: Mapping[str, int] | None = None
) -> Path:
    """Write a wheel with *files*, as they are named, and with a METADATA."""
    path = directory / "evil-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, content in {f"{INFO}/METADATA": METADATA, **files}.items():
            member = zipfile.ZipInfo()
            # The constructor would cut the name at a zero byte.
            member.filename = name
            member.external_attr = (modes or {}).get(name, 0o100644) << 16
            file.writestr(member, content)
    return path


def unpacked(directory: Path, files: Mapping[str, str]) -> Path:
    """Return a directory with *files* and a METADATA, as uv unpacks a wheel."""
    into = directory / "archive"
    for name, content in {f"{INFO}/METADATA": METADATA, **files}.items():
        (into / name).parent.mkdir(parents=True, exist_ok=True)
        (into / name).write_text(content)
    return into


def root_of(directory: Path, files: Mapping[str, str]) -> Path:
    """Return the root that is made of a wheel with *files*."""
    root = DistributionRoot(directory / "root", FINAL, "3.14")
    wheel.make_root(wheel.read(unpacked(directory, files)), root)
    return root.path


def contents(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): path.read_text()
        for path in root.rglob("*")
        if path.is_file() and INFO not in str(path)
    }


def test_files_of_wheel_are_unpacked_with_modes_of_image(tmp_path: Path) -> None:
    modes = {"a/run": 0o100700, "a/x.py": 0o100600, "suid": 0o104755, "device": 0o020755}
    file = archive(tmp_path, {"a/": "", **dict.fromkeys(modes, "1")}, modes)

    wheel.unpack(file, tmp_path / "into")

    unpacked = {name: stat.S_IMODE((tmp_path / "into" / name).stat().st_mode) for name in modes}
    assert unpacked == {"a/run": 0o755, "a/x.py": 0o644, "suid": 0o755, "device": 0o644}


@pytest.mark.parametrize(
    "name",
    [
        *("../evil.py", "a/../../evil.py", "/evil.py", "//evil.py", "a//b.py", ".", "./a.py"),
        *("..", "a/..", "a/../b.py", "../", "/"),
    ],
)
def test_wheel_whose_names_lead_outside_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(archive(tmp_path, {name: "x"}), tmp_path / "below/into")

    assert "leads out of it" in raised.value.problem
    assert not list(tmp_path.rglob("evil.py"))


@given(name=st.text(st.sampled_from("a./\\\0\u00e9"), min_size=1, max_size=9))
def test_no_name_leads_outside(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    directory = tmp_path_factory.mktemp("wheel")
    file = archive(directory, {name: "x"})
    into = directory / "below/into"

    with contextlib.suppress(DamagedPackage):
        wheel.unpack(file, into)

    outside = [path for path in directory.rglob("*") if not path.is_relative_to(into)]
    assert sorted(outside) == [directory / "below", file]


@pytest.mark.parametrize(
    ("files", "shown"),
    [
        ({"a": "x", "a/b.py": "x"}, "'a'"),
        ({"a/b.py": "x", "a": "x"}, "'a'"),
        ({"pkg/a": "x", "pkg/a/b/c.py": "x"}, "'pkg/a"),
    ],
)
def test_path_that_is_a_file_and_a_directory_is_named(
    tmp_path: Path, files: dict[str, str], shown: str
) -> None:
    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(archive(tmp_path, files), tmp_path / "into")

    assert f"it contains {shown}" in raised.value.problem
    assert raised.value.problem.endswith("both as a file and as a directory")


def test_name_that_the_file_system_refuses_is_shown_in_part(tmp_path: Path) -> None:
    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(archive(tmp_path, {"a" * 300: "x"}), tmp_path / "into")

    start = "the file system does not accept the name 'aaaa"
    assert raised.value.problem.startswith(start)
    assert raised.value.problem.endswith("aa'...: File name too long")


def test_link_in_wheel_is_unpacked_as_file(tmp_path: Path) -> None:
    file = archive(tmp_path, {"link": "/etc/passwd"}, {"link": 0o120777})

    wheel.unpack(file, tmp_path / "into")

    link = tmp_path / "into/link"
    assert not link.is_symlink()
    assert link.read_text() == "/etc/passwd"


def test_last_of_equal_names_counts(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a.py": "first"})
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("a.py", "second")

    wheel.unpack(path, tmp_path / "into")

    assert (tmp_path / "into/a.py").read_text() == "second"


@pytest.mark.parametrize("names", [("a", "a/b"), ("a/b", "a"), ("a", "a/"), ("x" * 300,)])
def test_names_that_cannot_be_written_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(DamagedPackage):
        wheel.unpack(archive(tmp_path, dict.fromkeys(names, "1")), tmp_path / "into")


def test_wheel_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_BZIP2) as file:
        # As its directory claims: nothing of it is unpacked to find out.
        file.writestr("bomb", bytes(1 << 20))
        file.getinfo("bomb").file_size = 1 << 40
        file.getinfo("bomb").extra = b""

    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(path, tmp_path / "into")

    assert raised.value.problem.endswith(" bytes would become 1,048,576 MB")
    assert [*(tmp_path / "into").iterdir()] == []


@pytest.mark.filterwarnings("ignore:Overlapped entries")
def test_overlapping_entries_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a": "x" * 5000, "b": "y" * 5000})
    content = path.read_bytes()
    # The entry b begins where a does, as in https://www.bamsoftware.com/hacks/zipbomb/
    with zipfile.ZipFile(path) as file:
        first, second = (file.getinfo(name).header_offset for name in "ab")
    at = content.rindex(second.to_bytes(4, "little"), 0, len(content) - 22)
    path.write_bytes(content[:at] + first.to_bytes(4, "little") + content[at + 4 :])

    with pytest.raises(DamagedPackage):
        wheel.unpack(path, tmp_path / "into")


def test_too_many_directories_inside_each_other_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"a/" * 1200 + "x": ""})

    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(path, tmp_path / "into")

    assert raised.value.problem.endswith(" has too many directories")


@pytest.mark.parametrize(
    "name", ["a\nb.py", "::error::.py", "\x1b[31m.py", "A.py", "\u0061\u0301.py"]
)
def test_odd_name_stays_what_it_is(tmp_path: Path, name: str) -> None:
    wheel.unpack(archive(tmp_path, {name: "1", "a.py": "2"}), tmp_path / "into")

    assert (tmp_path / "into" / name).read_text() == "1"
    assert (tmp_path / "into/a.py").read_text() == "2"


def test_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path, {"secret.py": "x"})
    content = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as file:
        content[file.getinfo("secret.py").header_offset + 6] |= 1
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)

    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(path, tmp_path / "into")

    assert raised.value.problem == "'secret.py' is encrypted"


@pytest.mark.parametrize("content", [b"", b"PK", b"<html>"])
def test_file_that_is_no_wheel_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "evil-1.0-py3-none-any.whl"
    file.write_bytes(content)

    with pytest.raises(DamagedPackage):
        wheel.unpack(file, tmp_path / "into")


def test_changed_wheel_is_refused(tmp_path: Path) -> None:
    file = archive(tmp_path, {"a.py": "the content"})
    file.write_bytes(file.read_bytes().replace(b"the content", b"other bytes"))

    with pytest.raises(DamagedPackage) as raised:
        wheel.unpack(file, tmp_path / "into")

    assert "CRC" in raised.value.problem


@pytest.mark.parametrize("others", [("other-1.0.dist-info",), ("evil-2.0.dist-info",)])
def test_wheel_with_two_descriptions_is_refused(tmp_path: Path, others: tuple[str, ...]) -> None:
    files = {f"{other}/METADATA": METADATA for other in others}

    with pytest.raises(DamagedPackage) as raised:
        wheel.read(unpacked(tmp_path, files))

    assert others[0] in raised.value.problem


def test_wheel_without_description_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    with pytest.raises(DamagedPackage):
        wheel.read(tmp_path)

    (tmp_path / INFO).mkdir()
    with pytest.raises(DamagedPackage):
        wheel.read(tmp_path)


def test_name_is_that_in_metadata(tmp_path: Path) -> None:
    (tmp_path / "other-1.0.dist-info").mkdir()
    (tmp_path / "other-1.0.dist-info/METADATA").write_text(METADATA)

    assert wheel.read(tmp_path).name == "evil"


def test_data_is_spread_over_environment(tmp_path: Path) -> None:
    root = root_of(
        tmp_path,
        {
            "evil/__init__.py": "original",
            f"{DATA}/purelib/evil/pure.py": "pure",
            f"{DATA}/platlib/evil/plat.py": "plat",
            f"{DATA}/scripts/run": "#!/bin/sh\n",
            f"{DATA}/headers/evil.h": "header",
            f"{DATA}/data/share/evil/x.txt": "share",
            f"{DATA}/data/{SITE}/evil/__init__.py": "replaced",
            f"{DATA}/data/lib64/evil.so": "library",
            "Evil-1.0.data/data/x": "not its own",
        },
    )

    assert contents(root) == {
        f"{SITE}/evil/__init__.py": "replaced",
        f"{SITE}/evil/pure.py": "pure",
        f"{SITE}/evil/plat.py": "plat",
        f"{SITE}/Evil-1.0.data/data/x": "not its own",
        "bin/run": "#!/bin/sh\n",
        "include/site/python3.14/evil/evil.h": "header",
        "share/evil/x.txt": "share",
        "lib/evil.so": "library",
    }


@pytest.mark.parametrize("first", ["#!python", "#!pythonw", "#!python3 -u", "#!python\r"])
def test_scripts_start_python_of_environment(tmp_path: Path, first: str) -> None:
    root = root_of(
        tmp_path,
        {f"{DATA}/scripts/run": f"{first}\nprint()\n", f"{DATA}/data/bin/raw": f"{first}\n"},
    )

    assert contents(root)["bin/run"] == f"#!{FINAL}/bin/python\nprint()\n"
    assert contents(root)["bin/raw"] == f"{first}\n".replace("\r\n", "\n")


def test_files_of_environment_itself_are_not_taken(tmp_path: Path) -> None:
    reserved = ("pyvenv.cfg", "bin/python", "bin/python3", "bin/python3.14")
    files = {f"{DATA}/data/{name}": "evil" for name in reserved}

    root = root_of(tmp_path, {**files, f"{DATA}/scripts/python": "#!python\n", "evil.py": ""})

    assert set(walk(root, "3.14")) == {f"{SITE}/{INFO}/METADATA", f"{SITE}/evil.py"}


@pytest.mark.parametrize("name", ["unknown/x", "file", "../purelib/x"])
def test_unknown_data_is_refused(tmp_path: Path, name: str) -> None:
    path = "evil-1.0.data/x/../unknown/x" if name.startswith("..") else f"{DATA}/{name}"
    (tmp_path / "archive/evil-1.0.data/x").mkdir(parents=True)

    with pytest.raises(DamagedPackage):
        root_of(tmp_path, {path: "x"})


@pytest.mark.parametrize(
    "files",
    [
        {"evil": "file", f"{DATA}/purelib/evil/x": ""},
        {"evil/x": "", f"{DATA}/purelib/evil": "file"},
        {f"{DATA}/data/bin": "file", f"{DATA}/scripts/run": ""},
        {f"{DATA}/data/lib": "file"},
    ],
)
def test_data_in_place_of_directory_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(DamagedPackage) as raised:
        root_of(tmp_path, files)

    assert "is a file and a directory" in raised.value.problem
