"""What the builds after another lock may do, whoever reads it, where one release of it changed."""

from pathlib import Path
from typing import NamedTuple, Unpack

from tests.support.builds import Builds, Built, Wanted
from tests.support.index import Index


class Bump(NamedTuple):
    """The one difference between two locks."""

    name: str
    old: str
    new: str


def follow(
    bump: Bump,
    builds: Builds,
    before: Built,
    app: Path,
    packages: Index,
    **wanted: Unpack[Wanted],
) -> Built:
    """Build *app*, which *before* is of but for *bump*; return that build, and follow it up.

    The log names the release; of the environment nothing but its share and the links are made, of
    the files of *packages* nothing but its own is fetched. The next build asks nobody.
    """
    packages.asked.clear()
    changed = builds.phases(app, before, **wanted)
    assert changed.code == 0, changed.output
    assert f"  Changed: ~ {bump.name} {bump.old} → {bump.new}\n" in changed.output
    made = {path.name for path in changed.layers.iterdir() if path.is_dir()}
    (shard,) = made - {"deps", "venv"}
    stem = f"{bump.name.replace('-', '_')}-{bump.new}"
    assert list((changed.layers / shard).rglob(f"{stem}.dist-info")), shard
    fetched = {one for one in packages.asked if "/packages/" in one}
    assert all(f"/{stem}" in one for one in fetched), fetched
    assert fetched

    packages.asked.clear()
    again = builds.phases(app, changed, **wanted)
    assert "  Nothing changed: " in again.output, again.output
    assert not {"Asking", "Running", "Fetching"} & set(again.output.split()), again.output
    assert packages.asked == []
    return changed
