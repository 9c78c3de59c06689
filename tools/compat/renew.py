"""Writes `popular.txt`, every version pinned, from the names in `popular.in`: `renew.py`.

Newest versions that go together and have wheels (for the one interpreter that is compared), with
the uv that the buildpack carries and the index that it is set up for.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools.compat import pins
from tools.package import assemble, carried
from tools.processes import Unavailable, run, say

NAMES = pins.HERE / "popular.in"
# Never published as a wheel: built by pip or uv, as by its users.
SOURCES = ("docopt",)
FORM = ("--no-header", "--no-annotate", "--quiet", "--native-tls", "--only-binary", ":all:")
HEAD = "# Written by `python3 -m tools.compat.renew` from popular.in.\n"


def main() -> None:
    """Resolve each set, then write the file."""
    found = {name: resolved(names) for name, names in pins.sections(NAMES.read_text()).items()}
    pins.POPULAR.write_text(text(found))
    say(f"Written: {', '.join(f'{name} {len(one.needed)}' for name, one in found.items())}")


def resolved(names: Sequence[str]) -> pins.Pinned:
    """Pin *names*, requirements without a version or with one, and everything those need."""
    uv = carried.base(assemble.this_machine()) / "tools/uv"
    asked = pins.HERE / ".renew.in"
    asked.write_text("".join(f"{name}\n" for name in names))
    try:
        sources = [word for name in SOURCES for word in ("--no-binary", name)]
        options = ("--python-version", carried.MINOR, *FORM, *sources)
        found = run(uv, "pip", "compile", asked, *options)
    finally:
        asked.unlink()
    return divided(names, dict(line.split("==") for line in found.split()))


def divided(names: Sequence[str], versions: Mapping[str, str]) -> pins.Pinned:
    """Tell what was asked for, with its extras, from what it needs."""
    asked = {pins.plain(name): pins.extras(name) for name in names}
    return pins.Pinned(
        [f"{name}{extras}=={versions[name]}" for name, extras in sorted(asked.items())],
        [f"{name}=={version}" for name, version in versions.items() if name not in asked],
    )


def text(sets: Mapping[str, pins.Pinned]) -> str:
    """Return the text of `popular.txt`."""
    parts = [
        line
        for name, found in sets.items()
        for line in ("", f"[{name}]", *found.asked, "", f"[{name}{pins.NEEDED}]", *found.needed)
    ]
    return HEAD + "".join(f"{line}\n" for line in parts)


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        sys.exit(str(error))
