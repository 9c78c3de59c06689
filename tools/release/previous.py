"""The release before this one, which the test of upgrades builds an app with first.

`previous.toml` names its packages. Before the first release, it is this checkout's tree with
another version of the buildpack, of uv and of pip: what a user's upgrade changes at least.
"""

import hashlib
import re
import shutil
import sys
import tarfile
import tomllib
import urllib.request
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import tomli_w

from tools import cache
from tools.package import assemble, bundled, tree
from tools.processes import fail, run
from tools.release import package_file
from tools.release.publishing import Packed

PINS = Path(__file__).with_name("previous.toml")
_SECONDS = 60
_DOWNLOADS = "https://github.com/cnb-python/cnb-python/releases/download"


def pins() -> dict[str, Any]:
    """Return `previous.toml`."""
    return tomllib.loads(PINS.read_text(encoding="utf-8"))


def table(version: str, packages: Iterable[Packed], checksums: Mapping[str, str]) -> str:
    """Return the `previous.toml` that follows the release *version* of *packages*.

    *checksums*: the SHA-256 of each file, in hex, by its name.
    """
    head = PINS.read_text(encoding="utf-8").partition("#\n")[0].rstrip()
    tables: dict[str, dict[str, str]] = {
        each.image.arch: {
            "url": f"{_DOWNLOADS}/v{version}/{each.file}",
            "sha256": checksums[each.file],
        }
        for each in packages
        if each.tag == version
    }
    content = {"version": version, "moves": [], "package": tables}
    return f"{head}\n\n{tomli_w.dumps(content)}"


def make(current: Path, arch: str, into: Path) -> None:
    """Write the tree of the previous release for *arch* to the new directory *into*.

    *current*: the tree of this checkout. Raises `Unavailable` if the release cannot be downloaded.
    """
    release = pins()
    package = release.get("package", {}).get(arch)
    if package:
        name, version = f"release-{arch}", release["version"]
        title = f"Downloading release {version} for {arch}"
        kept = cache.entry(name, package["sha256"][:16], title, partial(_download, package))
        shutil.copytree(kept / "tree", into)
    else:
        _imitate(current, arch, release, into)


def at_commit(commit: str, arch: str, into: Path) -> None:
    """Write the tree that *commit* of this repository makes for *arch* to the directory *into*.

    The tools are those of the commit. Pythons come from Go modules if necessary. Raises
    `Unavailable`.
    """
    full = run("git", "rev-parse", f"{commit}^{{commit}}", cwd=assemble.ROOT).strip()
    title = f"Making the package of commit {full[:10]} for {arch}"
    make_tree = partial(_assemble_commit, full, arch)
    kept = cache.entry(f"commit-{arch}", full[:16], title, make_tree)
    shutil.copytree(kept / "tree", into)


def _assemble_commit(commit: str, arch: str, into: Path) -> None:
    source, archive = into / "source", into / "source.tar"
    run("git", "archive", "--output", archive.resolve(), commit, cwd=assemble.ROOT)
    with tarfile.open(archive) as packed:
        packed.extractall(source, filter="data")
    script = source / "tools/package/assemble.py"
    # Before the flag existed, Go modules were always allowed.
    has_flag = "--go-modules" in script.read_text(encoding="utf-8")
    flags = ("--arch", arch, "--tree-only", *(("--go-modules",) if has_flag else ()))
    run(sys.executable, "-B", script, *flags, cwd=source)
    (source / "dist/buildpack/linux" / arch).rename(into / "tree")
    shutil.rmtree(source)
    archive.unlink()


def _download(package: dict[str, str], into: Path) -> None:
    file = into / "package.cnb"
    with (
        urllib.request.urlopen(package["url"], timeout=_SECONDS) as answer,  # noqa: S310 - a pinned https address
        file.open("wb") as written,
    ):
        shutil.copyfileobj(answer, written)
    with file.open("rb") as content:
        if hashlib.file_digest(content, "sha256").hexdigest() != package["sha256"]:
            fail(f"{package['url']}: its sha256 is not the one in {PINS.name}")
    package_file.unpack(file, into / "tree")
    file.unlink()


def _imitate(current: Path, arch: str, release: dict[str, Any], into: Path) -> None:
    """Write *current* to *into*, with the version and the tools of *release*."""
    shutil.copytree(current, into)
    descriptor = into / "buildpack.toml"
    _replace(descriptor, r'^version = ".*"$', f'version = "{release["version"]}"')
    table = into / "src/cnb_python/data/tools.toml"
    for name in ("pip", "uv"):
        version = release[name]["version"]
        _replace(table, rf'(\[{name}\]\nversion = )".*"', rf'\g<1>"{version}"')
    for old in (*(into / "tools").glob("pip-*.whl"), *(into / "tools").glob("uv*")):
        old.unlink()
    shutil.copytree(_tools(arch, release), into / "tools", dirs_exist_ok=True)
    tree.normalise(into)


def _tools(arch: str, release: dict[str, Any]) -> Path:
    tools = {name: release[name] for name in ("pip", "uv")}
    makers = (Path(bundled.__file__), PINS)
    key = cache.digest(*(path.read_bytes() for path in makers))
    title = f"Downloading pip {tools['pip']['version']} and uv {tools['uv']['version']}"
    return (
        cache.entry(
            f"tools-{arch}",
            key,
            title,
            lambda into: bundled.add_tools(arch, tools, into / "tools"),
        )
        / "tools"
    )


def _replace(file: Path, pattern: str, line: str) -> None:
    changed, count = re.subn(pattern, line, file.read_text(), count=1, flags=re.MULTILINE)
    if count != 1:
        fail(f"{file.name} has no line like {pattern}")
    file.write_text(changed)
