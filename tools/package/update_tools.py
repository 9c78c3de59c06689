"""Rewrites `data/tools/*.txt`: everything that Poetry, Pipenv and PDM need to run, with hashes.

`data/tools/*.in` pin the tools themselves and are edited by hand. It uses the uv that the
buildpack carries, and the index that uv is set up for, which the files do not name. `--upgrade`
takes the newest of everything else; without it the versions that still fit are kept.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools.package import assemble, carried
from tools.processes import Unavailable, run

FOLDER = assemble.ROOT / "src/cnb_python/data/tools"
# They run on the interpreter that the buildpack carries. The hashes are those of all files of a
# release, and no package of these depends on the processor: one file is for all targets.
FORM = (
    *("--generate-hashes", "--no-header", "--no-annotate", "--quiet", "--no-emit-index-url"),
    *("--python-version", carried.MINOR, "--python-platform", "linux", "--native-tls"),
)


def main(flags: Sequence[str]) -> None:
    """Rewrite them all."""
    uv = carried.base(assemble.this_machine()) / "tools/uv"
    for asked in sorted(FOLDER.glob("*.in")):
        output = asked.with_suffix(".txt")
        run(uv, "pip", "compile", *FORM, asked.name, "--output-file", output, *flags, cwd=FOLDER)
        print(f"{output.name}: {output.read_text().count('==')} packages")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
