"""Whether a fetched wheel is a file that a manager resolved to afterwards."""

from pathlib import Path

import pytest

from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.install.same_file import is_file_of
from cnb_python.managers.base import Pin

ONE = Pin("one-tool", "1.0+cpu", "a", "one-tool==1.0+cpu")
WHEEL = "Wheel-Version: 1.0\nTag: py2-none-any\nTag: py3-none-any\n"


def fetched(directory: Path, wheel: str, *, may_be_built: bool = False) -> InstalledPin:
    root = DistributionRoot(directory, Path("/layers/venv"), "3.14")
    information = root.site_packages / "one_tool-1.0+cpu.dist-info"
    information.mkdir(parents=True)
    if wheel:
        (information / "WHEEL").write_text(wheel)
    return InstalledPin(ONE, root, may_be_built)


@pytest.mark.parametrize(
    ("wheel", "file", "is_same"),
    [
        (WHEEL, "one_tool-1.0+cpu-py2.py3-none-any.whl", True),
        (WHEEL, "one_tool-1.0+cpu-py3-none-any.whl", False),
        (WHEEL, "one_tool-1.0-py2.py3-none-any.whl", False),
        (WHEEL, "one_tool-1.0+cpu-2-py2.py3-none-any.whl", False),
        (f"{WHEEL}Build: 2\n", "one_tool-1.0+cpu-2-py2.py3-none-any.whl", True),
        (f"{WHEEL}Build: 2\n", "one_tool-1.0+cpu-py2.py3-none-any.whl", False),
        (WHEEL, "no wheel", False),
        ("", "one_tool-1.0+cpu-py3-none-any.whl", False),
    ],
)
def test_name_of_the_file_decides(tmp_path: Path, wheel: str, file: str, is_same: bool) -> None:  # noqa: FBT001 - a row
    assert is_file_of(fetched(tmp_path, wheel), ONE._replace(files=("x.whl", file))) is is_same


def test_built_wheel_is_no_file_of_an_index(tmp_path: Path) -> None:
    pin = ONE._replace(files=("one_tool-1.0+cpu-py2.py3-none-any.whl",))

    assert not is_file_of(fetched(tmp_path, WHEEL, may_be_built=True), pin)


def test_pin_without_known_files_is_fetched(tmp_path: Path) -> None:
    assert not is_file_of(fetched(tmp_path, WHEEL), ONE)


@pytest.mark.parametrize("separator", [".", "-"])
def test_tags_that_stand_for_millions_are_not_read(tmp_path: Path, separator: str) -> None:
    """Three parts of a thousand words stand for a thousand million tags."""
    part = separator.join(["a"] * 1000)
    wheel = f"Wheel-Version: 1.0\nTag: {part}-{part}-{part}\nTag: one\n"
    pin = ONE._replace(files=(f"one_tool-1.0+cpu-{part}-{part}-{part}.whl",))

    assert not is_file_of(fetched(tmp_path, wheel), pin)
