"""An untrusted builder: five containers, of which only two contain the app's code."""

import json
import shutil
import tomllib
from collections.abc import Iterator

import pytest

from tests.images.containers import started
from tests.images.pack_builds import PackBuilds
from tests.support.builds import fixture
from tools.platforms import real_tools

# On the build image, which sets the version of the engine's API.
DOCKERFILE = """\
FROM cnb-python/build-base
USER root
COPY lifecycle /cnb/lifecycle
LABEL io.buildpacks.lifecycle.version={version}
LABEL io.buildpacks.lifecycle.apis='{apis}'
"""


@pytest.fixture(scope="module")
def lifecycle_image(
    pack_builds: PackBuilds, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """An image with the pinned lifecycle, as the lifecycle project publishes it."""
    archive, context = real_tools.lifecycle_archive(), tmp_path_factory.mktemp("lifecycle")
    shutil.copytree(archive / "lifecycle", context / "lifecycle", symlinks=True)
    facts = tomllib.loads((archive / "lifecycle.toml").read_text())
    text = DOCKERFILE.format(version=facts["lifecycle"]["version"], apis=json.dumps(facts["apis"]))
    (context / "Dockerfile").write_text(text)
    image = pack_builds.name("lifecycle")
    pack_builds.engine.docker("build", "--quiet", "--tag", image, context)
    yield image
    pack_builds.engine.docker("image", "rm", image)


def test_untrusted_build_gives_an_image_that_serves(
    pack_builds: PackBuilds, lifecycle_image: str
) -> None:
    image = pack_builds.name("untrusted")
    flags = ("--lifecycle-image", lifecycle_image)
    packed = pack_builds.pack_build(fixture("pip_flask"), image, *flags, trusted=False)
    assert packed.code == 0, packed.output
    assert "===> ANALYZING" in packed.output
    pack_builds.built(image, packed.output)
    with started(pack_builds.engine, image) as container:
        assert "Hello" in container.fetch("/")
