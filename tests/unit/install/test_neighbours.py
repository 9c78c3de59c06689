"""A package that was built beside others leaves only its own files in its root."""

from pathlib import Path

from cnb_python.install import neighbours, snapshot
from cnb_python.managers.base import Pin, Resolution
from tests.support.stages import SITE, install, new_root, put


def test_only_own_files_remain(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "beside", {f"{SITE}/beside.py": "1", f"{SITE}/shared.py": "of beside"})
    before = snapshot.states(root.path).keys()
    # Its build has changed another package.
    put(root, {f"{SITE}/beside.py": "import evil"})
    install(root, "own", {f"{SITE}/own.py": "2", f"{SITE}/shared.py": "of own"})
    put(root, {f"{SITE}/unlisted.py": "3"})

    neighbours.remove(root, "own", before)

    left = {path.name for path in root.site_packages.rglob("*") if path.is_file()}
    assert left == {"own.py", "shared.py", "unlisted.py", "METADATA", "RECORD"}
    assert not list(root.site_packages.glob("beside-*/*"))
    assert (root.site_packages / "shared.py").read_text() == "of own"


def test_package_that_was_built_alone_keeps_all(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "own", {f"{SITE}/own.py": "2"})

    neighbours.remove(root, "own", ())

    assert (root.site_packages / "own.py").exists()


def test_wheels_and_isolated_builds_are_neighbours() -> None:
    wheel = Pin("a-wheel", "1", "", "", needs=("b-isolated", "c", "d"))
    isolated = Pin("b-isolated", "1", "", "", by_itself=True)
    pins = [
        Pin(name, "1", "", "", by_itself=True, needs=("a-wheel", "b-isolated", other))
        for name, other in (("c", "d"), ("d", "c"))
    ]
    unrelated = Pin("z", "1", "", "")
    resolution = Resolution((wheel, isolated, *pins, unrelated), from_files_alone=True, by="uv")

    assert neighbours.of(resolution, pins[0]) == [wheel, isolated]
