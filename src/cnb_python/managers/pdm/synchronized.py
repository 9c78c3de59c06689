"""What `pdm sync` would install from a lock that records no markers, as lines of an export.

PDM resolves such a lock for one interpreter, and does not export it. Separate from `pdm/export`,
since few locks are of that kind.
"""

import re
from collections.abc import Iterator

from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable
from cnb_python.errors.locks import BadLock
from cnb_python.python.versions import normalized_version

REFUSED = re.compile(r"Can't export a lock file without environment markers")
"""What PDM prints if it does not export a lock."""
# A line of `pdm sync --dry-run`.
_TO_ADD = re.compile(r"^ +- ([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])? (\S+)$", re.MULTILINE)
_REPOSITORIES = ("git", "hg", "svn", "bzr")


def lacks_markers(lock: TomlTable) -> bool:
    """Whether *lock* certainly does not record for which environments each package is."""
    strategy = toml.table_at(lock, "metadata").get("strategy")
    return isinstance(strategy, list) and "inherit_metadata" not in strategy


def lines_of(output: str, lock: TomlTable, name: str) -> Iterator[str]:
    """Yield a line for each package that the *output* of a dry run adds.

    *lock*, the file *name*, has where each comes from. Raises BadLock.
    """
    entries: dict[tuple[str, str], TomlTable] = {}
    for entry in toml.tables_at(lock, "package"):
        # A release with extras has an entry of its own, with the same files.
        entries.setdefault(_key(str(entry.get("name")), str(entry.get("version"))), entry)
    for package, version in dict.fromkeys(_TO_ADD.findall(output)):
        if (key := _key(package, version)) not in entries:
            raise BadLock(name, f"it has no {package} {version}, which pdm sync would install")
        yield _line(entries[key])


def _key(name: str, version: str) -> tuple[str, str]:
    return canonicalize_name(name), normalized_version(version)


def _line(entry: TomlTable) -> str:
    name = str(entry.get("name"))
    if path := entry.get("path"):
        return f"-e {path}#egg={name}" if entry.get("editable") else f"{name} @ {path}"
    if url := entry.get("url"):
        return f"{name} @ {url}"
    below = f"#subdirectory={entry['subdirectory']}" if "subdirectory" in entry else ""
    for kind in _REPOSITORIES:
        if repository := entry.get(kind):
            revision = entry.get("revision") or entry.get("ref")
            return f"{name} @ {kind}+{repository}{f'@{revision}' if revision else ''}{below}"
    return f"{name}=={entry['version']}"
