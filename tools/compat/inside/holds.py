"""Describes the files of an environment without importing them: `holds.py FILE`.

The JSON in *FILE* is an object: `{"links": ..., "distributions": {name: {...}}, ...}`. Paths are
those in the environment, not those of the shards that links lead to.
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
# The other directories that a distribution may install files into.
BESIDE = ("etc", "include", "share")


def main(report: str) -> None:
    """Write the facts to the file *report*."""
    owners = metadata.packages_distributions()
    facts = {
        "python": sys.version.split()[0],
        "links": links(PREFIX),
        "distributions": {each.name: distribution(each) for each in metadata.distributions()},
        "top level": {module.name: module.ispkg for module in pkgutil.iter_modules(_site())},
        "owners": {module: sorted(names) for module, names in owners.items()},
        "modules": digest(modules(SITE_PACKAGES)),
        "bin": {path.name: content(path) for path in sorted((PREFIX / "bin").iterdir())},
        "beside": {name: digest(below(PREFIX / name)) for name in BESIDE},
    }
    Path(report).write_text(json.dumps(facts))


def links(prefix: Path) -> int:
    """Return the number of links below `lib` that lead out of the environment."""
    walk = (prefix / "lib").walk()
    paths = [top / name for top, folders, files in walk for name in folders + files]
    own = prefix.resolve()
    return sum(path.is_symlink() and not path.resolve().is_relative_to(own) for path in paths)


def distribution(installed: metadata.Distribution) -> dict[str, object]:
    """Return what `importlib.metadata` gives for a distribution, and which files exist."""
    # Read from RECORD, since `Distribution.files` leaves out files that do not exist.
    rows = csv.reader((installed.read_text("RECORD") or "").splitlines())
    files = {row[0]: Path(str(installed.locate_file(row[0]))) for row in rows if row}
    sizes = {name: path.stat().st_size for name, path in files.items() if path.is_file()}
    return {
        "version": installed.version,
        "requires": sorted(installed.requires or ()),
        "entry points": sorted(f"{e.group}: {e.name} = {e.value}" for e in installed.entry_points),
        "metadata": hashlib.sha256((installed.read_text("METADATA") or "").encode()).hexdigest(),
        "files": digest(files),
        "files there": digest(str(path) for path in installed.files or ()),
        "bytes": sum(sizes.values()),
        "missing": sorted(files.keys() - sizes.keys()),
    }


def modules(folder: Path, prefix: str = "") -> Iterable[str]:
    """Yield the names of all modules below *folder*, as `pkgutil` lists them."""
    for module in pkgutil.iter_modules([str(folder)], prefix):
        yield module.name
        if module.ispkg:
            yield from modules(folder / module.name.rpartition(".")[2], f"{module.name}.")


def below(folder: Path) -> Iterable[str]:
    """Yield path and size of each file below *folder*, through links."""
    for top, _, files in os.walk(folder, followlinks=True):
        for path in (Path(top, name) for name in files):
            yield f"{path.relative_to(folder)} {path.stat().st_size}"


def content(path: Path) -> str:
    """Return the digest of a program; empty for a broken link."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def digest(texts: Iterable[str]) -> list[object]:
    """Return the number of texts, and a digest of all of them, sorted."""
    listed = sorted(texts)
    return [len(listed), hashlib.sha256("\n".join(listed).encode()).hexdigest()]


def _site() -> list[str]:
    """Return the import path below `site-packages`, with entries of `.pth` files."""
    return [path for path in sys.path if Path(path).is_relative_to(SITE_PACKAGES)]


if __name__ == "__main__":
    main(sys.argv[1])
