"""Archives of the store: packing, and unpacking exactly the expected members."""

import errno
import io
import os
import random
import tarfile
import tempfile
from collections.abc import Iterator
from compression import zstd
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, override

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnb_python.cnb import disk
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.machine import DamagedStore, DiskFull
from cnb_python.store.archive import Changes, Member, header, pack, read_member, unpack

DOING = "unpacking"
TREE: tuple[Member, ...] = (
    Member("a", "d"),
    Member("a/empty", "f"),
    Member("a/link", "l", target="../b/tool"),
    Member("b/tool", "x", 9),
    Member("c", "f", 3 << 20),
)


def fill(root: Path, members: tuple[Member, ...]) -> Path:
    root.mkdir(exist_ok=True)
    for member in members:
        path = root / member.path
        path.parent.mkdir(parents=True, exist_ok=True)
        if member.kind == "d":
            path.mkdir(exist_ok=True)
        elif member.kind == "l":
            path.symlink_to(member.target)
        else:
            seed = member.path.encode(errors="surrogateescape")
            path.write_bytes((seed * (member.size // len(seed) + 1))[: member.size])
            path.chmod(0o755 if member.kind == "x" else 0o644)
    return root


def packed(root: Path, members: tuple[Member, ...] = TREE) -> bytes:
    pieces: list[bytes] = []
    pack(members, root, pieces.append)
    return b"".join(pieces)


def tree_at(root: Path) -> dict[str, tuple[int, object]]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.readlink() if path.is_symlink() else path.is_dir() or path.read_bytes(),
        )
        for path in root.rglob("*")
    }


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return fill(tmp_path / "root", TREE)


@pytest.fixture
def into(tmp_path: Path) -> Path:
    directory = tmp_path / "into"
    directory.mkdir()
    return directory


def test_unpacking_restores_packed_files(root: Path, into: Path) -> None:
    unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert tree_at(into) == tree_at(root)
    assert (into / "a/link").readlink() == Path("../b/tool")


NAMES = st.text(
    st.characters(exclude_characters="/\0", codec="utf-8") | st.sampled_from("\udc80\udcff"),
    min_size=1,
    max_size=60,
).filter(lambda name: name not in {".", ".."} and len(os.fsencode(name)) < 200)


@settings(max_examples=30)  # each makes files, which is slow
@given(
    st.lists(
        st.tuples(NAMES, st.sampled_from("fxld"), st.integers(0, 3000), NAMES),
        max_size=12,
        unique_by=lambda row: row[0],
    )
)
def test_any_names_modes_and_links_are_restored(
    rows: list[tuple[str, Literal["f", "x", "l", "d"], int, str]],
) -> None:
    members = tuple(
        Member(
            # Each has a directory of its own: nothing can lie below a link or file.
            f"{number}/{name}",
            kind,
            size if kind in "fx" else 0,
            target if kind == "l" else "",
        )
        for number, (name, kind, size, target) in enumerate(rows)
    )
    with tempfile.TemporaryDirectory() as scratch:
        root = fill(Path(scratch, "root"), members)
        into = Path(scratch, "into")
        into.mkdir()

        unpack(members, io.BytesIO(packed(root, members)), into, DOING)

        assert tree_at(into) == tree_at(root)


@given(
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=300),
    st.sampled_from("fxld"),
    st.integers(0, (1 << 33) - 1),
    st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=300),
)
def test_headers_equal_those_of_gnu_tar(
    path: str, kind: Literal["f", "x", "l", "d"], size: int, target: str
) -> None:
    path = path.strip("/") or "x"
    types = {"f": tarfile.REGTYPE, "l": tarfile.SYMTYPE, "d": tarfile.DIRTYPE}
    modes = {"f": 0o644, "x": 0o755, "l": 0o777, "d": 0o755}
    expected = tarfile.TarInfo(path)
    expected.type = types.get(kind, tarfile.REGTYPE)
    expected.mode = modes[kind]
    expected.size = size if kind in "fx" else 0
    expected.linkname = target if kind == "l" else ""

    actual = header(Member(path, kind, size, target if kind == "l" else ""))

    assert actual == expected.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def test_tar_can_read_archive(root: Path) -> None:
    plain = io.BytesIO(zstd.decompress(packed(root)))

    with tarfile.open(fileobj=plain) as archive:
        assert archive.getnames() == [member.path for member in TREE]
        assert {row.mtime for row in archive} | {row.uid for row in archive} == {0}


