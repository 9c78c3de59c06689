"""The roots of distributions, made by hand."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.install import virtual_environment
from cnb_python.install.collecting import Collection, collect
from cnb_python.managers.base import Pin
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_system import world

SITE = "lib/python3.14/site-packages"
FINAL = Path("/layers/cnb/venv")
INTERPRETER = Path("/layers/python/bin/python3.14")


def new_root(directory: Path) -> DistributionRoot:
    """Return the root of a distribution that was installed by itself, still without files."""
    root = directory / "root-0"
    virtual_environment.make_environment(root, INTERPRETER, "3.14")
    return DistributionRoot(root, FINAL, "3.14")


def put(root: DistributionRoot, files: Mapping[str, str | bytes]) -> None:
    """Write *files* by their path below the environment."""
    for path, content in files.items():
        file = root.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def install(
    root: DistributionRoot,
    name: str,
    files: Mapping[str, str] | None = None,
    *,
    unlisted: Mapping[str, str] | None = None,
    record: str | None = None,
    version: str = "1.0",
    **information: str,
) -> None:
    """Install *name* with *files* by path. *record* replaces RECORD; *unlisted* are not in it.

    *information* are files of the `*.dist-info`; `__` stands for the dot in their names.
    """
    info = f"{SITE}/{name}-{version}.dist-info"
    listed = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nHello\n",
        **{f"{info}/{file.replace('__', '.')}": text for file, text in information.items()},
        **(files or {}),
    }
    put(root, {**listed, **(unlisted or {})})
    rows = "".join(f"{_from_site(path)},{_digest(text)},1\n" for path, text in listed.items())
    rows += f"{name}-{version}.dist-info/RECORD,,\n"
    put(root, {f"{info}/RECORD": rows if record is None else record})


def pin(name: str, *, is_cacheable: bool = True) -> Pin:
    return Pin(name, "1.0", f"origin of {name}", f"{name}==1.0", is_cacheable)


def collected(root: DistributionRoot, of: str | Pin, *, may_be_built: bool = False) -> Collection:
    """Collect the distribution in *root*, with a compiler that does nothing."""
    pinned = pin(of) if isinstance(of, str) else of

    def compile_nothing(_: Command) -> Outcome:
        return Outcome(0, "0 0\n")

    system, _, _ = world(compile_nothing)
    store = root.path.parent / "store"
    store.mkdir(exist_ok=True)
    return collect([InstalledPin(pinned, root, may_be_built)], INTERPRETER, store, system)


def contents_of(root: DistributionRoot, collection: Collection) -> dict[str, str]:
    """Return the contents of the files of a distribution, by path relative to `site-packages`."""
    (distribution,) = collection.distributions
    return {
        _from_site(file.path): (root.path / file.path).read_bytes().decode()
        for file in distribution.files
    }


def _from_site(path: str) -> str:
    return path.removeprefix(f"{SITE}/") if path.startswith(SITE) else f"../../../{path}"


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"
