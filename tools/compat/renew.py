"""Writes `popular.txt`, every version pinned, from the names in `popular.in`: `renew.py`.

Takes the newest compatible versions with wheels for the one Python that is compared. Uses the
bundled uv, and the index that uv is configured for.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools.compat import pins
from tools.package import assemble, bundled
from tools.processes import Unavailable, run, say

NAMES = pins.HERE / "popular.in"
# Only published as sdists.
SOURCES = ("docopt",)
FORM = ("--no-header", "--no-annotate", "--quiet", "--native-tls", "--only-binary", ":all:")
HEAD = "# Written by `python3 -m tools.compat.renew` from popular.in.\n"


def main() -> None:
    """Resolve each set, then write the file."""
    sets = {name: resolve(names) for name, names in pins.sections(NAMES.read_text()).items()}
    pins.POPULAR.write_text(text(sets))
    sizes = (f"{name} {len(pinned.dependencies)}" for name, pinned in sets.items())
    say(f"Written: {', '.join(sizes)}")


def resolve(names: Sequence[str]) -> pins.Pinned:
    """Pin the requirements *names* and all their dependencies."""
    uv = bundled.base(assemble.this_machine()) / "tools/uv"
    file = pins.HERE / ".renew.in"
    file.write_text("".join(f"{name}\n" for name in names))
    try:
        sources = [word for name in SOURCES for word in ("--no-binary", name)]
        options = ("--python-version", bundled.MINOR, *FORM, *sources)
        output = run(uv, "pip", "compile", file, *options)
    finally:
        file.unlink()
    return divide(names, dict(line.split("==") for line in output.split()))


def divide(names: Sequence[str], versions: Mapping[str, str]) -> pins.Pinned:
    """Split *versions* into pins of *names*, with their extras, and pins of dependencies."""
    requested = {pins.plain(name): pins.extras(name) for name in names}
    return pins.Pinned(
        [f"{name}{extras}=={versions[name]}" for name, extras in sorted(requested.items())],
        [f"{name}=={version}" for name, version in versions.items() if name not in requested],
    )


def text(sets: Mapping[str, pins.Pinned]) -> str:
    """Return the text of `popular.txt`."""
    parts = [
        line
        for name, pinned in sets.items()
        for line in (
            "",
            f"[{name}]",
            *pinned.requested,
            "",
            f"[{name}{pins.NEEDED}]",
            *pinned.dependencies,
        )
    ]
    return HEAD + "".join(f"{line}\n" for line in parts)


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        sys.exit(str(error))
