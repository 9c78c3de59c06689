"""The label about shared libraries stays small, whatever the packages need."""

import json

import pytest

from cnb_python.provision import libraries
from cnb_python.provision.libraries import IN_BUILD_IMAGE, LABEL, LARGEST_LABEL, RecordedLibrary


def recorded(count: int, name: str, package: str, version: str) -> dict[str, str]:
    """Return the record of *count* libraries and of the C library."""
    each = RecordedLibrary(IN_BUILD_IMAGE, (package,) * 600, (version,) * 3).text()
    names = (f"lib{name}{number}.so.1" for number in range(count))
    return {"libc.so.6": each, **dict.fromkeys(names, each)}


@pytest.mark.parametrize(
    ("record", "packages", "versions", "count"),
    [
        # What 600 distributions of a data science app need is less than this.
        (recorded(300, "x", "distribution-of-a-usual-name", "GLIBC_2.17"), 3, 3, 301),
        (recorded(1000, "x", "d" * 300, "V_1.2"), 0, 3, 1000),
        (recorded(1000, "x", "d" * 300, "V" * 300), 0, 0, 1000),
        (recorded(1000, "x" * 1000, "d", "V"), 0, 0, 250),
    ],
)
def test_label_is_bounded(
    record: dict[str, str], packages: int, versions: int, count: int
) -> None:
    text = libraries.labels(record)[LABEL]

    assert len(text) <= LARGEST_LABEL
    needed = json.loads(text)
    assert len(needed) == count
    assert {len(each["packages"]) for each in needed.values()} == {packages}
    assert {len(each["versions"]) for each in needed.values()} == {versions}
    assert ("libc.so.6" in needed) is (count == 301)
