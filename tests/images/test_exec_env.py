"""Images for tests made with pack: the commands of the guide, and `pack build --exec-env`."""

import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.images.pack_builds import Built, PackBuilds
from tests.support.builds import fixture
from tests.support.trees import linked_copy
from tools.package import assemble, builder

PAGE = assemble.ROOT / "docs/how-to/test-image.md"
TEST = "import flask\n\n\ndef test_app():\n    assert flask.Flask(__name__)\n"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    directory = tmp_path / "app"
    shutil.copytree(fixture("pip_flask"), directory)
    (directory / "requirements-dev.txt").write_text("pytest>=8\n")
    (directory / "tests").mkdir()
    (directory / "tests/test_app.py").write_text(TEST)
    return directory


def test_commands_of_the_guide_run_the_tests_over_the_layers_of_production(
    pack_builds: PackBuilds, app: Path
) -> None:
    commands = re.findall(r"^\$ (.+)$", PAGE.read_text(), re.MULTILINE)
    assert [command.split()[0] for command in commands] == ["pack", "docker", "pack"]

    test, output, production = (_run(pack_builds, app, shlex.split(each)) for each in commands)

    assert isinstance(output, str)
    assert "1 passed" in output
    assert not isinstance(test, str)
    assert not isinstance(production, str)
    assert test.layers.keys() - production.layers.keys() == {"deps-dev"}
    differing = {
        name for name in production.layers if test.layers[name] != production.layers[name]
    }
    assert differing == {"venv"}


def test_pack_chooses_the_execution_environment_of_a_buildpack_for_api_0_12(
    pack_builds: PackBuilds, app: Path, tmp_path: Path
) -> None:
    tree = linked_copy(builder.buildpack(), tmp_path / "buildpack")
    (tree / "buildpack.toml").unlink()
    (tree / "buildpack.toml").write_text(assemble.descriptor("0.12"))
    name = builder.ensure(pack_builds.engine, tree, pack_builds.name("builder"))

    built = replace(pack_builds, builder=name).build(app, "exec-env", "--exec-env", "test")

    assert "Adding the packages for test: requirements-dev.txt" in built.output
    assert "1 passed" in pack_builds.engine.docker("run", "--rm", built.name)


def _run(pack_builds: PackBuilds, app: Path, words: list[str]) -> Built | str:
    """Run a command of the guide, with the names of this session; `.` is *app*."""
    if words[0] == "docker":
        *command, image = words[1:]
        return pack_builds.engine.docker(*command, pack_builds.name(image))
    image, options = words[2], dict(zip(words[3::2], words[4::2], strict=True))
    assert options.keys() <= {"--path", "--builder", "--env"}
    assert (options["--path"], options["--builder"]) == (".", builder.NAME)
    variables = (options[name].split("=") for name in ("--env",) if name in options)
    return pack_builds.build(app, image, env=dict(variables))
