"""Makes the buildpack's packages: `assemble.py [--api 0.12] [--arch amd64|arm64|all] [--offline]`.

Makes a directory for each target, `dist/buildpack/linux/<arch>/`, where pack expects it, and a
package of it, `dist/cnb-python-linux-<arch>.cnb`; of all packages, an image index.
"""

import argparse
import hashlib
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
# For the modules of the buildpack that compile bytecode.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "src"))
from cnb_python.layers import carried_bytecode
from tools import cache, stage0
from tools.package import bundled, execd, index, stdlib_bytecode, tool_wheels, tree
from tools.platforms import real_tools
from tools.processes import Unavailable, run, say
from tools.pythons import runtimes

ROOT = stage0.ROOT
DIST = ROOT / "dist"
ARCHES = ("amd64", "arm64")
OWN = ("LICENSE", "bin", "src/cnb_python")
UNWANTED = shutil.ignore_patterns("__pycache__", "*.pyc")


@dataclass(frozen=True, slots=True)
class Product:
    """One package to make."""

    arch: str
    api: str
    """The Buildpack API it declares: `0.10`."""
    offline: tuple[str, ...]
    """The Python versions that it contains; empty: builds download them."""
    dist: Path = DIST
    released: bool = False
    """For others: all Pythons come from the release host, none from a Go module."""

    @property
    def root(self) -> Path:
        """The directory for pack: a directory for each target, and one buildpack.toml."""
        return self.dist / "buildpack"

    @property
    def folder(self) -> Path:
        """The assembled tree."""
        return self.root / "linux" / self.arch

    @property
    def file(self) -> Path:
        """The package that pack writes."""
        offline = "-offline" if self.offline else ""
        api = "" if self.api == declared_api() else f"-api-{self.api}"
        return self.dist / f"cnb-python{offline}{api}-linux-{self.arch}.cnb"

    @property
    def index(self) -> Path:
        """The directory with the image index of the packages for all architectures."""
        return self.file.with_name(self.file.name.replace(f"-linux-{self.arch}.cnb", "-index"))


def this_machine() -> str:
    """Return the architecture of this machine, as Go names it."""
    return stage0.ARCHES[platform.machine()]


def declared_api() -> str:
    """Return the Buildpack API of the repository's buildpack.toml."""
    match = re.search(r'^api = "([\d.]+)"$', descriptor(), re.MULTILINE)
    return match[1] if match else sys.exit("buildpack.toml has no line `api = ...`")


def descriptor(api: str = "") -> str:
    """Return the text of buildpack.toml, with Buildpack API *api* if that is given."""
    text = (ROOT / "buildpack.toml").read_text()
    return re.sub(r'^api = ".*"$', f'api = "{api}"', text, flags=re.MULTILINE) if api else text


def assemble(product: Product) -> bool:
    """Make the tree of *product*; return False if it is up to date."""
    stamp = product.dist / f".inputs-{product.arch}"
    inputs = _inputs(product)
    product.folder.parent.mkdir(parents=True, exist_ok=True)
    # With `--path`, pack uses this one for every target.
    (product.root / "buildpack.toml").write_text(descriptor(product.api))
    if product.folder.exists() and stamp.exists() and stamp.read_text() == inputs:
        return False
    fresh = product.dist / f".{product.arch}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    _fill(product, fresh)
    if problems := tree.problems(fresh, product.arch):
        raise Unavailable("\n  ".join(["This tree cannot be packed:", *problems]))
    for outdated in (stamp, product.file):
        outdated.unlink(missing_ok=True)
    shutil.rmtree(product.folder, ignore_errors=True)
    fresh.rename(product.folder)
    stamp.write_text(inputs)
    return True


def _fill(product: Product, into: Path) -> None:
    shutil.copytree(bundled.base(product.arch, released=product.released), into)
    for name in OWN:
        source, target = ROOT / name, into / name
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=UNWANTED)
        else:
            shutil.copy(source, target)
    (into / "buildpack.toml").write_text(descriptor(product.api))
    shutil.copy(execd.program(product.arch), into / "tools")
    (into / carried_bytecode.FOLDER).mkdir()
    for file in stdlib_bytecode.files(product.arch, released=product.released):
        shutil.copy(file, into / carried_bytecode.FOLDER)
    if product.offline:
        runtimes.bundle(
            product.offline, product.arch, into / "runtimes", released=product.released
        )
        tool_wheels.bundle(product.arch, into / "tools/programs")
    tree.normalise(into)
    bundled.compile_tree(into, "src")
    tree.normalise(into)


