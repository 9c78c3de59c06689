"""Runs distributions' own test suites in an image, and counts what came of them."""

import hashlib
import shlex
import sys
import tarfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree as ET

from tools.compat.compare import MISSING, Difference
from tools.compat.images import REPORTS, Built
from tools.compat.pins import Suite
from tools.processes import fail, run

SECONDS = 3600
PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"
OUTCOMES = {"failure": FAILED, "error": FAILED, "skipped": SKIPPED}
REPORT = "suite.xml"
# Nothing is written beside the tests, and chance is the same every time.
FLAGS = ("-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--hypothesis-seed=0")
ENV = {"PYTHONHASHSEED": "0", "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis"}  # noqa: S108 - inside
# Some tests write beside themselves, which the image does not allow.
IN_A_COPY = """mkdir /tmp/tests && cd /tmp/tests || exit
[ -z "$1" ] || cp -r "$1/." . || exit
shift && exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a suite in one layout."""

    tests: Mapping[str, str]
    """The outcome of each test."""
    seconds: float
    why: Mapping[str, str] = field(default_factory=dict)
    """The first line of what was said by each test that failed."""

    def count(self, outcome: str) -> int:
        """How many tests ended so."""
        return Counter(self.tests.values())[outcome]


def fetch(suite: Suite, version: str, folder: Path) -> dict[str, Path]:
    """Get a suite's files off its source distribution; empty when its wheel brings them.

    Each by its path in an app. Raises `Unavailable` when the archive is not the pinned one.
    """
    if not suite.sha256:
        return {}
    there = folder / suite.name
    only = ("--no-binary", suite.name)  # not what building it takes
    wanted = ("--no-deps", *only, "--dest", there, f"{suite.name}=={version}")
    run(sys.executable, "-m", "pip", "download", "--quiet", *wanted)
    archive = next(path for path in there.iterdir() if path.name.endswith(".tar.gz"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() != suite.sha256:
        fail(f"{archive.name} is not the file that suites.toml names: its SHA-256 differs.")
    with tarfile.open(archive) as tar:
        tar.extractall(there, filter="data")
    source = there / archive.name.removesuffix(".tar.gz")
    return {f"suites/{suite.name}/{name}": source / name for name in suite.files}


def ran(built: Built, suite: Suite) -> Ran:
    """Run a suite; raises `Unavailable` with the end of its output unless it ran to its end."""
    report = built.reports / REPORT
    report.unlink(missing_ok=True)
    options = (*FLAGS, f"--junitxml={REPORTS}/{REPORT}", *suite.arguments)
    command = ("python", "-m", "pytest", *options)
    source = f"/workspace/suites/{suite.name}" if suite.files else ""
    place = ("sh", "-c", IN_A_COPY, "sh", source)
    ended = built.run(*place, *command, timeout=SECONDS, env={**ENV, **suite.env})
    # All passed, or some failed: https://docs.pytest.org/en/stable/reference/exit-codes.html
    if ended.code not in {0, 1} or not report.is_file():
        shown = "\n".join(ended.output.splitlines()[-30:])
        fail(f"{suite.name}: `{shlex.join(command)}` did not run ({ended.code}):\n{shown}")
    return read(report.read_text())


def read(junit: str) -> Ran:
    """Read what pytest reports as JUnit XML. Of a test's parts the worst counts."""
    tests: dict[str, str] = {}
    why: dict[str, str] = {}
    root = ET.fromstring(junit)  # noqa: S314 - of a program we started
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        outcomes = [OUTCOMES[part.tag] for part in case if part.tag in OUTCOMES]
        tests[name] = min([tests.get(name, PASSED), *outcomes], key=_order)
        said = [part.get("message", "") for part in case if OUTCOMES.get(part.tag) == FAILED]
        why.update((name, text.partition("\n")[0]) for text in said)
    taken = sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
    return Ran(tests, round(taken, 1), why)


def _order(outcome: str) -> int:
    return (FAILED, SKIPPED, PASSED).index(outcome)


def differences(suite: Suite, linked: Ran, merged: Ran) -> Iterator[Difference]:
    """Yield each test that did not end the same."""
    for name in sorted(linked.tests.keys() | merged.tests.keys()):
        ends = linked.tests.get(name, MISSING), merged.tests.get(name, MISSING)
        if ends[0] != ends[1]:
            yield Difference(str(PurePosixPath("suites", suite.name, name)), *ends)
