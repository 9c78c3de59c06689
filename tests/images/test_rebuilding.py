"""Rebuilds with pack: what has not changed stays the same bit for bit."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from tests.images.pack_builds import Built, PackBuilds
from tests.support.builds import fixture
from tools.platforms import base_images


def test_unchanged_app_gives_the_same_image_under_the_name_of_a_new_commit(
    built: Callable[[str], Built], pack_builds: PackBuilds
) -> None:
    first = built("pip_flask")
    # In a repository of its own: images are found by the name without a tag.
    commit = f"{pack_builds.name('pip_flask-commits')}:3f1c2ab"
    again = pack_builds.build(fixture("pip_flask"), "pip_flask", "--tag", commit)
    assert again.id == first.id == base_images.image_id(pack_builds.engine, commit)
    assert "Reusing layer 'cnb-python/python:python'" in again.output
    assert "Reusing layer 'cnb-python/python:venv'" in again.output
    assert "Adding layer 'cnb-python/python:" not in again.output


def test_change_makes_only_the_layers_that_depend_on_it(
    built: Callable[[str], Built], pack_builds: PackBuilds, tmp_path: Path
) -> None:
    app = tmp_path / "app"
    shutil.copytree(fixture("pip_flask"), app)

    clean = pack_builds.build(app, "changing")
    assert clean.layers == built("pip_flask").layers

    (app / "templates/home.html").write_text("Changed for {{ name }}")
    changed = pack_builds.build(app, "changing")
    assert _differing(clean, changed) == {"app"}

    locked = (app / "requirements.txt").read_text()
    older = re.sub(r"jinja2==\S+", "jinja2==3.1.5", locked)
    assert older != locked
    (app / "requirements.txt").write_text(older)
    bumped = pack_builds.build(app, "changing")
    assert _differing(changed, bumped) == {"app", "venv", "deps-00"}


def _differing(before: Built, after: Built) -> set[str]:
    names = before.layers.keys() | after.layers.keys()
    return {name for name in names if before.layers.get(name) != after.layers.get(name)}
