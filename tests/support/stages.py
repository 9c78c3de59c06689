"""Staged environments as managers fill them, made by hand."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from cnb_python.distributions.collect import Collection, collect
from cnb_python.distributions.dist_info import StagedEnvironment
from cnb_python.install import staging
from cnb_python.managers.base import Pin
from cnb_python.system.interface import Command, Outcome
from tests.support.fake_system import world

SITE = "lib/python3.14/site-packages"
FINAL = Path("/layers/cnb/venv")
INTERPRETER = Path("/layers/python/bin/python3.14")


def staged_environment(directory: Path) -> StagedEnvironment:
    """Return an empty staged environment in *directory*."""
    root = directory / "stage-0"
    staging.make_environment(root, INTERPRETER, "3.14")
    return StagedEnvironment(root, FINAL, "3.14")


def put(staged: StagedEnvironment, files: Mapping[str, str | bytes]) -> None:
    """Write *files* by their path below the environment."""
    for path, content in files.items():
        file = staged.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)


def install(
    staged: StagedEnvironment,
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
    put(staged, {**listed, **(unlisted or {})})
    rows = "".join(f"{_from_site(path)},{_digest(text)},1\n" for path, text in listed.items())
    rows += f"{name}-{version}.dist-info/RECORD,,\n"
    put(staged, {f"{info}/RECORD": rows if record is None else record})


def pin(name: str, *, is_cacheable: bool = True) -> Pin:
    return Pin(name, "1.0", f"origin of {name}", f"{name}==1.0", is_cacheable)


def collected(staged: StagedEnvironment, *pins: str | Pin) -> Collection:
    """Collect the distributions of *staged*, with a compiler that does nothing."""
    pinned = [pin(each) if isinstance(each, str) else each for each in pins]

    def compile_nothing(_: Command) -> Outcome:
        return Outcome(0, "0 0\n")

    system, _, _ = world(compile_nothing)
    return collect(staged, {each.name: each for each in pinned}, INTERPRETER, system)


def contents_of(staged: StagedEnvironment, collection: Collection, name: str) -> dict[str, str]:
    """Return the contents of the files of *name*, by path relative to `site-packages`."""
    (each,) = [each for each in collection.distributions if each.name == name]
    return {
        _from_site(file.path): (staged.root / file.path).read_bytes().decode()
        for file in each.files
    }


def _from_site(path: str) -> str:
    return path.removeprefix(f"{SITE}/") if path.startswith(SITE) else f"../../../{path}"


def _digest(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"
