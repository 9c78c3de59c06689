"""Starts a phase: `start.py detect|build [arguments]`. Isolated, and without `site`."""  # noqa: INP001 - a script

import gc
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Last, so that imports of the standard library do not search them.
sys.path += [
    str(ROOT / "src"),
    f"{sys.prefix}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages",
]


def start(phase: str, arguments: list[str]) -> int:
    """Run *phase* and return its exit code."""
    from cnb_python.__main__ import main  # noqa: PLC0415 - found on the path that is set above

    return main(phase, arguments, ROOT)


if __name__ == "__main__" and sys.argv[1] == "detect":
    # Detection runs for every app: garbage collection takes 3 ms of it, a regular exit 10 ms.
    gc.disable()
    code = start("detect", sys.argv[2:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
elif __name__ == "__main__":
    sys.exit(start(sys.argv[1], sys.argv[2:]))
