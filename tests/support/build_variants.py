"""Builds on a different machine, or with a lost cache or image, and digests to compare."""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.support.builds import BuildOptions, Built
from tests.support.trees import Files
from tools.platforms.build_request import Platform
from tools.processes import run
from tools.verify.other_machine import BY_UMASK, other_machine

MB = 1024 * 1024
# Files of cgroups version 2 in a container with 600 MB and 1.5 CPUs.
LIMITED: Files = {
    "sys/fs/cgroup/memory.max": f"{600 * MB}\n",
    "sys/fs/cgroup/cpu.max": "150000 100000\n",
}


@contextmanager
def odd_machine(
    platform: Platform, scratch: Path, env: Mapping[str, str]
) -> Iterator[BuildOptions]:
    """Yield options of a build with *env* on another machine: see `other_machine`."""
    with other_machine(platform, scratch) as conditions:
        yield {
            "umask": conditions.umask,
            "env": {**conditions.env, **env},
            "binds": conditions.binds,
        }


def without_image(build: Built, work: Path) -> Built:
    """Return *build* with only its cache, as for a new tag, copied to *work*."""
    return _with_only("cache", build, work)


def without_cache(build: Built, work: Path) -> Built:
    """Return *build* with only its image, as on another machine, copied to *work*."""
    return _with_only("layout", build, work)


def layers_of(build: Built) -> dict[str, str]:
    """Return the diff id of each layer of the image, by title."""
    return {layer.title: layer.diff_id for layer in build.image.layers}


def layers_beside_the_lifecycles(build: Built) -> dict[str, str]:
    """Return the same without the layers that depend on the lifecycle's umask."""
    return {title: sha for title, sha in layers_of(build).items() if title not in BY_UMASK}


def digest_of(build: Built) -> str:
    """Return the digest of the image."""
    index = json.loads((build.directory / "index.json").read_text())
    digest: str = index["manifests"][0]["digest"]
    return digest


def members(build: Built, layer: str) -> dict[str, str]:
    """Return everything about each file of an image's *layer* except its owner, by path."""
    with tarfile.open(build.image.blob(build.layer(layer))) as archive:
        return {member.name: _member(archive, member) for member in archive}


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    opened = archive.extractfile(member) if member.isreg() else None
    digest = hashlib.sha256(opened.read() if opened else b"").hexdigest()
    return f"{member.mode:o} {member.type!r} {member.linkname} {member.mtime} {digest}"


def _with_only(part: str, build: Built, work: Path) -> Built:
    for name in ("cache", "layout"):
        (work / name).mkdir(parents=True)
    run("cp", "-a", "--", build.work / part, work)
    return replace(build, work=work)
