"""The detect phase: whether this is a Python app.

It runs for every app on every build, so it looks at names only and imports little.
"""

from collections.abc import Callable

from cnb_python.cnb.context import DetectContext
from cnb_python.plan import build_plan
from cnb_python.project import python_signs

PASS = 0
# https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
FAIL = 100


def detect(context: DetectContext, say: Callable[[str], None]) -> int:
    """Return the exit code: 0 takes part, 100 does not.

    Whatever looks like Python takes part, even when it cannot be built: the build phase explains
    what is missing, while a failed detection ends in the platform's words.
    """
    if not python_signs(context.app_dir):
        say("No Python app: found neither a requirements file, a lock file nor Python code.")
        return FAIL
    build_plan().write(context.plan_path)
    return PASS
