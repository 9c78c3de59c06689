"""Digests of a build's image, cache and layers, and the differences between two builds."""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from compression import zstd
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from tools.platforms import oci

CONTENTS = ".json.zst"
CONTENTS_TITLE = "list of contents"

type Digests = tuple[tuple[str, str], ...]
type Json = Mapping[str, Json] | Sequence[Json] | str | float | bool | None


@dataclass(frozen=True, slots=True)
class Build:
    """The digests of one build, and which layers were made in it."""

    code: int | None
    """The lifecycle's exit code; the other fields are empty unless it is 0."""
    layers: Digests = ()
    """Title and diff ID of each layer of the image, the run image first."""
    configuration: str = ""
    """Digest of the image's configuration."""
    image: str = ""
    """Digest of the image's manifest."""
    store: Digests = ()
    """Name and digest of each file that the platform keeps for the next build."""
    directories: tuple[str, ...] = ()
    """The buildpack's layers that were on disk after the build: restored or made."""
    added: tuple[str, ...] = ()
    """The lifecycle's lines about layers that it did not take from the previous image."""


def difference(before: Build, after: Build) -> str:
    """Return the first difference between two builds in words; empty if they are equal."""
    if before.code != after.code:
        return f"the lifecycle's exit code is {after.code}, not {before.code}"
    images = [before.image], [after.image]
    return (
        _digest_difference("layer", before.layers, after.layers)
        or _changed("configuration", [before.configuration], [after.configuration])
        or _changed("image", *images)
        or _digest_difference("store", before.store, after.store)
        or _changed("layers on disk after the build", before.directories, after.directories)
        or _changed("layers made", before.added, after.added)
    )


def _digest_difference(subject: str, before: Digests, after: Digests) -> str:
    for (old, old_digest), (new, new_digest) in zip_longest(before, after, fillvalue=("", "")):
        if old != new:
            return _changed(subject, [old] if old else [], [new] if new else [])
        if old_digest != new_digest:
            return _changed(f"{subject} {new}", [old_digest], [new_digest])
    return ""


def _changed(subject: str, before: Sequence[str], after: Sequence[str]) -> str:
    if before == after:
        return ""
    now, then = (", ".join(values) or "none" for values in (after, before))
    return f"{subject}: {now} (recorded: {then})"


def configuration(image: Path) -> str:
    """Return the configuration of the image layout *image*, as JSON."""
    blobs = image / "blobs"
    manifest = json.loads((blobs / manifest_digest(image).replace(":", "/")).read_text())
    text: str = (blobs / manifest["config"]["digest"].replace(":", "/")).read_text()
    return text


def manifest_digest(image: Path) -> str:
    """Return the digest of the image in the layout *image*, as a registry gives it."""
    digest: str = json.loads((image / "index.json").read_text())["manifests"][0]["digest"]
    return digest


def contents(archive: Path) -> str:
    """Return the store's list of contents from *archive*, the platform's archive of the store."""
    with tarfile.open(archive) as entries:
        for entry in entries:
            file = entries.extractfile(entry) if entry.name.endswith(CONTENTS) else None
            if file:
                return zstd.decompress(file.read()).decode()
    return ""


def store_files(archive: Path) -> Digests:
    """Return name and digest of each file in the platform's archive of the store, sorted."""
    text = contents(archive).encode()
    files = {entry["name"]: entry["content"] for entry in _entries(archive)}
    kept = {name: digest for name, digest in files.items() if not name.endswith(CONTENTS)}
    kept[CONTENTS_TITLE] = hashlib.sha256(text).hexdigest()
    return tuple(sorted(kept.items()))


def first_location(old: tuple[Path, Path], new: tuple[Path, Path]) -> str:
    """Return where two builds differ first: a file of a layer, a setting, or part of the store.

    A pair is the image layout and the archive of the store. Empty if nothing differs.
    """
    before, after = oci.read(old[0]), oci.read(new[0])
    for old_layer, new_layer in zip(before.layers, after.layers, strict=False):
        if old_layer.diff_id != new_layer.diff_id:
            return first_entry(before.blob(old_layer), after.blob(new_layer))
    documents = (
        (json.loads(configuration(old[0])), json.loads(configuration(new[0]))),
        (json.loads(contents(old[1])), json.loads(contents(new[1]))),
    )
    return next(filter(None, (first_value(*pair) for pair in documents)), "")


def first_entry(old: Path, new: Path) -> str:
    """Return the first entry that differs between two archives, and in what; empty if none."""
    for before, after in zip_longest(_entries(old), _entries(new), fillvalue={"name": "(end)"}):
        if before == after:
            continue
        if before["name"] != after["name"]:
            return f"{after['name']} (recorded: {before['name']})"
        changed = [key for key, value in after.items() if before[key] != value]
        return f"{after['name']}: {', '.join(changed)}"
    return ""


def _entries(archive: Path) -> Iterator[dict[str, str]]:
    with tarfile.open(archive) as entries:
        for entry in entries:
            file = entries.extractfile(entry) if entry.isfile() else None
            yield {
                "name": entry.name,
                "type": entry.type.decode(),
                "mode": f"{entry.mode:o}",
                "owner": f"{entry.uid}:{entry.gid}",
                "time": str(entry.mtime),
                "target": entry.linkname,
                "content": hashlib.sha256(file.read() if file else b"").hexdigest(),
            }


def first_value(old: Json, new: Json, where: str = "") -> str:
    """Return the path of the first value that differs between two documents; empty if none.

    Strings that hold a document, as the lifecycle's labels do, are compared as documents.
    """
    old, new = _parsed(old), _parsed(new)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        keys = sorted({*old, *new})
        return next(filter(None, (_first_below(key, old, new, where) for key in keys)), "")
    if old == new:
        return ""
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return next(filter(None, (first_value(a, b, f"{where}[{n}]") for n, (a, b) in pairs)))
    return f"{where}: {new!r} (recorded: {old!r})"


def _first_below(key: str, old: Mapping[str, Json], new: Mapping[str, Json], where: str) -> str:
    path = f"{where}.{key}" if where else key
    if key not in old or key not in new:
        return f"{path}: {'new' if key in new else 'gone'}"
    return first_value(old[key], new[key], path)


def _parsed(value: Json) -> Json:
    if isinstance(value, str) and value.startswith("{"):
        parsed: Json = json.loads(value)
        return parsed
    return value
