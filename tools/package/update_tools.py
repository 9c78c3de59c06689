"""Rewrites `data/tools/*.txt`, the lock files of Poetry, Pipenv and PDM.

`data/tools/*.in` pin the tools themselves and are edited by hand. Uses the bundled uv and the
index that uv is configured for, which the files do not name. Keeps the versions of dependencies
that still fit; `--upgrade` takes the newest.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools.package import assemble, bundled
from tools.processes import Unavailable, run

FOLDER = assemble.ROOT / "src/cnb_python/data/tools"
# The tools run on the bundled Python. One file serves all targets: it has the hashes of all files
# of a release, and no dependency differs between processors.
FORM = (
    *("--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--no-emit-index-url"),
    *("--python-version", bundled.MINOR, "--python-platform", "linux", "--native-tls"),
)


def main(flags: Sequence[str]) -> None:
    """Rewrite all lock files."""
    uv = bundled.base(assemble.this_machine()) / "tools/uv"
    for source in sorted(FOLDER.glob("*.in")):
        output = source.with_suffix(".txt")
        run(uv, "pip", "compile", *FORM, source.name, "--output-file", output, *flags, cwd=FOLDER)
        print(f"{output.name}: {output.read_text().count('==')} packages")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
