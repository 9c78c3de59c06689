"""Runs test suites of distributions in an image, and counts the outcomes."""

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
# Writes nothing beside the tests, and uses the same random numbers in each run.
FLAGS = ("-q", "-p", "no:cacheprovider", "-o", "junit_family=xunit1", "--hypothesis-seed=0")
ENV = {"PYTHONHASHSEED": "0", "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis"}  # noqa: S108 - inside
# Some tests write to their own directory, which is read-only in the image.
IN_A_COPY = """mkdir /tmp/tests && cd /tmp/tests || exit
[ -z "$1" ] || cp -r "$1/." . || exit
shift && exec "$@"
"""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcome of a suite in one layout."""

    tests: Mapping[str, str]
    """The outcome of each test."""
    seconds: float
    why: Mapping[str, str] = field(default_factory=dict)
    """The first line of the message of each test that failed."""

    def count(self, outcome: str) -> int:
        """Return the number of tests with this outcome."""
        return Counter(self.tests.values())[outcome]


def fetch(suite: Suite, version: str, folder: Path) -> dict[str, Path]:
    """Return a suite's files in its source distribution, by their path in an app.

    Empty if the wheel contains the tests. Raises `Unavailable` for an archive with another hash.
    """
    if not suite.sha256:
        return {}
    target = folder / suite.name
    only = ("--no-binary", suite.name)  # but no build requirements
    arguments = ("--no-deps", *only, "--dest", target, f"{suite.name}=={version}")
    run(sys.executable, "-m", "pip", "download", "--quiet", *arguments)
    archive = next(path for path in target.iterdir() if path.name.endswith(".tar.gz"))
    if hashlib.sha256(archive.read_bytes()).hexdigest() != suite.sha256:
        fail(f"{archive.name} is not the file that suites.toml names: its SHA-256 differs.")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    source = target / archive.name.removesuffix(".tar.gz")
    return {f"suites/{suite.name}/{name}": source / name for name in suite.files}


def run_suite(built: Built, suite: Suite) -> Outcomes:
    """Run a suite; raises `Unavailable` with the end of its output if pytest was cut short."""
    report = built.reports / REPORT
    report.unlink(missing_ok=True)
    options = (*FLAGS, f"--junitxml={REPORTS}/{REPORT}", *suite.arguments)
    command = ("python", "-m", "pytest", *options)
    source = f"/workspace/suites/{suite.name}" if suite.files else ""
    prefix = ("sh", "-c", IN_A_COPY, "sh", source)
    ended = built.run(*prefix, *command, timeout=SECONDS, env={**ENV, **suite.env})
    # All passed, or some failed: https://docs.pytest.org/en/stable/reference/exit-codes.html
    if ended.code not in {0, 1} or not report.is_file():
        end = "\n".join(ended.output.splitlines()[-30:])
        fail(f"{suite.name}: `{shlex.join(command)}` did not run ({ended.code}):\n{end}")
    return read(report.read_text())


def read(junit: str) -> Outcomes:
    """Read a JUnit XML report of pytest. The worst outcome of a test's parts counts."""
    tests: dict[str, str] = {}
    why: dict[str, str] = {}
    root = ET.fromstring(junit)  # noqa: S314 - of a program we started
    for case in root.iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        outcomes = [OUTCOMES[part.tag] for part in case if part.tag in OUTCOMES]
        tests[name] = min([tests.get(name, PASSED), *outcomes], key=_order)
        messages = [part.get("message", "") for part in case if OUTCOMES.get(part.tag) == FAILED]
        why.update((name, text.partition("\n")[0]) for text in messages)
    seconds = sum(float(suite.get("time", 0)) for suite in root.iter("testsuite"))
    return Outcomes(tests, round(seconds, 1), why)


def _order(outcome: str) -> int:
    return (FAILED, SKIPPED, PASSED).index(outcome)


def differences(suite: Suite, linked: Outcomes, merged: Outcomes) -> Iterator[Difference]:
    """Yield each test whose outcome differs."""
    for name in sorted(linked.tests.keys() | merged.tests.keys()):
        ends = linked.tests.get(name, MISSING), merged.tests.get(name, MISSING)
        if ends[0] != ends[1]:
            yield Difference(str(PurePosixPath("suites", suite.name, name)), *ends)
