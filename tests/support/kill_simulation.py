"""Leaves on disk what a killed process would leave, without killing one.

An audit hook (https://peps.python.org/pep-0578/) raises on the n-th change of the disk and on each
later one, so that no clean-up succeeds either, as after SIGKILL.
"""

import os
import sys
from collections.abc import Callable

CHANGES = {"os.chmod", "os.link", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"}


class Killed(BaseException):
    """Not an Exception, so that only `finally` blocks handle it."""


class _Countdown:
    left: int | None = None

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.left is None or not _changes_the_disk(event, arguments):
            return
        if self.left == 0:
            raise Killed
        self.left -= 1


def _changes_the_disk(event: str, arguments: tuple[object, ...]) -> bool:
    if event == "open":
        flags = arguments[2]
        return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
    return event in CHANGES


# An audit hook cannot be removed, so there is one, which is inactive by default.
_countdown = _Countdown()
sys.addaudithook(_countdown)


def killed_after(changes: int, run: Callable[[], None]) -> bool:
    """Call *run*, stopped after *changes* changes of the disk; return whether it was stopped."""
    _countdown.left = changes
    try:
        run()
    except Killed:
        return True
    finally:
        _countdown.left = None
    return False
