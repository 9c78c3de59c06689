"""The commands with which pip decides and installs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnb_python.managers.base import InstallContext, Pin
from cnb_python.system.interface import Command

# Already obeyed when it was decided; obeyed again, they would bring more.
_OF_THE_DECISION = frozenset(
    {"PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_CONSTRAINT", "PIP_GROUP", "PIP_REQUIRE_HASHES"}
)


def resolve_and_install(files: Sequence[str], place: InstallContext, report: Path) -> Command:
    """Return the command that decides on *files*, installs, and writes *report*."""
    options = ("--no-compile", "--report", str(report), *_each("--requirement", files))
    return Command(
        (*_pip(place, "install"), *options),
        place.environ,
        place.app_dir,
        shown=" ".join(("pip install", *_each("-r", files))),
    )


def resolve(files: Sequence[str], place: InstallContext, report: Path) -> Command:
    """Return the command that only decides, as if nothing were installed, into *report*."""
    options = ("--dry-run", "--ignore-installed", "--report", str(report))
    return Command(
        (*_pip(place, "install"), *options, *_each("--requirement", files)),
        place.environ,
        place.app_dir,
        shown=" ".join(("pip install --dry-run", *_each("-r", files))),
    )


def install_exactly(
    pins: Sequence[Pin], finding: Sequence[str], place: InstallContext
) -> tuple[Command, ...]:
    """Return the commands that install *pins* and nothing else, found as *finding* says.

    Those with hashes apart: pip wants hashes of all or none. Writes the lines to files in the
    scratch directory.
    """
    hashed = [pin.line for pin in pins if _is_hashed(pin)]
    others = [pin.line for pin in pins if not _is_hashed(pin)]
    groups = (("hashed.txt", hashed), ("others.txt", others))
    return tuple(
        _exactly(lines, finding, place.scratch / name, place) for name, lines in groups if lines
    )


def question(requirement: str, finding: Sequence[str], place: InstallContext) -> Command:
    """Return the command that asks at length why there is nothing for *requirement*."""
    file = place.scratch / "question.txt"
    file.write_text("\n".join((*finding, requirement)) + "\n", encoding="utf-8")
    options = ("--dry-run", "--ignore-installed", "--no-deps", "-vv", "--requirement", str(file))
    argv = (*_pip(replace(place, cache=None), "install"), *options)
    return Command(argv, place.environ, place.app_dir)


def _each(option: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def _is_hashed(pin: Pin) -> bool:
    return f"=={pin.version} --hash=" in pin.line


def _exactly(
    lines: Sequence[str], finding: Sequence[str], file: Path, place: InstallContext
) -> Command:
    file.write_text("\n".join((*finding, *lines)) + "\n", encoding="utf-8")
    environ = {
        name: value
        for name, value in place.environ.items()
        if name.upper().replace("-", "_") not in _OF_THE_DECISION
    }
    return Command(
        (*_pip(place, "install"), "--no-compile", "--no-deps", "--requirement", str(file)),
        environ,
        place.app_dir,
        shown=f"pip install ({len(lines)} decided)",
    )


def _pip(place: InstallContext, action: str) -> tuple[str, ...]:
    # -I: neither modules of the app, in whose directory pip runs, nor PYTHON* variables count.
    # The runner imports pip from where it is, without adding that place to `sys.path`: pip looks
    # there for what is installed, and pip itself must not count as installed.
    cache = ("--cache-dir", str(place.cache)) if place.cache else ("--no-cache-dir",)
    return (
        *(str(place.environment / "bin/python"), "-I", str(place.tool / "__pip-runner__.py")),
        *(action, "--no-input", "--progress-bar", "off", "--disable-pip-version-check", *cache),
        # Containers are built as root now and then; the environment is ours alone.
        "--root-user-action=ignore",
    ) + (("--no-warn-script-location",) if action == "install" else ())
