"""Orders and directories of platforms that differ from pack's."""

import pytest

from tests.support.build_variants import layers_of
from tests.support.builds import Builds, Built, fixture
from tests.support.procfile_buildpack import procfile_buildpack

FLASK = fixture("pip_flask")
OURS = "cnb-python/python:"


@pytest.fixture(scope="module")
def on_fir(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the Flask app with a buildpack for its Procfile after this one, as Heroku does."""
    later = procfile_buildpack(tmp_path_factory.mktemp("fir") / "procfile")
    built = builds.image(FLASK, flask, beside=(later,))
    assert built.code == 0, built.output
    return built


def test_later_procfile_buildpack_replaces_processes_of_the_same_type(
    on_fir: Built, flask: Built
) -> None:
    metadata = on_fir.labels()["io.buildpacks.build.metadata"]
    processes = {row["type"]: row for row in metadata["processes"]}

    assert {kind: row["buildpackID"] for kind, row in processes.items()} == {
        "web": "tests/procfile",
        "count": "tests/procfile",
        "console": "cnb-python/python",
    }
    assert processes["web"]["command"][0] == "bash"
    # The layers with Python and the packages are those of the image without the other buildpack.
    own = {title: sha for title, sha in layers_of(flask).items() if title.startswith(OURS)}
    assert own
    assert own.items() <= layers_of(on_fir).items()
    assert "Nothing changed: reusing 8 packages from the previous image" in on_fir.output


def test_processes_of_another_buildpack_have_the_environment(on_fir: Built) -> None:
    with on_fir.serve() as served:
        assert "Hello, world!" in served.fetch()
        assert served.stop() == 0
    with on_fir.serve("count") as served:
        assert served.process.wait(30) == 0
        assert served.output.strip() == "3"
