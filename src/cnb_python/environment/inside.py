"""What may be kept and put back: entries that cannot lead out of the directory they lie in.

By rules that are stricter than needed, so that they can be seen to hold: what breaks one is
installed anew each time, or comes from a store that is not ours.
"""

import re
from collections.abc import Collection, Iterable

from cnb_python.system.packing import LIMIT, Member

# Empty, `.` and `..`, between slashes or at an end.
_ODD_PART = re.compile(r"(?:^|/)\.{0,2}(?:/|\Z)|\0")


def first_outside(members: Collection[Member]) -> str | None:
    """Return the path of one of *members* that may not be kept, None when all may.

    Paths must also be in order, each once, and none below a file or a link.
    """
    before = ""
    for member in members:
        if member.path <= before or not _stays_inside(member):
            return member.path
        before = member.path
    return _first_below_another(members)


def _stays_inside(member: Member) -> bool:
    return (
        not _ODD_PART.search(member.path)
        and _can_be_named(member.path)
        and 0 <= member.size < LIMIT
        and (_leads_inside(member) if member.kind == "l" else not member.target)
    )


def _can_be_named(path: str) -> bool:
    try:
        path.encode(errors="surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _leads_inside(link: Member) -> bool:
    """Whether a link leads up first and down then, up no further than there are directories.

    `a/../..` may lead anywhere, for `a` may be a link itself.
    """
    target = link.target
    if not target or target.startswith("/") or "\0" in target or not _can_be_named(target):
        return False
    parts = [part for part in target.split("/") if part not in {"", "."}]
    ups = next((place for place, part in enumerate(parts) if part != ".."), len(parts))
    return ".." not in parts[ups:] and ups <= link.path.count("/")


def _first_below_another(members: Iterable[Member]) -> str | None:
    """Return a path that has a file or a link above it."""
    taken = {member.path for member in members if member.kind != "d"}
    known = {""}
    for member in members:
        above = member.path.rpartition("/")[0]
        while above not in known:
            if above in taken:
                return member.path
            known.add(above)
            above = above.rpartition("/")[0]
    return None
