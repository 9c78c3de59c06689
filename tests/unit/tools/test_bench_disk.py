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


def test_only_ext4_without_a_journal_is_warned_of() -> None:
    assert disk.warning(Path("/data"), "ext4") is None
    message = disk.warning(Path("/data"), disk.NO_JOURNAL)
    assert message is not None
    assert message.startswith("/data is on ext4 without a journal")
