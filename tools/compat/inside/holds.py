"""Says what an environment holds, without importing any of it: `holds.py FILE`.

The JSON in *FILE* is an object: `{"links": ..., "distributions": {name: {...}}, ...}`. Paths are
told as seen in the environment: where a file really is must not make a difference.
"""

import csv
import hashlib
import json
import os
import pkgutil
import sys
import sysconfig
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

PREFIX = Path(sys.prefix)
SITE_PACKAGES = Path(sysconfig.get_path("purelib"))
# Everything else beside it that a distribution may own.
BESIDE = ("etc", "include", "share")


def main(report: str) -> None:
    """Write what is found to the file *report*."""
    owners = metadata.packages_distributions()
    facts = {
        "python": sys.version.split()[0],
        "links": links(PREFIX),
        "distributions": {found.name: distribution(found) for found in metadata.distributions()},
        "top level": {found.name: found.ispkg for found in pkgutil.iter_modules(_site())},
        "owners": {module: sorted(names) for module, names in owners.items()},
        "modules": digest(modules(SITE_PACKAGES)),
        "bin": {path.name: content(path) for path in sorted((PREFIX / "bin").iterdir())},
        "beside": {name: digest(below(PREFIX / name)) for name in BESIDE},
    }
    Path(report).write_text(json.dumps(facts))


def links(prefix: Path) -> int:
    """How many links of an environment's libraries lead out of it."""
    walk = (prefix / "lib").walk()
    found = [top / name for top, folders, files in walk for name in folders + files]
    own = prefix.resolve()
    return sum(path.is_symlink() and not path.resolve().is_relative_to(own) for path in found)


def distribution(found: metadata.Distribution) -> dict[str, object]:
    """What `importlib.metadata` says of one, and which of its files are there."""
    # `Distribution.files` leaves out what is missing: the names come from RECORD itself.
    rows = csv.reader((found.read_text("RECORD") or "").splitlines())
    files = {row[0]: Path(str(found.locate_file(row[0]))) for row in rows if row}
    there = {name: path.stat().st_size for name, path in files.items() if path.is_file()}
    return {
        "version": found.version,
        "requires": sorted(found.requires or ()),
        "entry points": sorted(f"{e.group}: {e.name} = {e.value}" for e in found.entry_points),
        "metadata": hashlib.sha256((found.read_text("METADATA") or "").encode()).hexdigest(),
        "files": digest(files),
        "files there": digest(str(path) for path in found.files or ()),
        "bytes": sum(there.values()),
        "missing": sorted(files.keys() - there.keys()),
    }


def modules(folder: Path, prefix: str = "") -> Iterable[str]:
    """The names of all modules below *folder*, found as `pkgutil` finds them, none imported."""
    for found in pkgutil.iter_modules([str(folder)], prefix):
        yield found.name
        if found.ispkg:
            yield from modules(folder / found.name.rpartition(".")[2], f"{found.name}.")


def below(folder: Path) -> Iterable[str]:
    """The paths of all files below *folder*, with their sizes, through links."""
    for top, _, files in os.walk(folder, followlinks=True):
        for path in (Path(top, name) for name in files):
            yield f"{path.relative_to(folder)} {path.stat().st_size}"


def content(path: Path) -> str:
    """The digest of a program; empty for a link to nowhere."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def digest(texts: Iterable[str]) -> list[object]:
    """How many texts, and the digest of them all in order of the alphabet."""
    listed = sorted(texts)
    return [len(listed), hashlib.sha256("\n".join(listed).encode()).hexdigest()]


def _site() -> list[str]:
    """Where imports look for packages: what `.pth` files added too."""
    return [path for path in sys.path if Path(path).is_relative_to(SITE_PACKAGES)]


if __name__ == "__main__":
    main(sys.argv[1])
