"""A stand-in for Heroku's Procfile buildpack, the last of the order of its Fir generation.

It makes a process of each line of the Procfile, with Bash, and `web` is the default.
"""

from pathlib import Path

from tests.support.trees import write_files

_TOML = """\
api = "0.10"

[buildpack]
id = "tests/procfile"
version = "1.0"

[[targets]]
os = "linux"
"""
_DETECT = "#!/bin/sh\ntest -f Procfile\n"
_BUILD = r"""#!/bin/sh
set -e
grep -v '^#' Procfile | while IFS=: read -r type command; do
    printf '[[processes]]\ntype = "%s"\ncommand = ["bash", "-c", "%s"]\n' "$type" "${command# }"
    test "$type" != web || echo 'default = true'
done > "$CNB_LAYERS_DIR/launch.toml"
"""


def procfile_buildpack(directory: Path) -> Path:
    """Write the buildpack to the new *directory* and return that."""
    write_files(directory, {"buildpack.toml": _TOML, "bin/detect": _DETECT, "bin/build": _BUILD})
    for path in (directory, directory / "bin", *(directory / "bin").iterdir()):
        path.chmod(0o755)
    return directory