def test_archive_depends_on_contents_alone(root: Path, tmp_path: Path) -> None:
    expected = packed(root)
    with umask(0o077):
        other = fill(tmp_path / "other", tuple(reversed(TREE)))
    for path in [other, *other.rglob("*")]:
        if not path.is_symlink():
            os.utime(path, (1, 1))

    assert packed(other) == packed(root) == expected


def test_modes_do_not_depend_on_umask(root: Path, into: Path) -> None:
    with umask(0o077):
        unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    modes = {path.name: path.stat().st_mode & 0o777 for path in into.rglob("*")}
    assert modes == {
        "a": 0o755, "b": 0o755, "c": 0o644, "empty": 0o644, "link": 0o755, "tool": 0o755
    }  # fmt: skip


def test_states_are_those_of_the_written_files(root: Path, into: Path) -> None:
    with umask(0o027):
        states = unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert states.keys() == {member.path for member in TREE if member.kind != "d"}
    for path, state in states.items():
        assert state == disk.state_of((into / path).lstat())


def test_modes_do_not_depend_on_the_directory_above(root: Path, into: Path) -> None:
    into.chmod(0o2755)  # new directories inherit this bit

    unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert tree_at(into) == tree_at(root)


def test_mode_of_existing_directory_is_set(root: Path, into: Path) -> None:
    (into / "b").mkdir(mode=0o700)

    unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert tree_at(into) == tree_at(root)


def test_omitted_files_are_not_written(root: Path, into: Path) -> None:
    states = unpack(TREE, io.BytesIO(packed(root)), into, DOING, Changes({"c", "b/tool"}))

    assert states.keys() == {"a/empty", "a/link"}
    assert {str(path.relative_to(into)) for path in into.rglob("*")} == {
        "a",
        "a/empty",
        "a/link",
    }


def test_omitted_file_of_truncated_archive_is_damage(root: Path, into: Path) -> None:
    with pytest.raises(DamagedStore):
        unpack(TREE, io.BytesIO(packed(root)[:-40]), into, DOING, Changes({"c"}))


def test_link_gets_another_target(root: Path, into: Path) -> None:
    changes = Changes(targets={"a/link": "./elsewhere//x"})

    unpack(TREE, io.BytesIO(packed(root)), into, DOING, changes)

    assert os.readlink(into / "a/link") == "./elsewhere//x"  # noqa: PTH115 - unchanged


def test_long_range_option_finds_distant_repetitions(tmp_path: Path, into: Path) -> None:
    members = (Member("a", "f", 5 << 20), Member("b", "f", 8 << 20), Member("c", "f", 5 << 20))
    (tmp_path / "a").write_bytes(twice := random.Random(1).randbytes(5 << 20))
    (tmp_path / "b").write_bytes(bytes(8 << 20))
    (tmp_path / "c").write_bytes(twice)
    pieces: list[bytes] = []
    pack(members, tmp_path, pieces.append, long_range=True)
    archive = b"".join(pieces)
    assert len(archive) < 6 << 20
    unpack(members, io.BytesIO(archive), into, DOING)
    assert (into / "c").read_bytes() == twice


def test_archive_of_no_members_is_empty(root: Path, into: Path) -> None:
    unpack((), io.BytesIO(packed(root, ())), into, DOING)

    assert [*into.iterdir()] == []


@pytest.mark.parametrize("end", [0, 1, 4, 50, 200, -200, -1])
def test_truncated_archive_is_damaged(root: Path, into: Path, end: int) -> None:
    with pytest.raises(DamagedStore) as caught:
        unpack(TREE, io.BytesIO(packed(root)[:end]), into, DOING)

    assert caught.value.reason.startswith("its archive ")


@pytest.mark.parametrize(
    "other",
    [
        Member("../evil", "f", 1),
        Member("/etc/evil", "f", 1),
        Member("a/link", "l", target="/etc/passwd"),
        Member("a/link", "l", target="../../evil"),
        Member("a/link", "f", 1),
        Member("a/other", "f", 1),
    ],
    ids=str,
)
def test_unexpected_member_is_not_written(tmp_path: Path, into: Path, other: Member) -> None:
    announced = Member("a/link", "l", target="x")
    forged = zstd.compress(header(other) + b"x".ljust(512, b"\0") + bytes(1024))

    with pytest.raises(DamagedStore) as caught:
        unpack((announced,), io.BytesIO(forged), into, DOING)

    assert caught.value.reason == "its archive does not contain 'a/link' as expected"
    assert [path for path in tmp_path.rglob("*") if path not in {into, into / "a"}] == []


