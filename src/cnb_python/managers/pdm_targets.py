"""For which Pythons and machines a `pdm.lock` was made.

`pdm sync` refuses others, `pdm export` does not look.
https://pdm-project.org/latest/usage/lock-targets/
"""

from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.locks import BadLock, LockForOtherPython
from cnb_python.managers.locked_installing import Choice


def check(lock: Path, choice: Choice) -> None:
    """Refuse a *lock* for other machines. Raises BadLock, LockForOtherPython, UnreadableToml."""
    targets = toml.tables_at(toml.table_at(toml.read(lock), "metadata"), "targets")
    here = [one for one in targets if _is_for(one, choice.processor)]
    if targets and not here:
        listed = " or ".join(str(one.get("platform", "another interpreter")) for one in targets)
        raise BadLock(lock.name, f"it was made for other surroundings: {listed}")
    ranges = [str(one.get("requires_python", "")) for one in here]
    if ranges and not any(_holds(one, choice.python) for one in ranges):
        raise LockForOtherPython(lock.name, "", " or ".join(ranges), choice.python)


def _is_for(target: TomlTable, processor: str) -> bool:
    platform = str(target.get("platform", ""))
    is_ours = platform.startswith(("linux", "manylinux")) and (
        platform == "linux" or platform.endswith(processor)
    )
    return (not platform or is_ours) and target.get("implementation", "cpython") == "cpython"


def _holds(requires: str, python: str) -> bool:
    try:
        return SpecifierSet(requires).contains(python, prereleases=True)
    except InvalidSpecifier:
        return True  # PDM has read it
