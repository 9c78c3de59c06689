"""The detect phase: whether this is a Python app.

It runs for every app on every build, so it looks at names only and imports little.
"""

from collections.abc import Callable

from cnb_python.app import directories_with_python, python_signs
from cnb_python.cnb.context import DetectContext
from cnb_python.cnb.plan import build_plan

PASS = 0
# As `settings` has it, which takes as long to import as everything else here.
PROJECT = "BP_PYTHON_PROJECT"
REQUIREMENTS = "BP_PYTHON_REQUIREMENTS"
# https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
FAIL = 100


def detect(context: DetectContext, say: Callable[[str], None]) -> int:
    """Return the exit code: 0 takes part, 100 does not.

    Whatever looks like Python takes part, even when it cannot be built: the build phase explains
    what is missing, while a failed detection ends in the platform's words.
    """
    # What is named takes part as it is: the build says what is wrong with it.
    is_named = any(context.environ.get(name, "").strip() for name in (PROJECT, REQUIREMENTS))
    if not is_named and not python_signs(context.app_dir):
        say("No Python app: found neither a requirements file, a lock file nor Python code.")
        if below := directories_with_python(context.app_dir):
            say(f"There is one in {' and in '.join(below)}: choose with {PROJECT}={below[0]}")
        return FAIL
    build_plan().write(context.plan_path)
    return PASS
