"""A build that is ended in the middle leaves nothing that a later one trusts.

The layers are kept between the builds, stricter than any platform: those start from a cache.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import BUILDPACK, Builds, Built
from tests.support.killing import killing
from tests.support.trees import App
from tools import tree
from tools.sandbox import Bind

SMALL = {"requirements.txt": "six==1.17.0\n", "Procfile": "web: python -m http.server $PORT"}
SITE_PACKAGES = "venv/lib/python3.14/site-packages"

type Moment = Callable[[Path], bool]


def _unpacking(layers: Path) -> bool:
    return any(layers.glob("*python*/lib/python3.14/asyncio")) and _has_no(layers, "python.toml")


def _installing(layers: Path) -> bool:
    return (layers / SITE_PACKAGES).exists() and _has_no(layers, "venv.toml")


def _installed(layers: Path) -> bool:
    return (layers / SITE_PACKAGES / "six.py").exists() and _has_no(layers, "venv.toml")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("moment", [_unpacking, _installing, _installed])
def test_a_build_after_an_interrupted_one_equals_a_clean_one(
    builds: Builds, app: App, kept: Path, clean: str, number: signal.Signals, moment: Moment
) -> None:
    interrupted = _interrupted(builds, app(SMALL), kept, number, moment)
    assert interrupted.code == 51
    documents = {path.stem for path in (kept / BUILDPACK).glob("*.toml")}
    assert not documents & {"venv", "launch"}
    again = builds.phases(app(SMALL), binds=(_bind(kept),))
    assert again.code == 0, again.output
    assert _digest(kept / BUILDPACK) == clean


def test_sigterm_ends_the_build_in_words_of_its_own(builds: Builds, app: App, kept: Path) -> None:
    ended = _interrupted(builds, app(SMALL), kept, signal.SIGTERM, _installing)
    assert "Traceback" not in ended.output
    assert ended.output.rstrip().endswith("ERROR: failed to build: exit status 143")


def _interrupted(
    builds: Builds, app: Path, kept: Path, number: signal.Signals, moment: Moment
) -> Built:
    with killing(number, lambda: moment(kept / BUILDPACK), seen_by=kept) as kill:
        built = builds.phases(app, binds=(_bind(kept),))
    assert kill.sent
    return built


@pytest.fixture(scope="module")
def clean(builds: Builds, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The digest of the layers of a build that nobody interrupts."""
    app = tmp_path_factory.mktemp("clean") / "app"
    app.mkdir()
    for name, content in SMALL.items():
        (app / name).write_text(content)
    built = builds.phases(app)
    assert built.code == 0, built.output
    return _digest(built.layers)


@pytest.fixture
def kept(builds: Builds, tmp_path: Path) -> Path:
    """A directory of layers that outlives a build."""
    directory = tmp_path / "layers"
    directory.mkdir()
    os.chown(directory, builds.platform.user, builds.platform.group)
    return directory


def _bind(layers: Path) -> Bind:
    return Bind(layers, "/layers", writable=True)


def _has_no(layers: Path, name: str) -> bool:
    return not (layers / name).exists()


def _digest(layers: Path) -> str:
    return "".join(tree.digest(layers / name) for name in ("python", "venv"))
