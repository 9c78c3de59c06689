"""Nothing of a damaged cache or previous image gets into the new image."""

import io
import json
import tarfile
import tomllib
from collections.abc import Iterator, Mapping
from compression import zstd
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.support import faults
from tests.support.builds import Builds, Built
from tests.support.faults import LAYERS, Scenario, cache_of, image_of, outcome

OUTSIDE = "evil"


@pytest.fixture(scope="module")
def scenario(
    builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scenario]:
    with faults.scenario(builds, flask.layers, tmp_path_factory.mktemp("scenario")) as built:
        yield built


@pytest.fixture
def layers(scenario: Scenario, tmp_path: Path) -> Path:
    """The layers that are restored from the cache alone, after a build without faults."""
    return cache_of(scenario.clean, scenario.direct.own(tmp_path / "layers"))


def test_damaged_archives_are_replaced(scenario: Scenario, layers: Path) -> None:
    store, listed = layers / "deps", _listed(layers)
    by_name = {row["name"]: row for row in listed["distributions"]}
    _truncate(store / _file(by_name["first"]))
    _flip_a_bit(store / _file(by_name["second"]))
    # The digests in their names match, so only unpacking them finds the damage.
    by_name["third"]["archive"] = _add(store, _tar({f"../../../{OUTSIDE}": ""}))
    by_name["lying"]["archive"] = _add(store, _tar({"a": LAYERS, f"a/{OUTSIDE}": ""}))
    _list(layers, listed)

    ended = scenario.direct.build(layers)

    scenario.check(layers, ended)
    again = {name: f"  Installing {name} again: its archive " for name in by_name}
    assert f"{again['first']}has changed\n" in ended.output
    assert f"{again['second']}has changed\n" in ended.output
    assert f"{again['third']}does not contain " in ended.output
    assert f"{again['lying']}does not contain " in ended.output
    assert [*layers.rglob(OUTSIDE)] == []


def test_manifest_with_a_path_outside_makes_the_store_unusable(
    scenario: Scenario, layers: Path
) -> None:
    listed = _listed(layers)
    listed["distributions"][0]["paths"][0] = f"../../../{OUTSIDE}"
    _list(layers, listed)

    ended = scenario.direct.build(layers)

    scenario.check(layers, ended)
    reason = "its manifest has another format"
    assert f"  Not using the previous build's packages: {reason}" in ended.output


def test_previous_image_without_cache_is_reused(scenario: Scenario, tmp_path: Path) -> None:
    layers = image_of(scenario.clean, scenario.direct.own(tmp_path / "layers"))
    ended = scenario.direct.build(layers)
    assert ended.code == 0, ended.output
    assert "  Nothing changed: reusing 4 packages from the previous image\n" in ended.output
    assert [path for path in layers.iterdir() if path.is_dir()] == []
    contents = outcome(layers)
    for name in ("python.toml", "venv.toml", "deps-00.toml", "launch.toml", "store.toml"):
        assert contents[name] == scenario.right[name]


def test_other_linux_distribution_makes_new_package_layers(
    scenario: Scenario, layers: Path
) -> None:
    image_of(scenario.clean, layers)
    ended = scenario.direct.build(layers, CNB_TARGET_DISTRO_VERSION="13")
    assert ended.code == 0, ended.output
    reason = "the Linux distribution of the image has changed from debian 12 to debian 13"
    for what in ("Python", "packages"):
        assert f"  Not using the previous build's {what}: {reason}\n" in ended.output
    contents = outcome(layers)
    names = {name for name in contents if not name.endswith(".toml")}
    assert names == {"python", "venv", "deps-00", "deps"}
    documents = ("python.toml", "venv.toml", "deps-00.toml")
    assert all(contents[name] != scenario.right[name] for name in documents)


def _listed(layers: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the manifest of the store."""
    (path,) = (layers / "deps").glob("*.json.zst")
    listed: dict[str, list[dict[str, Any]]] = json.loads(zstd.decompress(path.read_bytes()))
    return listed


def _list(layers: Path, contents: Mapping[str, object]) -> None:
    """Replace the manifest, and its digest in the layer metadata."""
    packed = zstd.compress(json.dumps(contents).encode())
    digest = sha256(packed).hexdigest()
    (layers / "deps" / f"{digest}.json.zst").write_bytes(packed)
    document = tomllib.loads((layers / "deps.toml").read_text())
    document["metadata"]["manifest"] = digest
    (layers / "deps.toml").write_text(tomli_w.dumps(document))


def _file(row: Mapping[str, object]) -> str:
    return f"{row['archive']}.tar.zst"


def _truncate(archive: Path) -> None:
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])


def _flip_a_bit(archive: Path) -> None:
    content = bytearray(archive.read_bytes())
    content[len(content) // 2] ^= 1
    archive.write_bytes(content)


def _add(store: Path, archive: bytes) -> str:
    digest = sha256(archive).hexdigest()
    (store / f"{digest}.tar.zst").write_bytes(archive)
    return digest


def _tar(members: Mapping[str, str]) -> bytes:
    """Return an archive of empty files, or links to the given targets."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, target in members.items():
            entry = tarfile.TarInfo(name)
            if target:
                entry.type, entry.linkname = tarfile.SYMTYPE, target
            archive.addfile(entry)
    return zstd.compress(content.getvalue())
