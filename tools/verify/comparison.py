"""Compares two images: layer by layer, then file by file in the first layers that differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from tools.platforms.oci import RUN_IMAGE, Image, Layer
from tools.verify.entries import Entry, content_of, entries_of

OWN = "cnb-python/python:"
APP = "app"
# The platform makes it before the build: pack with mode 777, others with 755.
_APP_DIRECTORY = "workspace"

type Fields = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference between two images."""

    layer: str
    """The title of the layer."""
    path: str = ""
    """The file in the layer; empty if the layer as a whole differs."""
    fields: Fields = ()
    """What differs of the file: `mode`, `content`; `added` or `missing` if one image lacks it."""
    before: Entry | None = None
    after: Entry | None = None
    old_content: bytes = b""
    new_content: bytes = b""
    more: int = 0
    """The number of the other paths in the layer that differ."""


@dataclass(frozen=True, slots=True)
class Compared:
    """The result of a comparison."""

    equal: tuple[str, ...]
    """The titles of the layers with equal digests."""
    owner_only: tuple[str, ...]
    """Those that differ only in what the platform decides.

    These are the owners of files, where that is allowed, and the mode of the app's directory.
    """
    difference: Difference | None
    is_rebased: bool = False
    """Whether the images differ only in their run images, which are compared last."""


def compare(before: Image, after: Image, *, ignore_owner: bool = False) -> Compared:
    """Compare the images: the buildpack's layers first, the run image last.

    *ignore_owner*: for a build as another user, who owns all files.
    """
    equal: list[str] = []
    owner_only: list[str] = []
    for title, old, new in _pairs(before, after):
        if old and new and old.diff_id == new.diff_id:
            equal.append(title)
            continue
        difference = _difference(title, (before, old), (after, new), ignore_owner=ignore_owner)
        if difference is not None:
            is_rebased = title.startswith(RUN_IMAGE) and all(
                map(_is_on_run_image, (before, after))
            )
            return Compared(tuple(equal), tuple(owner_only), difference, is_rebased)
        owner_only.append(title)
    return Compared(tuple(equal), tuple(owner_only), None)


def _is_on_run_image(image: Image) -> bool:
    """Whether the layers that the build did not make are below all others.

    A layer above them was added after the build, and can replace files of the build.
    """
    of_build = [layer.title != RUN_IMAGE for layer in image.layers]
    return of_build == sorted(of_build)


def _pairs(before: Image, after: Image) -> Iterator[tuple[str, Layer | None, Layer | None]]:
    old, new = _by_title(before), _by_title(after)
    for title in sorted({*old, *new}, key=_order):
        yield title, old.get(title), new.get(title)


def _by_title(image: Image) -> Mapping[str, Layer]:
    """Return the layers by title; those of the run image with a number, the app's slices too."""
    layers: dict[str, Layer] = {}
    for layer in image.layers:
        number = sum(1 for title in layers if title.partition(" #")[0] == layer.title)
        layers[f"{layer.title} #{number + 1}" if number else layer.title] = layer
    return layers


def _order(title: str) -> tuple[int, str]:
    kinds = (title.startswith(OWN), title.startswith(APP), not title.startswith(RUN_IMAGE))
    return kinds.index(True) if True in kinds else len(kinds), title


def _difference(
    title: str,
    before: tuple[Image, Layer | None],
    after: tuple[Image, Layer | None],
    *,
    ignore_owner: bool,
) -> Difference | None:
    old, new = (image.blob(layer) if layer else None for image, layer in (before, after))
    if old is None or new is None:
        side: Literal["added", "missing"] = "missing" if new is None else "added"
        return Difference(title, fields=(side,))
    if not (old.exists() and new.exists()):
        # The run image's layer, which layouts may lack.
        return Difference(title)
    first, second = entries_of(old), entries_of(new)
    changed = [
        (path, fields)
        for path in sorted({*first, *second})
        if (fields := _fields(first.get(path), second.get(path), ignore_owner=ignore_owner))
    ]
    if changed == [(_APP_DIRECTORY, ("mode",))]:
        return None
    if not changed:
        # The order of the entries, or what tar has besides them.
        return None if ignore_owner else Difference(title, fields=("archive",))
    path, fields = min(changed, key=_significance)
    return Difference(
        title,
        path,
        fields,
        first.get(path),
        second.get(path),
        content_of(old, path) if path in first else b"",
        content_of(new, path) if path in second else b"",
        more=len(changed) - 1,
    )


def _significance(change: tuple[str, Fields]) -> tuple[bool, str]:
    """Order changes: a RECORD lists the digests of other files, so it is named last."""
    path, _ = change
    return path.endswith(".dist-info/RECORD"), path


def _fields(old: Entry | None, new: Entry | None, *, ignore_owner: bool) -> Fields:
    if old is None:
        return ("added",)
    if new is None:
        return ("missing",)
    ignored = {"owner"} if ignore_owner else set()
    return tuple(name for name in old.differences(new) if name not in ignored)


def title_of(difference: Difference) -> str:
    """Return what differs, in words."""
    if not difference.path:
        reasons = {"added": "is not in the image", "missing": "is in the image alone"}
        reason = next((reasons[each] for each in difference.fields if each in reasons), "differs")
        return f"layer {difference.layer} {reason}"
    what = ", ".join(difference.fields)
    return f"layer {difference.layer}: /{difference.path}: {what}"
