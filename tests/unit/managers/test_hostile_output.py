"""Output that a package prints to hold a build: it is recognized, or not, in linear time."""

import time
from collections.abc import Callable

import pytest

from cnb_python.app_steps import collectstatic_causes
from cnb_python.errors.base import Failure
from cnb_python.errors.packages.building import SourceBuildFailed
from cnb_python.managers import build_errors
from cnb_python.managers.pip import errors as pip_errors
from cnb_python.managers.pip import index_errors
from cnb_python.managers.uv import errors as uv_errors
from cnb_python.system.program_output import KEPT_BYTES, ProgramOutput

PYTHON = "3.14.1"
RECOGNIZERS: dict[str, Callable[[str], object]] = {
    "pip": lambda text: pip_errors.recognize(text, PYTHON),
    "index": index_errors.index_failure,
    "uv": lambda text: uv_errors.recognize(text, PYTHON),
    "resolution": lambda text: uv_errors.recognize_resolution(f"No solution found {text}", PYTHON),
    "build": lambda text: build_errors.build_failure(text, PYTHON),
    "machine": lambda text: build_errors.machine_failure(1, text, "pip"),
    "git": build_errors.git_failure,
    "collectstatic": collectstatic_causes.cause,
}
# Each is repeated up to what is kept of an output.
PARTS = (
    *("\n", " ", "a", "(", "a.", "\t\n", "  x\n", "error: ", "Because a "),
    *("  ╰─> [1 lines of output]\n", "\u00d7 Can not process a\n╰─> b\n", "you require a==1 "),
    *("process didn't exit successfully: `a(", "cause: Call to `a` failed (b\nc\n"),
    *(
        "Failed to build `a`\n  cause: b\n",
        'File "a", line 1, in b\n    c\n',
        "Error: a depends on ",
    ),
)


def kept(text: str) -> str:
    """Return what a recognizer gets of a program that prints *text*."""
    output = ProgramOutput(None)
    content = text.encode()
    for start in range(0, len(content), 65536):
        output.add(content[start : start + 65536])
    return output.finish()


@pytest.mark.parametrize("name", RECOGNIZERS)
def test_any_output_is_recognized_in_linear_time(name: str) -> None:
    """In quadratic time one of these texts takes minutes."""
    slow = {}
    for part in PARTS:
        text = kept(part * (KEPT_BYTES // len(part.encode()) + 1))
        start = time.process_time()
        RECOGNIZERS[name](text)
        if (seconds := time.process_time() - start) > 5:
            slow[part] = seconds

    assert slow == {}


@pytest.mark.parametrize("noise", ["\n" * 200_000, "x" * 2_000_000 + "\n"])
def test_noise_does_not_hide_the_reason(noise: str) -> None:
    frame = "  ╰─> [9 lines of output]\n\n      ValueError: no\n      [end of output]\n"
    text = kept(f"{noise}error: x\n{noise}Failed to build 'thing'\n{frame}{noise[-100:]}")

    failure = build_errors.build_failure(text, PYTHON)
    assert isinstance(failure, SourceBuildFailed)
    assert failure.package == "thing"


@pytest.mark.parametrize(
    "name",
    ["a", "a-1", "a-1-c", "a-1-cp3-b", "-----", f"a-1-{'a.' * 200}-b-{'c.' * 200}", "\u0664" * 90],
)
def test_odd_name_of_a_wheel_is_no_bug(name: str) -> None:
    output = f"ERROR: {name}.whl is not a supported wheel on this platform.\n"
    tags = f"none of the wheel's tags ({name}, {name}) are compatible: https://x/{name}.whl\n"

    index_errors.unsupported_wheel(output, PYTHON, "x86_64")
    for requirement in ("a==1", "a"):
        unmatched = index_errors.Unmatched(requirement)
        failure = index_errors.nothing_found(unmatched, tags, PYTHON, "x86_64")
        assert isinstance(failure, Failure)
