"""The commands with which pip resolves and installs."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cnb_python.managers.base import InstallContext, Pin, counted
from cnb_python.managers.tool_settings import pip_variable_name
from cnb_python.system.interface import Command

# These had their effect when pip resolved; applied again, they would install more.
_ONLY_RESOLVING = frozenset(
    {"PIP_REQUIREMENT", "PIP_EDITABLE", "PIP_CONSTRAINT", "PIP_GROUP", "PIP_REQUIRE_HASHES"}
)
# Wins over variables and pip.conf. Lines of the app that choose sdists are left out below.
_WHEELS_ALONE = ("--only-binary", ":all:")
_CHOOSING_KINDS = re.compile(r"--(no-binary|only-binary|prefer-binary)\b")
# Some containers build as root; the environment belongs to this build alone.
_OF_INSTALLING = ("--root-user-action=ignore", "--no-warn-script-location")


def resolve(files: Sequence[str], context: InstallContext, report: Path) -> Command:
    """Return the command that resolves as if nothing were installed, and writes *report*."""
    options = ("--dry-run", "--ignore-installed", "--report", str(report))
    return Command(
        (*_pip(context, "install"), *options, *_each("--requirement", files)),
        context.environ,
        context.app_dir,
        shown=" ".join(("pip install --dry-run", *_each("-r", files))),
    )


def install_exactly(
    pins: Sequence[Pin], finding: Sequence[str], context: InstallContext
) -> tuple[Command, ...]:
    """Return the commands that fetch the wheels of *pins*, or build and install the only one.

    One for those with hashes and one for the others: pip requires hashes for all or none. The
    options *finding* choose where pip looks. Writes to files in the scratch directory.
    """
    hashed = [pin.line for pin in pins if _is_hashed(pin)]
    unhashed = [pin.line for pin in pins if not _is_hashed(pin)]
    groups = (("hashed.txt", hashed), ("others.txt", unhashed))
    return tuple(
        _install_lines(lines, finding, context.scratch / name, context)
        for name, lines in groups
        if lines
    )


def verbose_resolve(requirement: str, finding: Sequence[str], context: InstallContext) -> Command:
    """Return the command whose output says why pip finds no release for *requirement*."""
    file = context.scratch / "question.txt"
    file.write_text("\n".join((*finding, requirement)) + "\n", encoding="utf-8")
    options = ("--dry-run", "--ignore-installed", "--no-deps", "-vv", "--requirement", str(file))
    argv = (*_pip(replace(context, cache=None), "install"), *options)
    return Command(argv, context.environ, context.app_dir)


def _each(option: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))


def _is_hashed(pin: Pin) -> bool:
    return f"=={pin.version} --hash=" in pin.line


def _install_lines(
    lines: Sequence[str], finding: Sequence[str], file: Path, context: InstallContext
) -> Command:
    if not context.builds:
        finding = [line for line in finding if not _CHOOSING_KINDS.match(line)]
    file.write_text("\n".join((*finding, *lines)) + "\n", encoding="utf-8")
    environ = {
        name: value
        for name, value in context.environ.items()
        if pip_variable_name(name) not in _ONLY_RESOLVING
    }
    words = (
        (*_pip(context, "install"), "--no-compile")
        if context.builds
        else (*_pip(context, "download"), *_WHEELS_ALONE, "--dest", str(context.wheels))
    )
    return Command(
        (*words, "--no-deps", "--requirement", str(file)),
        environ,
        context.app_dir,
        shown="pip install" if context.builds else "pip download",
        note=counted(len(lines), "resolved"),
    )


def _pip(context: InstallContext, action: str) -> tuple[str, ...]:
    # -I: neither modules of the app, in whose directory pip runs, nor PYTHON* variables count.
    # The runner imports pip from its directory without adding that to `sys.path`: pip looks there
    # for what is installed, and pip itself must not count as installed.
    cache = ("--cache-dir", str(context.cache)) if context.cache else ("--no-cache-dir",)
    return (
        *(str(context.environment / "bin/python"), "-I", str(context.tool / "__pip-runner__.py")),
        *(action, "--no-input", "--progress-bar", "off", "--disable-pip-version-check", *cache),
    ) + (_OF_INSTALLING if action == "install" else ())
