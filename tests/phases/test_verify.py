"""An image is verified by building it again; a doctored one is caught at the file."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.builds import Builds, Built, fixture
from tests.support.locked_managers import Images
from tools.platforms import oci
from tools.verify import comparison, configuration, recorded
from tools.verify.__main__ import builder_version
from tools.verify.causes import Builds as BothBuilds
from tools.verify.causes import cause
from tools.verify.other_machine import BY_UMASK
from tools.verify.rebuild import Rebuild, rebuilt, rebuilt_elsewhere


def rebuild_of(builds: Builds, image: oci.Image, name: str) -> Rebuild:
    settings = recorded.settings(image, builder_version())
    return Rebuild(fixture(name), builds.buildpack, settings, builds.settings)


def doctored(built: Built, layer: str, path_end: str, into: Path) -> tuple[oci.Image, str]:
    """Return a copy of the image in which one file of *layer* has another end, and its path."""
    shutil.copytree(built.directory, into)
    blobs = into / "blobs"
    old = built.layer(layer)
    content, path = _with_changed_file(built.image.blob(old), path_end)
    index = json.loads((into / "index.json").read_text())
    manifest = json.loads(_blob(blobs, index["manifests"][0]["digest"]).read_text())
    config = json.loads(_blob(blobs, manifest["config"]["digest"]).read_text())
    diff_ids = config["rootfs"]["diff_ids"]
    number = diff_ids.index(old.diff_id)
    diff_ids[number] = f"sha256:{hashlib.sha256(content).hexdigest()}"
    label = config["config"]["Labels"][recorded.METADATA]
    config["config"]["Labels"][recorded.METADATA] = label.replace(old.diff_id, diff_ids[number])
    manifest["layers"][number]["digest"] = _write(blobs, gzip.compress(content))
    manifest["config"]["digest"] = _write(blobs, json.dumps(config).encode())
    index["manifests"][0]["digest"] = _write(blobs, json.dumps(manifest).encode())
    (into / "index.json").write_text(json.dumps(index))
    return oci.read(into), path.lstrip("/")


def _with_changed_file(layer: Path, path_end: str) -> tuple[bytes, str]:
    changed, path = io.BytesIO(), ""
    with tarfile.open(layer) as source, tarfile.open(fileobj=changed, mode="w") as target:
        for member in source:
            file = source.extractfile(member) if member.isreg() else None
            content = file.read() if file else b""
            if not path and member.name.endswith(path_end):
                path, content = member.name, content[:-1] + b"#"
            target.addfile(member, io.BytesIO(content))
    assert path
    return changed.getvalue(), path


def _blob(blobs: Path, digest: str) -> Path:
    return blobs / digest.replace(":", "/")


def _write(blobs: Path, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (blobs / "sha256" / digest).write_bytes(content)
    return f"sha256:{digest}"


def test_rebuild_is_equal_and_differs_from_a_doctored_image_in_one_file(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    image = flask.image
    rebuild = rebuild_of(builds, image, "pip_flask")

    after = rebuilt(rebuild, builds.platform, tmp_path)

    compared = comparison.compare(image, after)
    assert compared.difference is None
    assert len(compared.equal) == len(image.layers)
    assert configuration.difference(image, after) == ""
    shard = next(layer.title for layer in image.layers if ":deps-" in layer.title)
    name = shard.removeprefix(comparison.OWN)
    forged, path = doctored(flask, name, ".py", tmp_path / "doctored")
    difference = comparison.compare(forged, after).difference
    assert difference is not None
    assert (difference.layer, difference.path, difference.more) == (shard, path, 0)
    assert difference.fields == ("content",)
    of_both = BothBuilds(recorded.materials(forged), recorded.materials(after), rebuild.source)
    assert cause(difference, of_both).startswith("unknown: the content depends on something else")


@pytest.mark.matrix
def test_image_with_compiled_code_is_equal_on_another_machine(
    builds: Builds, images: Images, tmp_path: Path
) -> None:
    image = images("pip_c_extension").image
    rebuild = rebuild_of(builds, image, "pip_c_extension")

    after = rebuilt_elsewhere(rebuild, builds.platform, tmp_path, as_other_user=True)

    kept = [
        replace(each, layers=tuple(x for x in each.layers if x.title not in BY_UMASK))
        for each in (image, after)
    ]
    compared = comparison.compare(*kept, ignore_owner=True)
    assert compared.difference is None, comparison.title_of(compared.difference)
    assert configuration.difference(image, after) == ""
    owned = {title for title in compared.owner_only if title.startswith(comparison.OWN)}
    assert len(owned) > len(compared.equal)
    assert comparison.compare(*kept).difference is not None
