"""Checks manifests of kpack and Tekton with the platforms' own types, and with an API server.

`make manifests` runs it. The programs are `tools/go/manifests` and `tools/go/apiserver`; building
them takes minutes.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.platforms import real_tools
from tools.processes import Unavailable

# The module of each platform, and the directory of its CustomResourceDefinitions.
DEFINED = (
    ("github.com/pivotal/kpack", "config"),
    ("github.com/tektoncd/pipeline", "config/300-crds"),
)
DEPLOY = Path(__file__).parents[2] / "deploy"


def problems(files: Sequence[Path]) -> str:
    """Return a line for each document of *files* that its platform would refuse; else empty."""
    return _errors(real_tools.own_program("manifests"), *files)


def cluster_problems(files: Sequence[Path]) -> str:
    """Return a line for each document of *files* that an API server would refuse; else empty.

    The server has the CustomResourceDefinitions of both platforms.
    """
    program = real_tools.own_program("apiserver")
    folders = (real_tools.source_of("manifests", module) / path for module, path in DEFINED)
    return _errors(program, *folders, "--", *files)


def _errors(*command: str | Path) -> str:
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    return done.stderr.strip() if done.returncode else ""


def deployed() -> list[Path]:
    """Return the manifests of `deploy/`, sorted."""
    return sorted(path for folder in ("kpack", "tekton") for path in (DEPLOY / folder).glob("*"))


def main() -> None:
    """Check the manifests of `deploy/`."""
    for check in (problems, cluster_problems):
        if refused := check(deployed()):
            raise Unavailable(refused)


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        sys.exit(str(error))
