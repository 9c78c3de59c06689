"""Checks run images for the shared libraries that an app's image needs, before a rebase.

    python3 -m tools.libraries APP RUN ...

APP is an image: an OCI layout, or a name that Docker knows. Each RUN is one too, or the directory
of a root file system. Exits with 1 if a run image lacks something.
"""

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.distributions.system_libraries import SystemLibraries
from cnb_python.provision.libraries import LABEL, Packages
from tools.platforms import oci
from tools.processes import Unavailable, fail, run, say

# An image that the tools unpack has devices and files of other users: only libraries count here.
_LEFT_OUT = ("--exclude=dev/*", "--exclude=proc/*", "--no-same-owner")


class Needed(NamedTuple):
    """What an image needs of one library."""

    packages: tuple[str, ...]
    versions: tuple[str, ...]


def needed_by(label: str) -> dict[str, Needed]:
    """Return what the *label* of an app's image lists, by library. Raises `Unavailable`."""
    try:
        table = json.loads(label)
        return {
            library: Needed(tuple(row["packages"]), tuple(row["versions"]))
            for library, row in table.items()
        }
    except ValueError, TypeError, KeyError, AttributeError:
        fail(f"The label {LABEL} of the image cannot be read.")


def problems(needed: Mapping[str, Needed], libraries: SystemLibraries) -> list[str]:
    """Return a line for each library, or version of it, that *libraries* lack."""
    packages, lines = Packages.read(), []
    for library, need in needed.items():
        users = ", ".join(need.packages)
        if not libraries.find(library):
            held = packages.phrase(library)
            lines.append(f"{library}{f' ({held})' if held else ''} is missing, for {users}")
        elif need.versions:
            lacking = sorted({*need.versions} - libraries.versions(library))
            lines += (f"{library} lacks {version}, for {users}" for version in lacking)
    return lines


def _label(app: str, env: Mapping[str, str]) -> str:
    directory = Path(app)
    if directory.is_dir():
        return oci.read(directory).labels.get(LABEL, "")
    form = f'{{{{index .Config.Labels "{LABEL}"}}}}'
    return run("docker", "image", "inspect", "--format", form, app, env=env).strip()


@contextmanager
def _root(image: str, env: Mapping[str, str]) -> Iterator[Path]:
    """Yield the root file system of *image*: a directory, a layout, or a name for Docker."""
    directory = Path(image)
    if directory.is_dir() and not (directory / "index.json").exists():
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        root = Path(scratch, "root")
        root.mkdir()
        if directory.is_dir():
            layout = oci.read(directory)
            for layer in layout.layers:
                run("tar", "-x", *_LEFT_OUT, "-C", root, "-f", layout.blob(layer))
        else:
            _export(image, Path(scratch), root, env)
        yield root


def _export(image: str, scratch: Path, root: Path, env: Mapping[str, str]) -> None:
    container = run("docker", "create", image, "/", env=env).strip()
    try:
        run("docker", "export", "--output", scratch / "image.tar", container, env=env)
    finally:
        run("docker", "rm", container, env=env)
    run("tar", "-x", *_LEFT_OUT, "-C", root, "-f", scratch / "image.tar")


def main(arguments: Sequence[str], env: Mapping[str, str] = MappingProxyType({})) -> int:
    """Check each run image; return 1 if one of them lacks something.

    *env* has variables of the Docker client, such as the engine's address.
    """
    if len(arguments) < 2 or any(each.startswith("-") for each in arguments):
        fail("Usage: python3 -m tools.libraries APP RUN ...")
    app, *images = arguments
    label = _label(app, env)
    if not label or label == "<no value>":
        fail(f"{app} has no label {LABEL}: build it again with this release of the buildpack.")
    needed = needed_by(label)
    failed = False
    for image in images:
        with _root(image, env) as root:
            lines = problems(needed, SystemLibraries(root))
        failed |= bool(lines)
        say(f"{image}: " + ("not fit" if lines else f"has all {len(needed)} libraries"))
        for line in lines:
            say(f"  - {line}")
    return int(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        sys.exit(str(error))
