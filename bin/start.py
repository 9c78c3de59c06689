"""Starts a phase: `start.py detect|build [arguments]`. Isolated, and without `site`."""  # noqa: INP001 - a script

import gc
import os
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

ROOT = Path(__file__).resolve().parents[1]
# Of 2,000 by default, with which collecting takes a tenth of an unchanged build.
GARBAGE_THRESHOLD = 100_000

# Last, so that imports of the standard library do not search them.
sys.path += [
    str(ROOT / "src"),
    f"{sys.prefix}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages",
]


def start(phase: str, arguments: list[str]) -> int:
    """Run *phase* and return its exit code."""
    from cnb_python.__main__ import main  # noqa: PLC0415 - found on the path that is set above

    return main(phase, arguments, ROOT)


def end(code: int) -> NoReturn:
    """End the process with *code*, without freeing every object first: that takes 10 ms."""
    sys.stdout.flush()
    sys.stderr.flush()
    threading = sys.modules.get("threading")
    if code == 0 and (threading is None or threading.active_count() == 1):
        os._exit(code)
    # Whatever still runs after a failure ends by itself, or is waited for.
    sys.exit(code)


if __name__ == "__main__" and sys.argv[1] == "detect":
    # Detection runs for every app: garbage collection takes 3 ms of it, a regular exit 10 ms.
    gc.disable()
    code = start("detect", sys.argv[2:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
elif __name__ == "__main__":
    # An unchanged build makes fewer objects than that; a rebuild collects garbage sometimes.
    gc.set_threshold(GARBAGE_THRESHOLD)
    end(start(sys.argv[1], sys.argv[2:]))
