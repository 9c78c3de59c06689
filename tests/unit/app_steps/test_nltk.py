"""NLTK data is downloaded once, and stored in a layer of the image and in the store."""

import hashlib
import json
from pathlib import Path

import pytest

from cnb_python.app_steps import nltk
from cnb_python.cnb import disk, toml
from cnb_python.errors.frameworks import NltkFailed, PackagesChanged
from cnb_python.errors.inputs import NotUtf8
from cnb_python.errors.machine import Killed
from cnb_python.install.snapshot import Snapshot
from cnb_python.provision.request import StepResults
from cnb_python.store.store import Store
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_environment import FakeEnvironment, fake_environment
from tests.support.trees import write_files


def download(command: Command) -> Outcome:
    directory, names = Path(command.argv[2]), command.argv[4:]
    write_files(directory, {f"corpora/{name}/english": name for name in names})
    (directory / f"corpora/{names[0]}/english").chmod(0o600)
    return Outcome(0, "[nltk_data] Downloading package stopwords\n")


def download_zip(command: Command) -> Outcome:
    write_files(Path(command.argv[2]), {"corpora/stopwords.zip": "zip"})
    return Outcome(0, "")


@pytest.fixture
def app(tmp_path: Path) -> FakeEnvironment:
    return fake_environment(
        tmp_path, {"nltk.txt": "stopwords\n# more\npunkt\r\n"}, {"nltk": "3.9.1"}, download
    )


def build(app: FakeEnvironment, *, use: bool = False) -> StepResults | None:
    """Run the step as a build does; with *use*, another step runs in the environment."""
    app.programs.ran.clear()
    data = nltk.find(app.environment(), app.app.log)
    if data is None:
        return None
    if use or not data.is_in_image:
        nltk.provide(data, app.system())
    if use:
        assert (data.layer.path / "corpora/stopwords/english").exists()
    return nltk.finish(data, app.app.log)


def restore(app: FakeEnvironment) -> None:
    """Leave the layer as the restorer does for the next build."""
    path = app.app.layers / "nltk.toml"
    toml.write(path, {"metadata": toml.table_at(toml.read(path), "metadata")})
    disk.remove(app.app.layers / "nltk")


def test_named_data_is_downloaded_into_the_layer(app: FakeEnvironment) -> None:
    added = build(app)
    [command] = app.programs.ran
    assert command.shown == "python -m nltk.downloader stopwords punkt"
    layer = app.app.layers / "nltk"
    assert (layer / "corpora/punkt/english").read_text(encoding="utf-8") == "punkt"
    assert (layer / "corpora/stopwords/english").stat().st_mode & 0o777 == 0o644
    assert (layer / "env.launch/NLTK_DATA.default").read_text(encoding="utf-8") == str(layer)
    assert toml.read(app.app.layers / "nltk.toml")["types"] == {
        "build": False,
        "launch": True,
        "cache": False,
    }
    assert added
    assert added.layers == {"nltk": 14}
    assert added.new_layers == {"nltk"}


def test_data_in_the_image_is_reused(app: FakeEnvironment) -> None:
    build(app)
    first = toml.read(app.app.layers / "nltk.toml")["metadata"]
    restore(app)
    added = build(app)
    assert added
    assert (added.new_layers, added.layers) == (frozenset(), {"nltk": 7000})
    assert app.programs.ran == []
    assert not (app.app.layers / "nltk").exists()
    assert toml.read(app.app.layers / "nltk.toml")["metadata"] == first


def test_data_for_steps_comes_from_the_store(app: FakeEnvironment) -> None:
    build(app)
    restore(app)
    build(app, use=True)
    assert app.programs.ran == []
    assert not (app.app.layers / "nltk").exists()


def test_data_too_large_for_the_store_stays_in_the_image(app: FakeEnvironment) -> None:
    build(app)
    restore(app)
    app.store = Store(app.store.directory)  # an empty one
    added = build(app)
    assert added
    assert (added.new_layers, app.programs.ran) == (frozenset(), [])


def test_data_for_steps_is_downloaded_if_the_store_lacks_it(app: FakeEnvironment) -> None:
    build(app)
    restore(app)
    app.store = Store(app.store.directory)
    added = build(app, use=True)
    assert added
    assert (added.new_layers, len(app.programs.ran)) == (frozenset(), 1)
    assert "app steps need it, and the cache does not have it" in app.log_text


def test_files_that_were_downloaded_are_recorded_with_their_digests(app: FakeEnvironment) -> None:
    data = nltk.find(app.environment(), app.app.log)
    assert data
    nltk.provide(data, app.system())
    (data.layer.path / "corpora/stopwords.zip").write_bytes(b"zip")
    data.snapshot = Snapshot()

    made = nltk.finish(data, app.app.log).downloads

    assert made == (f"{hashlib.sha256(b'zip').hexdigest()} corpora/stopwords.zip",)
    for use in (False, True):
        restore(app)
        reused = build(app, use=use)
        assert reused
        assert (reused.downloads, reused.new_layers) == (made, frozenset())