def _inputs(product: Product) -> str:
    modules = (Path(tree.__file__), Path(runtimes.__file__), Path(tool_wheels.__file__))
    makers = (Path(__file__), *modules)
    own = [path for name in (*OWN, "buildpack.toml") for path in _sources(ROOT / name)]
    request = (product.arch, product.api, product.offline)
    compiled = [
        file.name for file in stdlib_bytecode.files(product.arch, released=product.released)
    ]
    base = bundled.base(product.arch, released=product.released)
    outputs = base, execd.program(product.arch)
    total = hashlib.sha256(f"{request} {outputs} {compiled}".encode())
    for path in (*own, *makers):
        content = path.read_bytes()
        facts = f"\0{path.relative_to(ROOT)}\0{path.stat().st_mode & 0o100}\0{len(content)}\0"
        total.update(facts.encode() + content)
    return total.hexdigest()


def _sources(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    return [file for file in tree.files(path) if file.suffix != ".pyc"]


def pack_file(product: Product) -> None:
    """Write the `.cnb` file of *product*. Needs no Docker engine."""
    home = {"PACK_HOME": str(cache.directory() / "pack-home")}
    target = ("--target", f"linux/{product.arch}", "--pull-policy", "never")
    source = ("--path", product.root, "--format", "file", *target)
    # Under another name first, so that an interrupted pack leaves no broken package.
    draft = product.file.with_name(f".{product.file.name}")
    draft.unlink(missing_ok=True)
    run(real_tools.pack(), "buildpack", "package", draft, *source, env=home)
    draft.rename(product.file)
    # pack has replaced it with the common one, and removed that at the end.
    (product.folder / "buildpack.toml").write_text(descriptor(product.api))


def report(product: Product, *, packed: bool) -> None:
    """Print the digest of the tree, and the sizes of its parts in MB (10^6 bytes)."""
    where, library = product.folder, f"python/lib/python{bundled.MINOR}"
    packages = tree.size(where / library / "site-packages")
    parts = {
        "interpreter": tree.size(where / "python/bin"),
        "standard library": tree.size(where / library) - packages,
        "packages": packages,
        "uv": tree.size(where / "tools/uv"),
        "Poetry, Pipenv, PDM": tree.size(where / "tools/programs"),
        "pip": sum(tree.size(path) for path in where.glob("tools/pip-*.whl")),
        "program of exec.d": tree.size(where / "tools" / execd.NAME),
        "bytecode for apps": tree.size(where / carried_bytecode.FOLDER),
        "app interpreters": tree.size(where / "runtimes"),
        "own code": sum(tree.size(where / name) for name in OWN),
        "total": tree.size(where),
    }
    name = where.relative_to(product.dist.parent)
    say(f"{name}, Buildpack API {product.api}, sha256 {tree.digest(where)}")
    for part, size in parts.items():
        if size:
            say(f"  {size / 1e6:7.1f} MB  {part}")
    if packed:
        say(f"  {tree.size(product.file) / 1e6:7.1f} MB  dist/{product.file.name}")


def products(arguments: Sequence[str]) -> tuple[list[Product], bool]:
    """Return the products that the command line selects, and whether to write packages."""
    parser = argparse.ArgumentParser(description="Makes the buildpack's packages in dist/.")
    parser.add_argument("--api", default=declared_api(), choices=["0.10", "0.11", "0.12"])
    parser.add_argument("--arch", default="all", choices=[*ARCHES, "all"])
    parser.add_argument(
        "--offline",
        nargs="*",
        metavar="X.Y.Z",
        help="include these Pythons, and Poetry, Pipenv and PDM",
    )
    parser.add_argument("--tree-only", action="store_true", help="write no .cnb file")
    parser.add_argument(
        "--go-modules",
        action="store_true",
        help="for your own use: take Pythons from Go modules if the release host does not answer",
    )
    options = parser.parse_args(arguments)
    arches = ARCHES if options.arch == "all" else (options.arch,)
    released = not options.go_modules
    versions: tuple[str, ...] = ()
    if options.offline is not None:
        versions = tuple(options.offline) or runtimes.offline(arches, released=released)
    return [
        Product(arch, options.api, versions, released=released) for arch in arches
    ], not options.tree_only


def main(arguments: Sequence[str]) -> int:
    """Make the selected products; return the exit code."""
    selected, packed = products(arguments)
    with cache.locked("dist"):
        for product in selected:
            assemble(product)
            if packed and not product.file.exists():
                pack_file(product)
            report(product, packed=packed)
        if packed and len(selected) > 1:
            written = index.write([product.file for product in selected], selected[0].index)
            name = selected[0].index.name
            say(f"dist/{name}, image index of all architectures, {written.digest}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        sys.exit(f"{error}")
