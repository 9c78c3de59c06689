"""The file system that a benchmark writes to."""

from pathlib import Path

import pytest

from tools.bench import disk

MOUNTS = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 27 254:1 / /mnt/with\\040journal rw - ext4 /dev/loop0 rw
31 27 0:25 / /tmp rw - tmpfs tmpfs rw
32 31 254:1 / /tmp rw shared:1 - ext4 /dev/loop0 rw
33 27 0:26 / /run rw - tmpfs tmpfs rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(MOUNTS)
    return path


@pytest.fixture
def journals(tmp_path: Path) -> Path:
    path = tmp_path / "jbd2"
    (path / "loop0-8").mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/var/lib/docker", disk.NO_JOURNAL),
        ("/mnt/with journal/engine", "ext4"),
        ("/run/data", "tmpfs"),
        ("/running", disk.NO_JOURNAL),
    ],
)
def test_file_system_is_that_of_the_deepest_mount(
    folder: str, kind: str, mounts: Path, journals: Path
) -> None:
    assert disk.file_system(Path(folder), mounts, journals) == kind


def test_later_mount_hides_an_earlier_one(mounts: Path, journals: Path) -> None:
    assert disk.file_system(Path("/tmp/bench"), mounts, journals) == "ext4"


def test_kernel_without_jbd2_has_no_journal(mounts: Path, tmp_path: Path) -> None:
    kind = disk.file_system(Path("/mnt/with journal"), mounts, tmp_path / "missing")
    assert kind == disk.NO_JOURNAL


def overlay(tmp_path: Path, upper: Path) -> Path:
    path = tmp_path / "overlay"
    options = f"rw,lowerdir=/lower,upperdir={upper},workdir=/work"
    path.write_text(f"{MOUNTS}40 27 0:30 / /merged rw - overlay overlay {options}\n")
    return path


@pytest.mark.parametrize(("upper", "kind"), [("/", disk.NO_JOURNAL), ("/run", "tmpfs")])
def test_overlay_is_named_with_what_it_is_on(
    upper: str, kind: str, tmp_path: Path, journals: Path
) -> None:
    mounts = overlay(tmp_path, Path(upper))
    named = disk.file_system(Path("/merged/data"), mounts, journals)
    assert named == f"overlay on {kind}"
    assert bool(disk.problem(named)) == (kind == disk.NO_JOURNAL)


def test_overlay_of_a_container_is_unfit(tmp_path: Path, journals: Path) -> None:
    mounts = overlay(tmp_path, tmp_path / "on the host")
    kind = disk.file_system(Path("/merged"), mounts, journals)
    assert kind == "overlay"
    assert "cannot be seen" in disk.problem(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "tmpfs", "zfs"])
def test_usual_file_systems_are_fit(kind: str) -> None:
    assert disk.problem(kind) == ""


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "9p", "virtiofs", "fuse.sshfs"])
def test_network_file_systems_are_unfit(kind: str) -> None:
    assert "network" in disk.problem(kind)


def test_ext4_without_a_journal_is_unfit() -> None:
    assert "ten times slower" in disk.problem(disk.NO_JOURNAL)