@pytest.mark.parametrize("has_store", [True, False])
def test_downloads_that_an_older_release_did_not_record_come_from_the_store(
    app: FakeEnvironment, *, has_store: bool
) -> None:
    data = nltk.find(app.environment(), app.app.log)
    assert data
    app.programs.answer = download_zip
    nltk.provide(data, app.system())
    made = nltk.finish(data, app.app.log).downloads
    restore(app)
    path = app.app.layers / "nltk.toml"
    metadata = dict(toml.table_at(toml.read(path), "metadata"))
    assert metadata.pop("downloads") == [*made]
    toml.write(path, {"metadata": metadata})
    if not has_store:
        disk.remove(app.store.directory)

    reused = build(app)

    assert reused
    assert made == (f"{hashlib.sha256(b'zip').hexdigest()} corpora/stopwords.zip",)
    assert (reused.downloads, reused.new_layers) == (made if has_store else (), frozenset())
    assert app.programs.ran == []


def test_data_added_by_a_step_is_reported_and_removed(app: FakeEnvironment) -> None:
    data = nltk.find(app.environment(), app.app.log)
    assert data
    nltk.provide(data, app.system())
    write_files(data.layer.path, {"corpora/words.zip": "x"})
    nltk.finish(data, app.app.log)
    assert not (data.layer.path / "corpora/words.zip").exists()
    assert "NLTK data that nltk.txt does not name is not in the image" in app.log_text
    assert f"{data.layer.path}/corpora/words.zip" in app.log_text


def test_data_without_previous_image_comes_from_the_store(app: FakeEnvironment) -> None:
    first = build(app)
    restore(app)
    (app.app.layers / "nltk.toml").unlink()
    assert build(app) == first
    assert app.programs.ran == []
    assert "Using cached NLTK data: stopwords, punkt" in app.log_text


def test_damaged_data_is_downloaded_again(app: FakeEnvironment) -> None:
    build(app)
    restore(app)
    (app.app.layers / "nltk.toml").unlink()
    for path in app.store.directory.iterdir():
        path.write_bytes(b"damaged")
    build(app)
    assert len(app.programs.ran) == 1
    assert "Downloading NLTK data again" in app.log_text


@pytest.mark.parametrize("change", ["list", "version"])
def test_other_list_or_release_is_downloaded(app: FakeEnvironment, change: str) -> None:
    build(app)
    restore(app)
    if change == "list":
        write_files(app.directory, {"nltk.txt": "stopwords"})
    else:
        app.distributions = {"nltk": "3.9.2"}
    build(app)
    assert len(app.programs.ran) == 1
    assert "Not using the previous build's NLTK data: the " in app.log_text


def test_order_and_comments_do_not_change_the_key(app: FakeEnvironment) -> None:
    build(app)
    restore(app)
    write_files(app.directory, {"nltk.txt": "punkt stopwords # both"})
    build(app)
    assert app.programs.ran == []


def test_app_without_nltk_txt_has_no_layer(app: FakeEnvironment) -> None:
    build(app)
    restore(app)
    write_files(app.directory, {"nltk.txt": "# nothing\n"})
    assert build(app) is None
    assert not (app.app.layers / "nltk.toml").exists()


def test_nltk_txt_without_nltk_is_a_warning(app: FakeEnvironment) -> None:
    app.distributions = {}
    assert build(app) is None
    assert "nltk.txt is not used" in app.log_text


def test_nltk_txt_that_is_not_utf8_fails_the_build(app: FakeEnvironment) -> None:
    (app.directory / "nltk.txt").write_bytes(b"\xff\xfes\x00")
    with pytest.raises(NotUtf8):
        build(app)


def test_changed_data_fails_the_build(app: FakeEnvironment) -> None:
    data = nltk.find(app.environment(), app.app.log)
    assert data
    nltk.provide(data, app.system())
    (data.layer.path / "corpora/punkt/english").write_text("other", encoding="utf-8")
    with pytest.raises(PackagesChanged):
        nltk.finish(data, app.app.log)


FAILURE = ["x", "ValueError: Error loading x: Package 'x' not found in index"]


@pytest.mark.parametrize(
    ("answer", "output", "expected"),
    [
        (json.dumps(FAILURE), "", ("x", "unknown", "Package 'x' not found in index")),
        ("", "  File x\nImportError: no", ("stopwords", "other", "no")),
        ("{", "ImportError: no", ("stopwords", "other", "no")),
    ],
)
def test_failed_download_leaves_no_layer(
    app: FakeEnvironment, answer: str, output: str, expected: tuple[str, str, str]
) -> None:
    def fail(command: Command) -> Outcome:
        Path(command.argv[3]).write_text(answer, encoding="utf-8")
        return Outcome(1, output)

    app.programs.answer = fail
    with pytest.raises(NltkFailed) as caught:
        build(app)
    assert (caught.value.name, caught.value.cause, caught.value.detail) == expected
    assert not (app.app.layers / "nltk.toml").exists()


def test_killed_download_raises_killed(app: FakeEnvironment) -> None:
    app.programs.answer = lambda _: Outcome(-9, "")
    with pytest.raises(Killed):
        build(app)
