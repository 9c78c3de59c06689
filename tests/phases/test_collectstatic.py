"""Django's static files are collected once, and again only when something has changed."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of, without_cache, without_image
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App

GALLERY = fixture("pip_django_static")
RUNS = "Running `python manage.py collectstatic --noinput`"
FROM_CACHE = "from the cache (nothing that collectstatic reads has changed)"
SECRET = "dj4ng0-s3cr3t-k3y"


@pytest.fixture(scope="module")
def gallery(builds: Builds, flask: Built) -> Built:
    built = builds.image(GALLERY, flask, env={"SECRET_KEY": SECRET})
    assert built.code == 0, built.output
    return built


def again(
    builds: Builds, gallery: Built, app: Path = GALLERY, env: Mapping[str, str] | None = None
) -> Built:
    built = builds.image(app, gallery, env={"SECRET_KEY": SECRET, **(env or {})})
    assert built.code == 0, built.output
    return built


def directories(built: Built) -> list[str]:
    return [path.name for path in built.layers.iterdir() if path.is_dir()]


def test_static_files_are_in_the_image(gallery: Built) -> None:
    assert RUNS in gallery.output
    assert "static files copied to '/workspace/staticfiles'" in gallery.output
    assert list(gallery.workspace.rglob("__pycache__")) == []
    assert gallery.run("sh", "-c", "ls staticfiles/gallery | grep -c 'style.*css'") == "2\n"


def test_pages_link_to_static_files(gallery: Built) -> None:
    with gallery.serve() as served:
        assert re.search(r"/static/gallery/style\.[0-9a-f]{12}\.css", served.fetch())


def test_unchanged_build_restores_static_files(builds: Builds, gallery: Built) -> None:
    built = again(builds, gallery)
    assert "Nothing changed: reusing 3 packages from the previous image" in built.output
    assert FROM_CACHE in built.output
    assert "Running `" not in built.output
    assert layers_of(built) == layers_of(gallery)
    assert again(builds, built).output.count(FROM_CACHE) == 1


def test_changed_variable_runs_collectstatic_in_temporary_layers(
    builds: Builds, gallery: Built
) -> None:
    built = again(builds, gallery, env={"STATIC_URL": "/assets/"})
    assert "Writing what collectstatic read before to disk (" in built.output
    assert "It read other files than before" not in built.output
    assert RUNS in built.output
    assert directories(built) == ["deps"]
    assert layers_of(built) == layers_of(gallery)


def test_all_packages_are_written_if_that_is_turned_off(builds: Builds, gallery: Built) -> None:
    env = {"STATIC_URL": "/assets/", "BP_PYTHON_COLLECTSTATIC_ON_DEMAND": "false"}
    built = again(builds, gallery, env=env)
    assert "Writing all packages to disk for collectstatic" in built.output
    assert layers_of(built) == layers_of(gallery)


def test_changed_file_runs_collectstatic(builds: Builds, gallery: Built, app: App) -> None:
    changed = app({"gallery/static/gallery/more.css": "p {}"}, based_on=GALLERY)
    built = again(builds, gallery, changed)
    assert RUNS in built.output
    assert list((built.workspace / "staticfiles/gallery").glob("more.*.css"))
    assert directories(built) == ["deps"]


def test_file_that_collectstatic_does_not_read_keeps_its_files(
    builds: Builds, gallery: Built, app: App
) -> None:
    urls = (GALLERY / "gallery/urls.py").read_text()
    built = again(builds, gallery, app({"gallery/urls.py": f"{urls}\n"}, based_on=GALLERY))
    assert FROM_CACHE in built.output
    assert directories(built) == ["deps"]
    assert "Running `" not in built.output


def test_build_without_cache_gives_the_same_layers(
    builds: Builds, gallery: Built, tmp_path: Path
) -> None:
    built = again(builds, without_cache(gallery, tmp_path))
    assert RUNS in built.output
    assert directories(built) == ["deps"]
    assert layers_of(built) == layers_of(gallery)


def test_build_without_image_restores_static_files(
    builds: Builds, gallery: Built, tmp_path: Path
) -> None:
    built = again(builds, without_image(gallery, tmp_path))
    assert FROM_CACHE in built.output
    assert (
        "Making every layer again: the cache was restored, but no previous image" in built.output
    )
    assert layers_of(built) == layers_of(gallery)


@pytest.mark.parametrize(
    ("name", "value"), [("DISABLE_COLLECTSTATIC", "1"), ("BP_PYTHON_COLLECTSTATIC", "false")]
)
def test_collectstatic_can_be_turned_off(
    builds: Builds, gallery: Built, name: str, value: str
) -> None:
    built = builds.image(GALLERY, gallery, env={name: value})
    assert built.code == 0, built.output
    assert f"{name}" in built.output.partition("Skipping collectstatic: ")[2].partition("\n")[0]
    assert not (built.workspace / "staticfiles").exists()


def test_app_without_staticfiles_runs_only_once(builds: Builds, gallery: Built, app: App) -> None:
    settings = (GALLERY / "site_settings.py").read_text()
    plain = app(
        {"site_settings.py": settings.replace('"django.contrib.staticfiles", ', "")},
        based_on=GALLERY,
    )
    first = again(builds, gallery, plain)
    assert "django.contrib.staticfiles is not in INSTALLED_APPS" in first.output
    second = again(builds, first, plain)
    assert "Running `" not in second.output
    assert "Nothing to collect" in second.output


def test_image_has_no_secret_and_no_digest_of_one(gallery: Built) -> None:
    documents = gallery.documents()
    noted = documents["deps.toml"]["metadata"]["collected"]
    assert re.fullmatch(r"[0-9a-f]{32} [0-9a-f]{64}", noted)
    shown = f"{gallery.labels()} {documents['store.toml']}"
    assert all(word not in shown for word in (SECRET, *noted.split()))
    assert SECRET not in gallery.output


def test_link_to_manage_py_imports_as_python_does(
    builds: Builds, gallery: Built, app: App
) -> None:
    directory = app({}, based_on=GALLERY)
    backend = directory / "backend"
    backend.mkdir()
    for path in directory.iterdir():
        if path.name not in {"requirements.txt", "backend"}:
            path.rename(backend / path.name)
    (directory / "manage.py").symlink_to("backend/manage.py")

    linked = again(builds, gallery, directory)

    assert RUNS in linked.output
    assert (linked.workspace / "backend/staticfiles").is_dir()
