"""A build that is killed leaves nothing that a later one trusts.

The layers are kept between the builds, stricter than any platform: those start from a cache.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import BUILDPACK, Builds, Built
from tests.support.kill_signals import killing
from tests.support.trees import App, Files, write_files
from tools.package import tree

SMALL: Files = {
    "requirements.txt": "six==1.17.0\n",
    "Procfile": "web: python -m http.server $PORT",
}
SITE_PACKAGES = "venv/lib/python3.14/site-packages"
WORK = ".cnb-python-work"

type Moment = Callable[[Path], bool]
type Digests = dict[str, str]
"""Digest by name of the layer."""


def _unpacking(layers: Path) -> bool:
    return any(layers.glob("*python*/lib/python3.14/asyncio")) and _has_no(layers, "python.toml")


def _installing(layers: Path) -> bool:
    return (layers / SITE_PACKAGES).exists() and _has_no(layers, "venv.toml")


def _installed(layers: Path) -> bool:
    return any((layers / WORK).glob("root-*")) and _has_no(layers, "venv.toml")


def test_python_is_complete_after_interrupted_unpacking(
    builds: Builds, app: App, kept: Path, clean: Digests
) -> None:
    _interrupt(builds, app(SMALL), kept, signal.SIGKILL, _unpacking)
    assert _digests_after(builds, app(SMALL), kept) == clean


@pytest.mark.parametrize(
    ("number", "moment"), [(signal.SIGTERM, _installed), (signal.SIGKILL, _installing)]
)
def test_packages_are_complete_after_interrupted_install(
    builds: Builds,
    flask: Built,
    app: App,
    clean: Digests,
    number: signal.Signals,
    moment: Moment,
) -> None:
    kept = builds.restored(flask)
    ended = _interrupt(builds, app(SMALL), kept, number, moment)
    assert "Traceback" not in ended.output
    if number == signal.SIGTERM:
        assert ended.scratch == []
        assert _has_no(ended.layers, WORK)
    assert _digests_after(builds, app(SMALL), kept) == clean


def _interrupt(
    builds: Builds, app: Path, kept: Path, number: signal.Signals, moment: Moment
) -> Built:
    """Build *app* in the layers *kept*, interrupted at *moment*; check that no layer counts."""
    with killing(number, lambda: moment(kept / BUILDPACK), seen_by=kept) as kill:
        built = builds.phases(app, layers=kept)
    assert kill.sent
    message = {signal.SIGTERM: "exit status 143", signal.SIGKILL: "signal: killed"}[number]
    assert built.output.rstrip().endswith(f"ERROR: failed to build: {message}")
    assert not {"venv.toml", "launch.toml"} & built.documents().keys()
    return built


def _digests_after(builds: Builds, app: Path, kept: Path) -> Digests:
    """Build *app* once more into the layers *kept*, without interruption."""
    again = builds.phases(app, layers=kept)
    assert again.code == 0, again.output
    assert _has_no(again.layers, WORK)
    assert {"python.toml", "venv.toml", "deps-00.toml"} <= again.documents().keys()
    return _digests(again)


@pytest.fixture(scope="module")
def clean(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Digests:
    """The digests of the layers of a build without interruption."""
    app = write_files(tmp_path_factory.mktemp("clean") / "app", SMALL)
    built = builds.phases(app, flask)
    assert built.code == 0, built.output
    # It has the same Python as the previous app, and takes it from the store.
    return {**_digests(built), "python": _digests(flask)["python"]}


@pytest.fixture
def kept(builds: Builds, tmp_path: Path) -> Path:
    """A directory of layers that stays after a build."""
    directory = tmp_path / "layers"
    directory.mkdir()
    os.chown(directory, builds.platform.user, builds.platform.group)
    return directory


def _has_no(layers: Path, name: str) -> bool:
    return not (layers / name).exists()


def _digests(built: Built) -> Digests:
    names = (path.stem for path in built.layers.glob("*.toml"))
    return {
        name: tree.digest(built.layers / name)
        for name in names
        # Without the store, which is not in the image, and the defaults, which are made last.
        if name not in {"deps", "defaults"} and (built.layers / name).is_dir()
    }
