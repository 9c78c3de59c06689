"""Finds out whether the app's `package.json` has a build script that nothing has run.

Separate from `steps`, which prints the warning.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from cnb_python.app_cleanup import has_node
from cnb_python.app_steps import hooks
from cnb_python.cnb.context import BuildContext
from cnb_python.config.build_commands import BuildCommand
from cnb_python.system import json_text, regular_file

FILE = "package.json"
# Node.js buildpacks run them: https://devcenter.heroku.com/articles/nodejs-support#build-behavior
_SCRIPTS = ("build", "heroku-postbuild")
_PROGRAMS = re.compile(r"\b(?:npm|npx|yarn|pnpm|node|bun|bunx|deno|corepack)\b")
# A package.json with a lock file inside would not be larger.
_MAX_BYTES = 1024 * 1024


def missing_script(
    context: BuildContext, directory: Path, commands: Sequence[BuildCommand] = ()
) -> str:
    """Return the build script of the app in *directory* if no Node.js took part; else empty.

    Scripts in `bin/` and the *commands* of the build may have run it with a Node.js of their own.
    """
    if any(hooks.find(directory, name) for name in (hooks.PRE, hooks.POST)):
        return ""
    if any(_PROGRAMS.search(command.run) for command in commands) or has_node(context):
        return ""
    scripts = dict.fromkeys(
        name for top in (directory, context.app_dir) for name in _build_scripts(top / FILE)
    )
    return next(iter(scripts), "")


def _build_scripts(path: Path) -> tuple[str, ...]:
    """Return the names of the build scripts in the package.json at *path*; none if it has none."""
    try:
        document = json_text.parse(regular_file.read(path, _MAX_BYTES))
    except OSError, json_text.InvalidJson:
        return ()
    scripts = document.get("scripts") if isinstance(document, dict) else None
    if not isinstance(scripts, dict):
        return ()
    return tuple(name for name in _SCRIPTS if isinstance(scripts.get(name), str) and scripts[name])
