"""What the previous build left, and what this one saves."""

from copy import replace
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.toml import Unusable
from cnb_python.config.settings import Settings
from cnb_python.layers import store as store_layer
from cnb_python.layers.cache_keys import EnvironmentKey, PackageKey, environment_key, package_key
from cnb_python.layers.store import BuildRecord, PreviousBuild
from cnb_python.python.releases import Release
from tests.support.fake_build import context

RELEASE = Release("3.14.6", "amd64", "plain", "https://example.org/a.tar.gz", "5" * 64)


def keys(phase: BuildContext) -> tuple[PackageKey, EnvironmentKey]:
    return package_key(RELEASE, phase, phase.app_dir), environment_key("pip", Settings(), phase)


def record(phase: BuildContext, **more: str) -> BuildRecord:
    packages, environment = keys(phase)
    return BuildRecord(
        package_key=packages.metadata() | more,
        environment_key=environment.metadata(),
        resolution="d",
        from_files_alone=True,
        python_patch="",
        env="e",
        distributions={"six": "1.0"},
        layers={"venv": "1"},
        layer_sizes={},
        largest={},
        manifest="a" * 64,
    )


def previous(phase: BuildContext) -> PreviousBuild:
    return store_layer.read_previous(phase, *keys(phase))


@pytest.fixture
def first(tmp_path: Path) -> BuildContext:
    return context(tmp_path)


@pytest.fixture
def next_(first: BuildContext) -> BuildContext:
    """The build after one that saved its store."""
    nothing_before = previous(first)
    (store_layer.open_store(first, nothing_before) / "archive").write_text("kept")
    store_layer.close_store(first, record(first))
    metadata = toml.read_metadata(first.layers_dir / "store.toml")
    assert not isinstance(metadata, Unusable)
    return replace(first, store=metadata)


def test_first_build_has_no_record_and_no_reason(first: BuildContext) -> None:
    previous_build = previous(first)

    assert previous_build == PreviousBuild(first.layers_dir / "deps", None, False, (), ())  # noqa: FBT003 - as it is shown


def test_record_is_read_with_the_store(next_: BuildContext) -> None:
    previous_build = previous(next_)

    assert previous_build.record == record(next_)
    assert (
        previous_build.has_store,
        previous_build.cache_invalid_because,
        previous_build.layout_changed_because,
    ) == (
        True,
        (),
        (),
    )
    assert (store_layer.open_store(next_, previous_build) / "archive").read_text() == "kept"


def test_record_is_read_without_previous_image(next_: BuildContext) -> None:
    previous_build = previous(replace(next_, store={}))

    assert (previous_build.record, previous_build.has_store) == (record(next_), True)


@pytest.mark.parametrize("names", [("deps.toml",), ("archive",), ("deps.toml", "archive")])
def test_record_is_read_from_store_toml_without_cache(
    next_: BuildContext, names: tuple[str, ...]
) -> None:
    if "archive" in names:
        (next_.layers_dir / "deps/archive").unlink()
        (next_.layers_dir / "deps").rmdir()
    if "deps.toml" in names:
        (next_.layers_dir / "deps.toml").unlink()

    previous_build = previous(next_)

    assert previous_build.record == record(next_)._replace(manifest="")
    assert (previous_build.has_store, previous_build.cache_invalid_because) == (False, ())


def test_store_of_another_key_stays_with_every_reason(
    next_: BuildContext,
) -> None:
    target = replace(next_.target, arch="arm64", distro_version="13")
    other = replace(next_, target=target)

    previous_build = previous(other)

    assert previous_build.cache_invalid_because == (
        "the architecture has changed from amd64 to arm64",
        "the Linux distribution of the image has changed from debian 12 to debian 13",
    )
    # Its Python stays usable, which has a key of its own.
    assert (store_layer.open_store(other, previous_build) / "archive").exists()


def test_new_store_is_no_layer_until_closed(next_: BuildContext) -> None:
    (next_.layers_dir / "deps.toml").unlink()

    opened = store_layer.open_store(next_, previous(next_))

    assert list(opened.iterdir()) == []
    assert not (next_.layers_dir / "deps.toml").exists()


def test_other_environment_key_keeps_the_packages_valid(next_: BuildContext) -> None:
    previous_build = previous(replace(next_, exec_env="test"))

    assert previous_build.layout_changed_because == (
        "the execution environment has changed from production to test",
    )
    assert (previous_build.has_store, previous_build.cache_invalid_because) == (True, ())


def test_store_of_another_format_is_invalid(first: BuildContext) -> None:
    store_layer.open_store(first, previous(first))
    store_layer.close_store(first, record(first, format="0"))

    (reason,) = previous(first).cache_invalid_because

    assert reason.startswith("the cache format has changed from 0 to ")


@pytest.mark.parametrize("text", ["nonsense", "[metadata]\nx = 1\n"])
def test_unreadable_record_is_a_reason(next_: BuildContext, text: str) -> None:
    (next_.layers_dir / "deps.toml").write_text(text, encoding="utf-8")

    previous_build = previous(replace(next_, store={}))

    assert previous_build.record is None
    assert len(previous_build.cache_invalid_because) == 1
    assert not previous_build.has_store


def test_metadata_without_record_is_ignored(next_: BuildContext) -> None:
    (next_.layers_dir / "deps.toml").write_text("[metadata]\nkey = 'x'\n", encoding="utf-8")

    previous_build = previous(replace(next_, store={}))

    assert (previous_build.record, previous_build.has_store) == (None, False)


def test_store_is_a_cache_layer_and_store_toml_has_the_record(
    next_: BuildContext,
) -> None:
    table = toml.read(next_.layers_dir / "deps.toml")

    assert table["types"] == {"build": False, "launch": False, "cache": True}
    assert "manifest" in toml.table_at(table, "metadata")
    assert "manifest" not in next_.store
    assert next_.store == record(next_)._replace(manifest="").metadata()


def test_kept_store_is_unchanged(next_: BuildContext) -> None:
    (next_.layers_dir / "deps.toml").write_text(
        (next_.layers_dir / "deps.toml").read_text().replace("cache = true", "cache = false")
    )

    store_layer.keep(next_, previous(next_), record(next_))

    types = toml.read(next_.layers_dir / "deps.toml")["types"]
    assert types == {"build": False, "launch": False, "cache": True}
    assert (next_.layers_dir / "deps/archive").exists()


def test_keep_without_store_writes_only_the_record(next_: BuildContext) -> None:
    (next_.layers_dir / "deps.toml").unlink()
    (next_.layers_dir / "store.toml").unlink()

    store_layer.keep(next_, previous(next_), record(next_))

    assert {path.name for path in next_.layers_dir.iterdir()} == {"store.toml"}
