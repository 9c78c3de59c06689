"""Lets the work that a build does not wait for yield the processor to the rest.

Separate from `layers/python_install.py`, whose work the test of a thread does not need.
"""

import os
from contextlib import suppress

# Of 19: as `nice` without a number.
LOW = 10


def lower_priority() -> None:
    """Give the calling thread nice value `LOW` (10), or leave it if it yields more already.

    Only root may lower a nice value again, so a build under `nice -n 19` keeps its own; where a
    sandbox forbids the call, the thread works at the priority of the others.
    """
    with suppress(OSError):
        # On Linux, 0 is the calling thread, not its process (setpriority(2)).
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, 0, max(own, LOW))
