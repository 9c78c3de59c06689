"""A Node.js buildpack runs first: collectstatic takes what it built."""

import re
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.node_buildpack import node_buildpack
from tests.support.trees import Files, linked_copy, write_files

GALLERY = fixture("pip_django_static")
FROM_CACHE = "from the cache (nothing that collectstatic reads has changed)"
WARNING = "[Warning: package.json has a script build, and no buildpack for Node.js took part]"
SETTINGS = (GALLERY / "site_settings.py").read_text()
URLS = """\
from django.http import HttpResponse
from django.urls import path
from django_vite.templatetags.django_vite import vite_asset
from webpack_loader.templatetags.webpack_loader import render_bundle


def index(request):
    bundle = render_bundle({"request": request}, "main")
    return HttpResponse(f"{vite_asset('frontend/main.js')} {bundle}")


urlpatterns = [path("", index)]
"""
FILES: Files = {
    "package.json": '{"scripts": {"build": "vite build"}}',
    "frontend/main.js": "console.log('one')\n",
    "requirements.txt": (GALLERY / "requirements.txt").read_text()
    + "django-vite==3.1.0\ndjango-webpack-loader==3.2.4\n",
    "gallery/urls.py": URLS,
    "site_settings.py": SETTINGS.replace(
        '"gallery"]', '"gallery", "django_vite", "webpack_loader"]'
    )
    + 'STATICFILES_DIRS = [BASE_DIR / "frontend/dist", BASE_DIR / "frontend/bundles"]\n'
    + 'WEBPACK_LOADER = {"DEFAULT": {"BUNDLE_DIR_NAME": "", "CACHE": True, '
    + '"STATS_FILE": BASE_DIR / "webpack-stats.json"}}\n'
    + 'DJANGO_VITE = {"default": {"manifest_path": '
    + 'BASE_DIR / "frontend/dist/.vite/manifest.json"}}\n',
}


@pytest.fixture(scope="module")
def vite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = linked_copy(GALLERY, tmp_path_factory.mktemp("vite") / "app")
    directory.chmod(0o755)
    return write_files(directory, FILES)


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return node_buildpack(tmp_path_factory.mktemp("node") / "buildpack")


@pytest.fixture(scope="module")
def first(builds: Builds, flask: Built, vite: Path, node: Path) -> Built:
    built = builds.image(vite, flask, earlier=(node,))
    assert built.code == 0, built.output
    return built


def scripts(built: Built) -> list[str]:
    return [path.name for path in (built.workspace / "staticfiles").glob("main-*.js")]


def test_what_node_built_is_collected_and_served(first: Built) -> None:
    assert WARNING not in first.output
    # Django's storage adds a digest to the names of the files that Node.js built.
    with first.serve() as served:
        page = served.fetch()
    assert len(re.findall(r'src="/static/main-\w+\.[0-9a-f]{12}\.js"', page)) == 1
    assert len(re.findall(r'src="/static/main-\w+\.bundle\.[0-9a-f]{12}\.js"', page)) == 1


def test_unchanged_build_takes_static_files_from_the_cache(
    builds: Builds, first: Built, vite: Path, node: Path
) -> None:
    again = builds.image(vite, first, earlier=(node,))
    assert again.code == 0, again.output
    assert FROM_CACHE in again.output
    assert layers_of(again) == layers_of(first)


def test_other_output_of_node_is_collected_again(
    builds: Builds, first: Built, vite: Path, node: Path, tmp_path: Path
) -> None:
    changed = linked_copy(vite, tmp_path / "app")
    changed.chmod(0o755)
    write_files(changed, {"frontend/main.js": "console.log('two')\n"})
    built = builds.image(changed, first, earlier=(node,))
    assert built.code == 0, built.output
    assert "Running `python manage.py collectstatic" in built.output
    assert set(scripts(built)).isdisjoint(scripts(first))


def test_build_without_node_warns_of_the_script(builds: Builds, first: Built, vite: Path) -> None:
    built = builds.phases(vite, first)
    assert built.output.count(WARNING) == 1
    assert "--buildpack heroku/nodejs --buildpack cnb-python/python" in built.output
