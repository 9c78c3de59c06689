"""Rewrites `requirements/*.txt` from pyproject.toml, every package with its hashes.

`lock.py` keeps the versions that still fit, `lock.py --upgrade` takes the newest, and
`lock.py --upgrade-package NAME` those of one package. It uses the bundled uv, and the index that
uv is configured for.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.package import assemble, bundled
from tools.processes import Unavailable, run

FILES: dict[str, tuple[str, ...]] = {
    "runtime.txt": ("pyproject.toml",),
    "dev.txt": ("pyproject.toml", "--group", "dev"),
    "docs.txt": ("--group", "docs"),
}
FORM = ("--generate-hashes", "--no-header", "--no-annotate", "--quiet")


def main(flags: Sequence[str]) -> None:
    """Rewrite the files."""
    uv = bundled.base(assemble.this_machine()) / "tools/uv"
    for name, groups in FILES.items():
        output = assemble.ROOT / "requirements" / name
        version = ("--python-version", bundled.MINOR, "--native-tls")
        arguments = ("--output-file", str(output), *groups, *flags)
        run(uv, "pip", "compile", *FORM, *version, *arguments, cwd=assemble.ROOT)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
