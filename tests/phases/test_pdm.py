"""Apps with a `pdm.lock`: what PDM alone has. The rest: test_locked_managers."""

from tests.support import lock_files
from tests.support.build_variants import layers_of
from tests.support.builds import Builds, fixture
from tests.support.locked_managers import Images
from tests.support.trees import App

FLASK = fixture("pdm_flask")


def test_lock_for_another_platform_is_refused(builds: Builds, images: Images, app: App) -> None:
    requires = 'requires_python = ">=3.11"\n'
    lock = (FLASK / "pdm.lock").read_text()
    foreign = lock.replace(requires, f'{requires}platform = "macos_14_0_arm64"\n', 1)

    stopped = builds.phases(app({"pdm.lock": foreign}, FLASK), images("pdm_flask"))

    assert stopped.error.partition("\n")[0] == "pdm.lock cannot be used"


def test_lock_without_markers_gives_the_same_image(
    builds: Builds, images: Images, app: App
) -> None:
    """As older releases of PDM write it, which `pdm export` refuses."""
    settings = {"PIP_CONFIG_FILE": "/dev/null"}
    usual = images("pdm_flask")
    source = app({}, FLASK)
    words = ("lock", "--update-reuse", "--strategy", "no_inherit_metadata", "--group", ":all")
    lock_files.lock("pdm", source, settings, *words, "--quiet")
    assert "inherit_metadata" not in (source / "pdm.lock").read_text()

    built = builds.image(source, usual)

    assert built.code == 0, built.output
    assert {**layers_of(built), "app": ""} == {**layers_of(usual), "app": ""}
