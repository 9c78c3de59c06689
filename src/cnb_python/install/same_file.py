"""Whether a fetched wheel is a file that a manager resolved to afterwards.

An index has one file of each name, and the name of a wheel is in its metadata: release, tags and
build number. Separate from `installer`, since it reads wheels.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

from email.parser import BytesHeaderParser

from packaging.tags import Tag, parse_tag
from packaging.utils import parse_wheel_filename

from cnb_python.distributions import dist_info
from cnb_python.distributions.collect import InstalledPin
from cnb_python.managers.base import Pin

_LONGEST, _MOST_DOTS = 255, 30


def is_file_of(fetched: InstalledPin, pin: Pin) -> bool:
    """Whether *fetched* is one of the files of *pin*, which another tool resolved to."""
    if fetched.may_be_built or not pin.files:
        return False
    for directory in fetched.root.site_packages.glob("*.dist-info"):
        file = directory / "WHEEL"
        wheel = BytesHeaderParser().parsebytes(
            dist_info.read_file(file) if file.is_file() else b""
        )
        tags = frozenset(tag for text in wheel.get_all("Tag", []) for tag in _tags(str(text)))
        stem = f"{directory.name.removesuffix('.dist-info')}-"
        build = str(wheel.get("Build", ""))
        return any(_has(name, stem, tags, build) for name in pin.files)
    return False


def _has(name: str, stem: str, tags: frozenset[object], build: str) -> bool:
    if _is_long(name):
        return False
    try:
        _, _, number, own_tags = parse_wheel_filename(name)
    except ValueError:  # InvalidWheelFilename, or a build number of thousands of digits
        return False
    is_build = f"{number[0]}{number[1]}" == build if number else not build
    return name.startswith(stem) and own_tags == tags and is_build


def _tags(text: str) -> frozenset[Tag]:
    try:
        return frozenset() if _is_long(text) else parse_tag(text)
    except ValueError:  # fewer than three parts
        return frozenset()


def _is_long(text: str) -> bool:
    """Whether *text* stands for more tags than any wheel has.

    `a.b-c.d-e.f` stands for eight, and three parts of a hundred dots for a million.
    """
    return len(text) > _LONGEST or text.count(".") > _MOST_DOTS
