"""The tests leave nothing in the engine.

The rule: containers, volumes and networks are as before the session. Images too, but for those
that `make builder` makes and every build starts from (`inventory.KEPT`).
"""

from tests.images.inventory import take
from tests.images.workshop import Workshop


def test_remaining_volume_container_or_image_is_reported(workshop: Workshop) -> None:
    before = take(workshop.engine)
    name = f"{workshop.token}-stray"
    workshop.engine.docker("volume", "create", name)
    workshop.engine.docker("tag", workshop.builder, workshop.name("stray"))
    workshop.engine.docker("create", "--name", name, workshop.builder, "true")
    try:
        assert take(workshop.engine).beyond(before) == [
            f"container {name}",
            f"image {workshop.name('stray')}:latest",
            f"volume {name}",
        ]
    finally:
        workshop.engine.docker("rm", name)
        workshop.engine.docker("image", "rm", workshop.name("stray"))
        workshop.engine.docker("volume", "rm", name)
    assert take(workshop.engine).beyond(before) == []


def test_nothing_is_left_behind(workshop: Workshop) -> None:
    """Runs last, also after failures: see conftest.py."""
    workshop.close()
    assert workshop.left() == []
