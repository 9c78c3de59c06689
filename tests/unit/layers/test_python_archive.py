"""Downloaded archives: unpacked safely and in one form, or refused."""

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable, Iterable
from compression import zstd
from pathlib import Path

import pytest

from cnb_python.errors.downloads import DamagedArchive, UnsafeArchive
from cnb_python.errors.machine import DiskFull
from cnb_python.layers.python_archive import Archive, Entry, Selection, unpack
from cnb_python.store.archive import Member

TITLE = "Python 3.14.6"


def entry(name: str, **attributes: object) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(member, attribute, value)
    return member


def packed(members: Iterable[tarfile.TarInfo]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for member in members:
            content = f"content of {member.name}".encode()
            member.size = len(content) if member.isreg() else 0
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def archive_of(tmp_path: Path, *members: tarfile.TarInfo) -> Archive:
    path = tmp_path / "archive"
    path.write_bytes(gzip.compress(packed(members)))
    return Archive(path, TITLE)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    directory = tmp_path / "into"
    directory.mkdir()
    return directory


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    return entry(name, type=kind, linkname=target)


@pytest.mark.parametrize(
    "squeeze", [gzip.compress, zstd.compress, bytes], ids=["gzip", "zstd", "plain"]
)
def test_the_top_directory_is_removed_for_every_compression(
    squeeze: Callable[[bytes], bytes], tmp_path: Path, into: Path
) -> None:
    path = tmp_path / "archive"
    members = [entry("python", type=tarfile.DIRTYPE), entry("python/bin/python3")]
    path.write_bytes(squeeze(packed(members)))

    unpack(Archive(path, TITLE), into)

    assert (into / "bin/python3").read_text() == "content of python/bin/python3"
    assert [path.name for path in into.iterdir()] == ["bin"]


def test_modes_become_755_or_644(tmp_path: Path, into: Path) -> None:
    modes = {"a": 0o400, "b": 0o4777, "c": 0o666, "d": 0o711}
    members = [entry(f"p/x/{name}", mode=mode) for name, mode in modes.items()]
    closed = entry("p/y", type=tarfile.DIRTYPE, mode=0o700)

    unpack(archive_of(tmp_path, *members, closed), into)

    modes = {path.name: path.stat().st_mode & 0o7777 for path in into.rglob("*")}
    expected = {"a": 0o644, "b": 0o755, "c": 0o644, "d": 0o755, "x": 0o755, "y": 0o755}
    assert modes == expected


def test_excluded_entries_are_never_written(tmp_path: Path, into: Path) -> None:
    members = [entry("p/keep"), entry("p/test/big")]

    unpack(
        archive_of(tmp_path, *members),
        into,
        Selection(includes=lambda name: not name.startswith("test")),
    )

    assert [path.name for path in into.iterdir()] == ["keep"]


def test_links_that_stay_inside_are_kept(tmp_path: Path, into: Path) -> None:
    members = [
        entry("p/bin/python3.14"),
        link("p/bin/python3", "python3.14"),
        link("p/lib", "bin/../bin"),
        link("p/bin/hard", "p/bin/python3.14", tarfile.LNKTYPE),
    ]

    unpack(archive_of(tmp_path, *members), into)

    assert (into / "bin/python3").readlink() == Path("python3.14")
    assert (into / "lib/python3").read_text() == "content of p/bin/python3.14"
    assert (into / "bin/hard").read_text() == "content of p/bin/python3.14"


def test_everything_that_was_written_is_returned_with_its_digest(
    tmp_path: Path, into: Path
) -> None:
    program = entry("p/bin/a", mode=0o700)
    members = [program, link("p/bin/b", "./a"), link("p/c", "p/bin/a", tarfile.LNKTYPE)]

    written = unpack(archive_of(tmp_path, *members), into)

    content = b"content of p/bin/a"
    digest = hashlib.sha256(content).hexdigest()
    assert written == {
        "bin": Entry(Member("bin", "d")),
        "bin/a": Entry(Member("bin/a", "x", len(content)), digest),
        "bin/b": Entry(Member("bin/b", "l", target="a")),
        "c": Entry(Member("c", "x", len(content)), digest),
    }


def test_rewritten_files_are_written_once_with_their_new_content(
    tmp_path: Path, into: Path
) -> None:
    members = [
        entry("p/a", mode=0o755),
        entry("p/b"),
        link("p/hard", "p/a", tarfile.LNKTYPE),
        link("p/soft", "a"),
    ]
    selection = Selection(
        rewrites=lambda name: name in {"a", "hard", "soft"},
        rewritten=lambda files: {path: text.upper() for path, text in files.items()},
    )

    written = unpack(archive_of(tmp_path, *members), into, selection)

    assert (into / "a").read_text() == (into / "hard").read_text() == "CONTENT OF P/A"
    assert (into / "b").read_text() == "content of p/b"
    assert (into / "soft").readlink() == Path("a")
    assert written["a"].digest == hashlib.sha256(b"CONTENT OF P/A").hexdigest()
    assert written["hard"].member == Member("hard", "x", len("CONTENT OF P/A"))
    assert (into / "a").stat().st_mode & 0o777 == 0o755


def test_a_later_entry_replaces_a_file_of_the_same_name(tmp_path: Path, into: Path) -> None:
    members = [link("p/a", "b"), entry("p/a"), entry("p/c"), link("p/c", "a")]

    written = unpack(archive_of(tmp_path, *members), into)

    assert not (into / "a").is_symlink()
    assert (into / "c").readlink() == Path("a")
    assert [written[path].member.kind for path in ("a", "c")] == ["f", "l"]


@pytest.mark.parametrize(
    "members",
    [
        [entry("p/a/b"), entry("p/a")],
        [link("p/a", "p/none", tarfile.LNKTYPE)],
        [entry("p/a", type=tarfile.DIRTYPE), link("p/b", "p/a", tarfile.LNKTYPE)],
    ],
    ids=["file and directory", "link to nothing", "link to a directory"],
)
def test_an_impossible_entry_is_refused(
    members: list[tarfile.TarInfo], tmp_path: Path, into: Path
) -> None:
    with pytest.raises(DamagedArchive):
        unpack(archive_of(tmp_path, *members), into)


def test_a_file_below_a_link_of_the_archive_is_refused(tmp_path: Path, into: Path) -> None:
    members = [entry("p/x/y"), link("p/a", "x"), entry("p/a/evil")]

    with pytest.raises(UnsafeArchive):
        unpack(archive_of(tmp_path, *members), into)

    assert [path.name for path in (into / "x").iterdir()] == ["y"]


@pytest.mark.parametrize(
    "member",
    [
        entry("../evil"),
        entry("p/../../evil"),
        entry("p/a/../b"),
        entry("/etc/evil"),
        link("p/a", "/etc/passwd"),
        link("p/a", "../evil"),
        link("p/x/a", "../../evil"),
        link("p/x/a", "b/../../../evil"),
        link("p/a", "/etc/passwd", tarfile.LNKTYPE),
        link("p/a", "p/../../evil", tarfile.LNKTYPE),
        entry("p/a", type=tarfile.CHRTYPE),
        entry("p/a", type=tarfile.BLKTYPE),
        entry("p/a", type=tarfile.FIFOTYPE),
    ],
    ids=lambda member: f"{member.type.decode()} {member.name} {member.linkname}",
)
def test_an_entry_that_leads_outside_is_refused(
    member: tarfile.TarInfo, tmp_path: Path, into: Path
) -> None:
    with pytest.raises(UnsafeArchive) as caught:
        unpack(archive_of(tmp_path, entry("p/first"), member), into)

    assert (caught.value.title, caught.value.member) == (TITLE, member.name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["archive", "into"]
    assert [path.name for path in into.rglob("*") if path.is_symlink()] == []


def test_deep_directories_are_refused(tmp_path: Path, into: Path) -> None:
    with pytest.raises(UnsafeArchive) as caught:
        unpack(archive_of(tmp_path, entry("p/" * 1200 + "a")), into)

    assert caught.value.reason == "has more than 200 directories"


@pytest.mark.parametrize("size", [1 << 33, (1 << 32) + 1])
def test_archive_that_would_fill_the_disk_is_refused(
    tmp_path: Path, into: Path, size: int
) -> None:
    header = entry("p/huge")
    header.size = size
    path = tmp_path / "archive"
    path.write_bytes(header.tobuf(tarfile.GNU_FORMAT))

    with pytest.raises(DamagedArchive) as caught:
        unpack(Archive(path, TITLE), into)

    assert "far larger" in caught.value.reason
    assert [*into.iterdir()] == []


def test_a_file_is_not_written_through_a_link_of_the_archive(tmp_path: Path, into: Path) -> None:
    (tmp_path / "outside").mkdir()
    (into / "a").symlink_to(tmp_path / "outside")

    with pytest.raises(UnsafeArchive):
        unpack(archive_of(tmp_path, entry("p/a/evil")), into)

    assert [*(tmp_path / "outside").iterdir()] == []


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>an error page</html>",
        gzip.compress(b"no tar in here"),
        gzip.compress(packed([entry("p/a")]))[:-20],
        gzip.compress(packed([entry("p/a")])[:700]),
        zstd.compress(packed([entry("p/a")]))[:-4],
    ],
    ids=["empty", "html", "no tar", "cut gzip", "cut tar", "cut zstd"],
)
def test_a_damaged_archive_is_refused(content: bytes, tmp_path: Path, into: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(content)

    with pytest.raises(DamagedArchive) as caught:
        unpack(Archive(path, TITLE), into)

    assert caught.value.title == TITLE
    assert caught.value.reason


def test_cut_archive_is_refused_with_the_reason(tmp_path: Path, into: Path) -> None:
    path = tmp_path / "archive"
    path.write_bytes(gzip.compress(packed([entry("p/a")])[:700]))

    with pytest.raises(DamagedArchive) as caught:
        unpack(Archive(path, TITLE), into)

    assert caught.value.reason == "unexpected end of data"


def test_a_full_disk_is_reported_with_the_directory(tmp_path: Path, into: Path) -> None:
    def full(_name: str) -> bool:
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskFull) as caught:
        unpack(archive_of(tmp_path, entry("p/a")), into, Selection(includes=full))

    assert caught.value.doing == f"unpacking {TITLE} into {into}"
