"""Sample apps of frameworks and workers, and the commands that are found for them.

One image has all of them, each with a process of its own: an install of each would take minutes.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tomli

from cnb_python.app import read_app
from cnb_python.explain import declared_packages
from cnb_python.launch.found_processes import find_processes
from cnb_python.launch.launch_plan import FoundProcess
from tests.support.builds import Builds, Built
from tests.support.trees import Files, write_files


@dataclass(frozen=True, slots=True)
class Sample:
    """An app that one process is found in."""

    packages: str
    """The distributions that count as installed, with spaces between them."""
    files: Files
    type: str = "web"
    """The type of the process."""
    path: str = "/"
    """What is fetched from it."""
    expected: str = "Hello"
    """What the response contains; for a worker, what it prints."""
    env: Mapping[str, str] = field(default_factory=dict)


def found_process(sample: Sample, directory: Path) -> FoundProcess:
    """Return the process of the sample, found in *directory*, which is made."""
    app = read_app(write_files(directory, sample.files))
    lines = sample.packages.replace(" ", "\n")
    names = re.findall(r"^[a-z0-9-]+(?:\[[a-z]+\])?", lines, re.MULTILINE)
    # A release that is newer than any limit of the tables.
    found = find_processes(app, dict.fromkeys(_with_required(names), "99.0")).processes
    processes = {each.type: each for each in found if not each.directory}
    assert sample.type in processes, f"{directory.name}: {found}"
    return processes[sample.type]


def _with_required(names: Iterable[str]) -> set[str]:
    """Return packages, without extras, and those that they are known to install."""
    rows = tomli.loads(declared_packages.TABLE.read_text("utf-8"))["package"]
    required = {row["name"]: row["requires"] for row in rows}
    distributions = {each.partition("[")[0] for each in names}
    return distributions.union(*(required.get(each, ()) for each in {*names, *distributions}))


def image_of_samples(
    builds: Builds,
    samples: Mapping[str, Sample],
    directory: Path,
    more_files: Files | None = None,
    more_packages: str = "",
) -> Built:
    """Build one image with the files, packages and processes of all *samples*.

    Each process has the name of its sample. *more_packages* are lines of requirements.txt.
    """
    packages = {name for each in samples.values() for name in each.packages.split()}
    files = {path: text for each in samples.values() for path, text in each.files.items()}
    files |= more_files or {}
    files["requirements.txt"] = "".join(f"{name}\n" for name in sorted(packages)) + more_packages
    lines = "\n".join(
        f"{name}: {found_process(sample, directory / name).command}"
        for name, sample in samples.items()
    )
    variables = {
        "BP_PYTHON_PROCESSES": lines,
        "BP_PYTHON_INSTALLER": "uv",
        "DISABLE_COLLECTSTATIC": "1",
    }
    built = builds.image(write_files(directory / "app", files), env=variables)
    assert built.code == 0, built.output
    return built
