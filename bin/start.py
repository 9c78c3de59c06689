"""Starts a phase: `start.py detect|build [arguments]`. Isolated, and without `site`."""  # noqa: INP001 - a script

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Last, so that the standard library needs no search of them.
sys.path += [
    str(ROOT / "src"),
    f"{sys.prefix}/lib/python{sys.version_info.major}.{sys.version_info.minor}/site-packages",
]

if __name__ == "__main__":
    from cnb_python.__main__ import main

    sys.exit(main(sys.argv[1], sys.argv[2:], ROOT))
