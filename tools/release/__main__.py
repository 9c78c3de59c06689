"""Makes the files of a release: `python3 -m tools.release 0.2.0`. It publishes nothing.

Makes every package twice, the second time without the results of the first, and compares them.
"""

import argparse
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# For the modules of the buildpack that write SBOMs.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from tools import cache
from tools.package import assemble, index
from tools.processes import Unavailable, fail, run, say
from tools.pythons import runtimes
from tools.release import changelog, checks, package_file, previous, publishing, readme
from tools.release.publishing import Packed

# What does not depend on the checkout need not be built again: Go, pack, and downloaded Pythons.
_KEPT = ("go-*", "pack-*", "release-*")
_ID = "cnb-python/python"
GO_MODULES = "--go-modules"


def make(version: str, into: Path, flags: Sequence[str]) -> None:
    """Write all files of release *version* to the new directory *into*.

    *flags*: those of `tools.release.packages`. Raises `Unavailable`, also if the two runs differ.
    """
    say("Making the packages")
    _run_packages(into, flags, {})
    say("Making them again, to compare")
    again = into.with_name(f".{into.name}.again")
    shutil.rmtree(again, ignore_errors=True)
    try:
        _run_packages(again, flags, {"XDG_CACHE_HOME": str(_other_cache(again))})
        if different := sorted(_different(into, again)):
            fail("Two runs made different files: " + ", ".join(different))
    finally:
        shutil.rmtree(again, ignore_errors=True)
    _describe(version, into, released=GO_MODULES not in flags)


def _run_packages(into: Path, flags: Sequence[str], env: dict[str, str]) -> None:
    paths = {"PYTHONPATH": f"{assemble.ROOT}:{assemble.ROOT / 'src'}"}
    command = (sys.executable, "-B", "-m", "tools.release.packages", str(into), *flags)
    say(run(*command, env={**paths, **env}, cwd=assemble.ROOT).rstrip())


def _other_cache(directory: Path) -> Path:
    """Return a cache for a second run: it has nothing that was made from this checkout."""
    home = directory / "cache"
    kept = home / "cnb-python"
    kept.mkdir(parents=True)
    for pattern in _KEPT:
        for path in cache.directory().glob(pattern):
            if path.is_dir():
                (kept / path.name).symlink_to(path)
    return home


def _different(one: Path, other: Path) -> Iterator[str]:
    for path in one.iterdir():
        if not (other / path.name).exists() or _sha256(path) != _sha256(other / path.name):
            yield path.name


def _describe(version: str, into: Path, *, released: bool) -> None:
    packages = list(_packages(version, into))
    indexes = {}
    for tag in dict.fromkeys(each.tag for each in packages):
        indexes[tag] = index.of(each.image for each in packages if each.tag == tag)
        (into / f"index-{tag}.json").write_bytes(indexes[tag].content)
    digests = {each.file: each.image.digest for each in packages}
    digests |= {tag: each.digest for tag, each in indexes.items()}
    for name, image in digests.items():
        payload = into / "signatures" / f"{name}.payload.json"
        payload.parent.mkdir(exist_ok=True)
        payload.write_bytes(publishing.payload(image))
    entry = into / "registry-index" / publishing.registry_path(_ID)
    entry.parent.mkdir(parents=True)
    entry.write_text(publishing.registry_line(_ID, version, indexes[version].digest))
    text = (assemble.ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    (into / "CHANGELOG.md").write_text(changelog.section(text, version), encoding="utf-8")
    (into / "README.md").write_text(_readme(version, into, released=released))
    files = {path.name: _sha256(path) for path in into.iterdir() if path.is_file()}
    (into / "sha256sums").write_text(publishing.checksums(files))
    (into / "previous.toml").write_text(previous.table(version, packages, files))
    restriction = "" if released else readme.RESTRICTED
    script = into / "publish.sh"
    script.write_text(publishing.commands(packages, indexes, restriction=restriction))
    script.chmod(0o755)


def _readme(version: str, into: Path, *, released: bool) -> str:
    listed = {
        each for file in into.glob("*-offline-*.cdx.json") for each in readme.pythons(_json(file))
    }
    return readme.text(version, listed, runtimes.newest(), released=released)


def _json(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(file.read_bytes())
    return content


def _packages(version: str, into: Path) -> Iterator[Packed]:
    declared = assemble.declared_api()
    for path in sorted(into.glob("*.cnb")):
        package = package_file.read(path)
        facts = package.buildpacks[_ID]
        if [*facts] != [version]:
            fail(f"{path.name} contains {_ID} {', '.join(facts)}, not {version}")
        tag = publishing.tag_of(
            version, facts[version]["api"], declared, offline="-offline" in path.name
        )
        yield Packed(path.name, tag, package.image)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def main(arguments: Sequence[str]) -> None:
    """Check the checkout and make the release."""
    parser = argparse.ArgumentParser(prog="make release", description=__doc__)
    parser.add_argument("version", help="0.2.0")
    options, flags = parser.parse_known_args(arguments)
    problems = checks.problems(options.version, checks.read(assemble.ROOT))
    if problems:
        fail("\n  ".join([f"Release {options.version} cannot be made:", *problems]))
    into = assemble.DIST / "release" / options.version
    shutil.rmtree(into, ignore_errors=True)
    make(options.version, into, flags)
    where = into.relative_to(assemble.ROOT)
    say(f"\n{(into / 'README.md').read_text()}")
    say(f"The release is in {where}. It is not published yet: see publish.sh there.")


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(sys.argv[1:])
    except Unavailable as error:
        sys.exit(str(error))
