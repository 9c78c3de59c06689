"""Which file system a directory is on, and whether figures from it can be compared.

Without a journal, ext4 makes new files up to ten times slower right after a tree was removed, so
every figure of a build that removes and makes files is wrong.
"""

from pathlib import Path

MOUNTS = Path("/proc/self/mountinfo")
JOURNALS = Path("/proc/fs/jbd2")
"""One directory for each mounted journal: `vda1-8` for the device `vda1`."""
NO_JOURNAL = "ext4 without a journal"
OVERLAY = "overlay"
# File systems whose files are on another machine, or are served by a process of this one.
REMOTE = frozenset(
    (
        *("9p", "afs", "beegfs", "ceph", "cifs", "gfs2", "glusterfs", "lustre", "ncpfs", "nfs"),
        *("nfs4", "ocfs2", "smb3", "smbfs", "vboxsf", "virtiofs"),
    )
)
FUSE = "fuse"


def file_system(folder: Path, mounts: Path = MOUNTS, journals: Path = JOURNALS) -> str:
    """Return the type of the file system that *folder* is on: `tmpfs`, `ext4`, or `NO_JOURNAL`.

    An overlay is named with the file system of its upper directory, if that can be seen from
    here: `overlay on xfs`; else `overlay`.
    """
    return _kind(folder.resolve(), mounts.read_text(), journals)


def problem(kind: str) -> str:
    """Return why figures from a file system of type *kind* cannot be compared; empty if they can.

    >>> problem("ext4"), problem("overlay on tmpfs"), problem("nfs4")
    ('', '', 'nfs4 is a network file system, whose speed is that of the network')
    """
    plain = kind.removeprefix(f"{OVERLAY} on ")
    if plain == NO_JOURNAL:
        return f"{kind} makes files up to ten times slower after others were removed"
    if plain == OVERLAY:
        return "it is an overlay on a file system that cannot be seen from here"
    if plain in REMOTE or plain.startswith(FUSE):
        return f"{kind} is a network file system, whose speed is that of the network"
    return ""


def _kind(folder: Path, mounts: str, journals: Path) -> str:
    kind, device, options = _mount(folder, mounts)
    if kind == OVERLAY:
        upper = options.get("upperdir", "")
        # In a container, this is a path of the host, which does not exist here.
        is_seen = upper.startswith("/") and Path(upper).is_dir()
        return f"{OVERLAY} on {_kind(Path(upper), mounts, journals)}" if is_seen else OVERLAY
    if kind != "ext4":
        return kind
    name = Path(device).resolve().name
    has_journal = journals.is_dir() and any(
        journal.name.rpartition("-")[0] == name for journal in journals.iterdir()
    )
    return kind if has_journal else NO_JOURNAL


def _mount(folder: Path, mounts: str) -> tuple[str, str, dict[str, str]]:
    """Return type, device and options of the mount that *folder* is on.

    A line of *mounts* (https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html):
    `36 35 98:0 / /mnt rw,noatime master:1 - ext4 /dev/vda1 rw`. The last line of a mount point
    counts, since a later mount hides an earlier one.
    """
    deepest, answer = -1, ("unknown", "", dict[str, str]())
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        depth = len(point.parts)
        if folder.is_relative_to(point) and depth >= deepest:
            kind, device, options = after.split()[:3]
            pairs = (option.partition("=") for option in options.split(","))
            deepest, answer = depth, (kind, device, {name: value for name, _, value in pairs})
    return answer
