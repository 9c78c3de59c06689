"""The tests leave nothing in the engine.

The rule: containers, volumes and networks are as before the session. Images too, but for those
that `make builder` makes and every build starts from (`inventory.KEPT`).
"""

from tests.images.inventory import take
from tests.images.pack_builds import PackBuilds


def test_remaining_volume_container_or_image_is_reported(pack_builds: PackBuilds) -> None:
    before = take(pack_builds.engine)
    name = f"{pack_builds.token}-stray"
    pack_builds.engine.docker("volume", "create", name)
    pack_builds.engine.docker("tag", pack_builds.builder, pack_builds.name("stray"))
    pack_builds.engine.docker("create", "--name", name, pack_builds.builder, "true")
    try:
        assert take(pack_builds.engine).beyond(before) == [
            f"container {name}",
            f"image {pack_builds.name('stray')}:latest",
            f"volume {name}",
        ]
    finally:
        pack_builds.engine.docker("rm", name)
        pack_builds.engine.docker("image", "rm", pack_builds.name("stray"))
        pack_builds.engine.docker("volume", "rm", name)
    assert take(pack_builds.engine).beyond(before) == []


def test_nothing_is_left_behind(pack_builds: PackBuilds) -> None:
    """Runs last, also after failures: see conftest.py."""
    pack_builds.close()
    assert pack_builds.left() == []
