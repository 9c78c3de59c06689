"""Checks manifests of kpack and Tekton by the types and validations of their own Go modules.

`make manifests` runs it. The program is `tools/go/manifests`; building it takes minutes.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools import cache
from tools.platforms import real_tools
from tools.processes import Unavailable, run

SOURCE = real_tools.PINS / "manifests"
DEPLOY = Path(__file__).parents[2] / "deploy"


def checker() -> Path:
    """Return the path of the program, built the first time. Raises `Unavailable`."""
    sources = (path.read_bytes() for path in sorted(SOURCE.iterdir()))
    title = "Building the check of manifests (some minutes the first time)"
    return cache.entry("manifests", cache.digest(*sources), title, _build) / "manifests"


def _build(into: Path) -> None:
    into.mkdir(exist_ok=True)
    env = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    output = f"{into.resolve()}/"
    run(real_tools.pinned_go(), "build", "-trimpath", "-o", output, ".", env=env, cwd=SOURCE)


def problems(files: Sequence[Path]) -> str:
    """Return a line for each document of *files* that its platform would refuse; else empty."""
    done = subprocess.run((checker(), *files), check=False, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


def deployed() -> list[Path]:
    """Return the manifests of `deploy/`, sorted."""
    return sorted(path for folder in ("kpack", "tekton") for path in (DEPLOY / folder).glob("*"))


def main() -> None:
    """Check the manifests of `deploy/`."""
    if found := problems(deployed()):
        raise Unavailable(found)


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        sys.exit(str(error))
