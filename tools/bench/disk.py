"""Which file system a directory is on, and whether figures from it can be compared.

Without a journal, ext4 makes new files up to ten times slower right after a tree was removed, so
every figure of a build that removes and makes files is wrong.
"""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
JOURNALS = Path("/proc/fs/jbd2")
"""One directory for each mounted journal: `vda1-8` for the device `vda1`."""
NO_JOURNAL = "ext4 without a journal"
ADVICE = (
    "{folder} is on ext4 without a journal, where making files is up to ten times slower: do not "
    "publish these figures. Put the engine's data and TMPDIR on tmpfs, or on ext4 in a loop file "
    "(mkfs.ext4 FILE; mount -o loop FILE DIR)."
)


def file_system(folder: Path, mounts: Path = MOUNTS, journals: Path = JOURNALS) -> str:
    """Return the type of the file system that *folder* is on: `tmpfs`, `ext4`, or `NO_JOURNAL`."""
    kind, device = _mount(folder.resolve(), mounts.read_text())
    if kind != "ext4":
        return kind
    name = Path(device).resolve().name
    has_journal = journals.is_dir() and any(
        journal.name.rpartition("-")[0] == name for journal in journals.iterdir()
    )
    return kind if has_journal else NO_JOURNAL


def warning(folder: Path, kind: str) -> str | None:
    """Return what to print about *folder* on a file system of type *kind*, if anything."""
    return ADVICE.format(folder=folder) if kind == NO_JOURNAL else None


def _mount(folder: Path, mounts: str) -> tuple[str, str]:
    """Return type and device of the mount that *folder* is on.

    A line of *mounts* (https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html):
    `36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/vda1 rw`. The last line of a mount point
    counts, since a later mount hides an earlier one.
    """
    deepest, answer = -1, ("unknown", "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        depth = len(point.parts)
        if folder.is_relative_to(point) and depth >= deepest:
            kind, device = after.split()[:2]
            deepest, answer = depth, (kind, device)
    return answer