@pytest.mark.parametrize("kind", list("kspc"), ids=["mode", "size", "program", "contents"])
def test_any_difference_in_header_is_damage(into: Path, kind: str) -> None:
    changed = {
        "k": Member("a", "x", 4),
        "s": Member("a", "f", 5),
        "p": Member("a", "d"),
        "c": Member("b", "f", 4),
    }[kind]
    forged = zstd.compress(header(changed) + b"abcd".ljust(512, b"\0") + bytes(1024))

    with pytest.raises(DamagedStore):
        unpack((Member("a", "f", 4),), io.BytesIO(forged), into, DOING)


def test_archive_with_more_members_is_damaged(root: Path, into: Path) -> None:
    with pytest.raises(DamagedStore) as caught:
        unpack(TREE[:-1], io.BytesIO(packed(root)), into, DOING)

    assert caught.value.reason == "its archive contains more than expected"


def test_existing_link_to_directory_is_not_followed(
    root: Path, tmp_path: Path, into: Path
) -> None:
    (tmp_path / "outside").mkdir()
    (into / "b").symlink_to(tmp_path / "outside")

    with pytest.raises(DamagedStore):
        unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert [*(tmp_path / "outside").iterdir()] == []


def test_existing_link_is_replaced(root: Path, tmp_path: Path, into: Path) -> None:
    (tmp_path / "outside").write_text("safe")
    (into / "c").symlink_to(tmp_path / "outside")

    unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert (tmp_path / "outside").read_text() == "safe"
    assert (into / "c").stat().st_size == 3 << 20


def test_other_files_are_kept(root: Path, into: Path) -> None:
    (into / "a").mkdir()
    (into / "a/other").write_text("mine")

    unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert (into / "a/other").read_text() == "mine"


def test_file_in_place_of_directory_is_named(root: Path, into: Path) -> None:
    (into / "a").write_text("a file where a directory should be")

    with pytest.raises(DamagedStore) as caught:
        unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert f"{into / 'a'}" in caught.value.reason


def test_directory_in_place_of_file_is_named(root: Path, into: Path) -> None:
    (into / "c").mkdir()

    with pytest.raises(DamagedStore) as caught:
        unpack(TREE, io.BytesIO(packed(root)), into, DOING)

    assert f"{into / 'c'}" in caught.value.reason


class Failing(io.BytesIO):
    """A disk that fails while it is read."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    @override
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_full_disk_raises_disk_full_with_activity(into: Path, number: int) -> None:
    with pytest.raises(DiskFull) as caught:
        unpack(TREE, Failing(number), into, DOING)

    assert caught.value.doing == DOING


def test_other_os_errors_are_raised_unchanged(into: Path) -> None:
    with pytest.raises(PermissionError):
        unpack(TREE, Failing(errno.EACCES), into, DOING)


@pytest.mark.parametrize("content", [b"four", b"four and more", b""])
def test_file_with_other_size_breaks_contract(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)

    with pytest.raises(ContractBroken) as caught:
        packed(tmp_path, (Member("a", "f", 5),))

    assert caught.value.problem == f"the size of {tmp_path / 'a'} changed before it was archived"


def test_file_replaced_by_link_is_not_packed(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("/etc/passwd")

    with pytest.raises(OSError, match="symbolic links"):
        packed(tmp_path, (Member("a", "f", 5),))


def test_one_file_is_read_without_unpacking(root: Path) -> None:
    assert read_member(TREE, io.BytesIO(packed(root)), "b/tool") == b"b/toolb/t"


@pytest.mark.parametrize("path", ["", "b", "nothing"])
def test_missing_member_cannot_be_read(root: Path, path: str) -> None:
    with pytest.raises(DamagedStore):
        read_member(TREE, io.BytesIO(packed(root)), path)


def test_member_of_truncated_archive_cannot_be_read(root: Path) -> None:
    with pytest.raises(DamagedStore):
        read_member(TREE, io.BytesIO(packed(root)[:60]), "c")
