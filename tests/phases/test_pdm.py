"""Apps with a `pdm.lock`: what PDM alone has. The rest: test_locked_managers."""

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
