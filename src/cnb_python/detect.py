"""The detect phase: decides whether this is a Python app.

It runs for every app on every build, so it looks only at names and imports little.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from cnb_python.app import directories_with_python, is_stray_script, python_signs
from cnb_python.cnb.context import DetectContext, build_plan

# Exit codes: https://github.com/buildpacks/spec/blob/main/buildpack.md#detection
PASS = 0
FAIL = 100
# Also in `config.settings`, which takes as long to import as all the modules of detection.
PROJECT = "BP_PYTHON_PROJECT"
REQUIREMENTS = "BP_PYTHON_REQUIREMENTS"


def detect(context: DetectContext, report: Callable[[str], None]) -> int:
    """Return PASS if the directory looks like a Python app, else FAIL.

    An app that looks like Python and cannot be built passes too: the build phase explains what is
    missing, and a failed detection only ends in the platform's general message.
    """
    if not recognises(context.app_dir, context.environ, report):
        return FAIL
    build_plan().write(context.plan_path)
    return PASS


def recognises(app_dir: Path, environ: Mapping[str, str], report: Callable[[str], None]) -> bool:
    """Return whether the directory looks like a Python app; *report* why it does not."""
    # A setting that names the app's files is enough: the build explains what is wrong with them.
    is_named = any(environ.get(name, "").strip() for name in (PROJECT, REQUIREMENTS))
    if not is_named and not python_signs(app_dir):
        report("No Python app: no requirements file, no lock file and no Python code at the top.")
        if paths := directories_with_python(app_dir):
            report(f"Python apps are in {', '.join(paths)}: choose one with {PROJECT}={paths[0]}")
        return False
    if not is_named and is_stray_script(app_dir):
        report(
            "No Python app: the only Python files are scripts beside an app of another language."
        )
        report("For a Python app, add requirements.txt, pyproject.toml or a lock file.")
        return False
    return True
