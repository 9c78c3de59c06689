"""What a build may do after an update of the lock file that changes one release."""

from pathlib import Path
from typing import NamedTuple, Unpack

from tests.support.builds import BuildOptions, Builds, Built
from tests.support.index import Index


class Upgrade(NamedTuple):
    """The only difference between two lock files."""

    name: str
    old: str
    new: str


def build_upgrade(
    upgrade: Upgrade,
    builds: Builds,
    before: Built,
    app: Path,
    packages: Index,
    **options: Unpack[BuildOptions],
) -> Built:
    """Build *app*, which differs from *before* by *upgrade*, check what it does; return the build.

    The log names the release; the only new layers are its shard and the links; the only file
    downloaded from *packages* is its own. The next build runs no tool.
    """
    packages.requests.clear()
    changed = builds.phases(app, before, **options)
    assert changed.code == 0, changed.output
    assert f"  Changed: ~ {upgrade.name} {upgrade.old} → {upgrade.new}\n" in changed.output
    layers = {path.name for path in changed.layers.iterdir() if path.is_dir()}
    (shard,) = layers - {"deps", "venv"}
    stem = f"{upgrade.name.replace('-', '_')}-{upgrade.new}"
    assert list((changed.layers / shard).rglob(f"{stem}.dist-info")), shard
    downloaded = {path for path in packages.requests if "/packages/" in path}
    assert all(f"/{stem}" in path for path in downloaded), downloaded
    assert downloaded

    packages.requests.clear()
    again = builds.phases(app, changed, **options)
    assert "  Nothing changed: " in again.output, again.output
    assert_runs_nothing(again)
    assert packages.requests == []
    return changed


def assert_runs_nothing(built: Built) -> None:
    """Check that the build neither resolved nor exported, ran nothing and fetched nothing."""
    verbs = {"Resolving", "Exporting", "Reading", "Running", "Downloading"}
    # The processes of the image have a directory that they are "Running in".
    steps = built.output.partition("\nLaunch\n")[0]
    assert not verbs & set(steps.split()), built.output
