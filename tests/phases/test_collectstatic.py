"""Django's static files are collected once, and again only when something has changed."""

import re

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.worlds import layers_of

GALLERY = fixture("pip_django_static")
RUNS = "Running `python manage.py collectstatic --noinput`"
AS_THEY_WERE = "static files as they were"


@pytest.fixture(scope="module")
def gallery(builds: Builds, flask: Built) -> Built:
    built = builds.image(GALLERY, flask)
    assert built.code == 0, built.output
    return built


def collected(built: Built) -> dict[str, bytes]:
    root = built.workspace / "staticfiles"
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_static_files_are_in_the_image(gallery: Built) -> None:
    assert RUNS in gallery.output
    assert "static files copied to '/workspace/staticfiles'" in gallery.output
    assert gallery.run("sh", "-c", "ls staticfiles/gallery | grep -c 'style.*css'") == "2\n"


def test_pages_name_them(gallery: Built) -> None:
    with gallery.serve() as served:
        assert re.search(r"/static/gallery/style\.[0-9a-f]{12}\.css", served.fetch())


def test_nothing_runs_again_where_nothing_changed(builds: Builds, gallery: Built) -> None:
    again = builds.image(GALLERY, gallery)
    assert again.code == 0, again.output
    assert "Nothing changed: 3 packages as they were" in again.output
    assert AS_THEY_WERE in again.output
    assert "Running `" not in again.output
    assert layers_of(again) == layers_of(gallery)
