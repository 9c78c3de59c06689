"""Layers: they count only with their `.toml` beside them."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.cnb.layer import (
    BOTH,
    Empty,
    EnvDelta,
    Layer,
    LayerTypes,
    Restored,
    SbomFormat,
    check_contents,
    layer_of,
    write_sbom,
)
from cnb_python.errors.base import ContractBroken
from tests.support import layer_env
from tests.support.kill_simulation import killed_after

LAUNCH = LayerTypes(launch=True)
CACHE = LayerTypes(cache=True)


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    return layer_of(tmp_path, "venv")


def previous_layer(layer: Layer, content: str = "old") -> Layer:
    """Return *layer* as the previous build finished it."""
    staging = layer.begin()
    (staging / "file").write_text(content)
    layer.finish(CACHE, {"key": content})
    return layer


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_a_finished_layer_has_contents_types_and_metadata(layer: Layer) -> None:
    staging = layer.begin()
    (staging / "file").write_text("x")

    layer.finish(LayerTypes(build=True, launch=True), {"key": "a", "flag": False, "list": ["b"]})

    assert (layer.path / "file").read_text() == "x"
    assert toml.read(layer.layers_dir / "venv.toml") == {
        "types": {"build": True, "launch": True, "cache": False},
        "metadata": {"key": "a", "flag": False, "list": ["b"]},
    }
    assert names(layer.layers_dir) == ["venv", "venv.toml"]


def test_variables_programs_and_sboms_are_written_with_a_layer(layer: Layer) -> None:
    delta = EnvDelta(BOTH, "PATH", "prepend", "/a", ":")
    layer.begin()

    layer.finish(
        LAUNCH,
        {},
        env=(delta,),
        exec_d={"10-concurrency": b"#!/bin/sh\n"},
        sboms={SbomFormat.CYCLONEDX: b"{}"},
    )

    assert layer_env.read(layer.path) == (delta,)
    program = layer.path / "exec.d" / "10-concurrency"
    assert program.read_bytes() == b"#!/bin/sh\n"
    assert program.stat().st_mode & 0o777 == 0o755
    assert (layer.layers_dir / "venv.sbom.cdx.json").read_bytes() == b"{}"


def test_the_layers_directory_gets_a_fixed_mode(
    layer: Layer,
) -> None:
    layer.layers_dir.chmod(0o700)
    previous_layer(layer)
    assert layer.layers_dir.stat().st_mode & 0o777 == 0o755


def test_all_files_are_readable_under_any_umask(layer: Layer) -> None:
    before = os.umask(0o077)
    try:
        layer.begin()
        layer.finish(
            LAUNCH,
            {},
            env=(EnvDelta(BOTH, "A", "override", "x"),),
            exec_d={"program": b""},
            sboms={SbomFormat.SPDX: b"{}"},
        )
    finally:
        os.umask(before)

    modes = {path.name: path.stat().st_mode & 0o777 for path in layer.layers_dir.rglob("*")}
    assert modes == {
        "venv": 0o755,
        "env": 0o755,
        "A.override": 0o644,
        "exec.d": 0o755,
        "program": 0o755,
        "venv.sbom.spdx.json": 0o644,
        "venv.toml": 0o644,
    }


def test_the_old_layer_stays_until_the_new_one_is_finished(layer: Layer) -> None:
    previous_layer(layer)

    staging = layer.begin()
    (staging / "file").write_text("new")

    assert (layer.path / "file").read_text() == "old"
    assert layer.restored() == {"key": "old"}
    layer.finish(CACHE, {"key": "new"})
    assert (layer.path / "file").read_text() == "new"
    assert layer.restored() == {"key": "new"}


def test_a_finished_layer_has_no_old_files(layer: Layer) -> None:
    (previous_layer(layer).path / "stale").touch()
    write_sbom(layer.layers_dir, "venv", SbomFormat.SYFT, b"stale")

    layer.begin()
    layer.finish(CACHE, {})

    assert names(layer.path) == []
    assert names(layer.layers_dir) == ["venv", "venv.toml"]


def test_leftovers_of_a_killed_build_are_removed(layer: Layer) -> None:
    (layer.begin() / "half").touch()

    assert names(layer.begin()) == []


def test_staging_has_no_toml(layer: Layer) -> None:
    staging = layer.begin()

    assert staging.parent == layer.path.parent
    with pytest.raises(ContractBroken):
        layer_of(layer.layers_dir, staging.name)
    assert not list(layer.layers_dir.glob("*.toml"))


def test_a_build_killed_at_any_moment_leaves_no_partial_layer(tmp_path: Path) -> None:
    for layer, killed in killed_at_each_change(tmp_path, finish_new):
        match layer.restored():
            case None:
                assert killed
            case {"key": "old"}:
                assert killed
                assert names(layer.path) == ["file"]
                assert (layer.path / "file").read_text() == "old"
            case {"key": "new"}:
                assert names(layer.path) == ["env", "file"]
                assert (layer.path / "file").read_text() == "new"
                assert (layer.layers_dir / "venv.sbom.spdx.json").read_bytes() == b"new"
            case other:
                pytest.fail(f"trusted {other}")


def test_a_build_after_a_killed_one_has_no_old_files(tmp_path: Path) -> None:
    for layer, _ in killed_at_each_change(tmp_path, finish_new):
        previous_layer(layer, "next")

        assert names(layer.layers_dir) == ["venv", "venv.toml"]
        assert names(layer.path) == ["file"]
        assert layer.restored() == {"key": "next"}


@pytest.mark.parametrize(
    "change", [Layer.drop, lambda layer: layer.reuse_from_image({"key": "i"})]
)
def test_a_layer_killed_while_it_is_dropped_is_complete_or_gone(
    tmp_path: Path, change: Callable[[Layer], None]
) -> None:
    for layer, _ in killed_at_each_change(tmp_path, change):
        match layer.restored():
            case {"key": "old"}:
                assert (layer.path / "file").read_text() == "old"
            case {"key": "i"}:
                assert not layer.path.exists()
            case other:
                assert other is None


def test_a_drop_after_a_killed_build_leaves_nothing(tmp_path: Path) -> None:
    for layer, _ in killed_at_each_change(tmp_path, finish_new):
        layer.drop()

        assert names(layer.layers_dir) == []


def finish_new(layer: Layer) -> None:
    (layer.begin() / "file").write_text("new")
    layer.finish(
        CACHE,
        {"key": "new"},
        env=(EnvDelta(BOTH, "A", "override", "x"),),
        sboms={SbomFormat.SPDX: b"new"},
    )


def killed_at_each_change(
    root: Path, change: Callable[[Layer], None]
) -> Iterator[tuple[Layer, bool]]:
    """Give the old layer as *change* leaves it when killed before its first, second, ... write.

    The last one is not killed.
    """
    for writes in count():
        layers_dir = root / str(writes)
        layers_dir.mkdir()
        layer = previous_layer(layer_of(layers_dir, "venv"))
        killed = killed_after(writes, partial(change, layer))
        yield layer, killed
        if not killed:
            assert writes >= 3, "the hook saw nothing"
            return


def test_finishing_a_layer_that_was_not_begun_is_refused(layer: Layer) -> None:
    previous_layer(layer)

    with pytest.raises(ContractBroken, match="never begun"):
        layer.finish(CACHE, {})

    assert layer.restored() == {"key": "old"}


A = EnvDelta(BOTH, "A", "set", "x")
INVALID: dict[str, Callable[[Layer], None]] = {
    "metadata": lambda layer: layer.finish(CACHE, {"key": 5}),  # type: ignore[dict-item]  # the point
    "env": lambda layer: layer.finish(CACHE, {}, (A, replace(A, value="y"))),
    "exec.d outside": lambda layer: layer.finish(CACHE, {}, exec_d={"../out": b""}),
    "exec.d hidden": lambda layer: layer.finish(CACHE, {}, exec_d={".hidden": b""}),
}


@pytest.mark.parametrize("finish", INVALID.values(), ids=INVALID)
def test_invalid_input_is_refused_before_the_old_layer_changes(
    layer: Layer, finish: Callable[[Layer], None]
) -> None:
    previous_layer(layer)
    layer.begin()

    with pytest.raises(ContractBroken):
        finish(layer)

    assert layer.restored() == {"key": "old"}
    assert (layer.path / "file").read_text() == "old"


def test_a_kept_layer_gets_its_types_again(layer: Layer) -> None:
    previous_layer(layer)
    layer.begin()
    write_sbom(layer.layers_dir, "venv", SbomFormat.SPDX, b"{}")
    (layer.layers_dir / "venv.toml").write_text("[metadata]\nkey = 'old'\n")

    layer.keep(LAUNCH, {"key": "same"})

    assert toml.read(layer.layers_dir / "venv.toml") == {
        "types": {"build": False, "launch": True, "cache": False},
        "metadata": {"key": "same"},
    }
    assert (layer.path / "file").read_text() == "old"
    assert names(layer.layers_dir) == ["venv", "venv.sbom.spdx.json", "venv.toml"]


def test_a_layer_without_contents_cannot_be_kept(layer: Layer) -> None:
    (layer.layers_dir / "elsewhere").mkdir()
    layer.path.symlink_to("elsewhere")

    with pytest.raises(ContractBroken, match="no contents"):
        layer.keep(LAUNCH, {})


def test_a_layer_reused_from_the_image_has_no_directory(layer: Layer) -> None:
    previous_layer(layer)
    layer.begin()
    write_sbom(layer.layers_dir, "venv", SbomFormat.SPDX, b"{}")

    layer.reuse_from_image({"key": "same"})

    assert names(layer.layers_dir) == ["venv.sbom.spdx.json", "venv.toml"]
    assert toml.read(layer.layers_dir / "venv.toml")["types"] == {
        "build": False,
        "launch": True,
        "cache": False,
    }
    assert layer.state() == Restored({"key": "same"}, has_contents=False)


def test_a_dropped_layer_leaves_nothing(layer: Layer) -> None:
    previous_layer(layer)
    layer.begin()
    write_sbom(layer.layers_dir, "venv", SbomFormat.SPDX, b"{}")
    previous_layer(layer_of(layer.layers_dir, "venv-2"))

    layer.drop()
    layer.drop()

    assert names(layer.layers_dir) == ["venv-2", "venv-2.toml"]


def test_a_missing_layer_is_empty_without_a_reason(layer: Layer) -> None:
    assert layer.state() == Empty("")
    assert layer.restored() is None


def test_a_directory_without_its_toml_does_not_count(layer: Layer) -> None:
    layer.path.mkdir()

    assert layer.state() == Empty("")


def test_a_damaged_toml_is_empty_with_a_reason(layer: Layer) -> None:
    previous_layer(layer)
    (layer.layers_dir / "venv.toml").write_text("[metadata")

    state = layer.state()

    assert isinstance(state, Empty)
    assert state.reason.startswith("venv.toml cannot be read: ")
    assert layer.restored() is None


@pytest.mark.parametrize("kind", ["directory", "link to itself", "dangling link"])
def test_a_special_file_in_place_of_the_toml_is_replaced(layer: Layer, kind: str) -> None:
    path = layer.layers_dir / "venv.toml"
    match kind:
        case "directory":
            (path / "sub").mkdir(parents=True)
        case "link to itself":
            path.symlink_to(path)
        case _:
            path.symlink_to("missing")

    assert layer.restored() is None
    assert previous_layer(layer).restored() == {"key": "old"}


def test_a_link_in_place_of_the_layer_is_replaced(layer: Layer) -> None:
    elsewhere = layer.layers_dir / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    layer.path.symlink_to(elsewhere)

    previous_layer(layer)

    assert names(elsewhere) == ["mine"]
    assert not layer.path.is_symlink()


def test_restored_metadata_comes_without_types(layer: Layer) -> None:
    """As the restorer writes it for a launch-only layer: no types, no directory."""
    (layer.layers_dir / "venv.toml").write_text('[metadata]\n  key = "a"\n')

    assert layer.state() == Restored({"key": "a"}, has_contents=False)
    assert layer.restored() == {"key": "a"}


@pytest.mark.parametrize(
    "name", ["build", "launch", "store", "", "a.b", "a/b", "..", ".hidden", "é", "a\n", "a b"]
)
def test_a_name_that_the_lifecycle_does_not_accept_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContractBroken, match="cannot be called"):
        layer_of(tmp_path, name)


@pytest.mark.parametrize("name", ["venv", "deps-00", "python_3", "A"])
def test_ordinary_names_are_accepted(tmp_path: Path, name: str) -> None:
    assert layer_of(tmp_path, name).path == tmp_path / name


def test_the_expected_layers_have_contents(tmp_path: Path) -> None:
    previous_layer(layer_of(tmp_path, "deps"))
    layer_of(tmp_path, "venv").reuse_from_image({"key": "a"})
    (tmp_path / "launch.toml").touch()

    check_contents(tmp_path, ["deps"])


def test_no_contents_pass_if_none_are_expected(tmp_path: Path) -> None:
    check_contents(tmp_path, ())


@pytest.mark.parametrize("names", [(), ("deps", "venv"), ("venv",)])
def test_unexpected_or_missing_contents_are_a_bug(tmp_path: Path, names: tuple[str, ...]) -> None:
    previous_layer(layer_of(tmp_path, "deps"))

    with pytest.raises(ContractBroken, match="by mistake"):
        check_contents(tmp_path, names)


def test_an_unexpected_empty_directory_is_a_bug(tmp_path: Path) -> None:
    """It would replace the layer of the previous image, and be re-used from then on."""
    layer_of(tmp_path, "venv").reuse_from_image({"key": "a"})
    (tmp_path / "venv").mkdir()

    with pytest.raises(ContractBroken, match="venv"):
        check_contents(tmp_path, ())


def test_a_layer_that_was_not_finished_is_a_bug(tmp_path: Path) -> None:
    layer_of(tmp_path, "venv").begin()

    with pytest.raises(ContractBroken, match="by mistake"):
        check_contents(tmp_path, ())
