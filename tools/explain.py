"""Prints what a build of an app would choose and reuse: `python3 -m tools.explain APP`.

    python3 -m tools.explain [--json] [--image IMAGE] APP

It runs `bin/explain` of this checkout. With IMAGE, an OCI layout or a name that Docker knows, it
also prints what a build would reuse of it; the paths must then be those of a build (`/workspace`,
`/layers`), so it runs in namespaces of its own and needs root.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tools.platforms import oci
from tools.platforms.sandbox import Bind, Sandbox, run
from tools.platforms.work_folders import identity
from tools.processes import Unavailable, say
from tools.processes import run as output_of

ROOT = Path(__file__).resolve().parents[1]
LABEL = "io.buildpacks.lifecycle.metadata"
# https://github.com/buildpacks/spec/blob/main/platform.md#target-data
DISTRO = {
    "io.buildpacks.base.distro.name": "CNB_TARGET_DISTRO_NAME",
    "io.buildpacks.base.distro.version": "CNB_TARGET_DISTRO_VERSION",
}
_SECONDS = 60


def main(argv: Sequence[str]) -> int:
    """Explain the app; return the exit code of `bin/explain`."""
    parser = argparse.ArgumentParser(prog="python3 -m tools.explain", description=__doc__)
    parser.add_argument("app", type=Path)
    parser.add_argument("--json", action="store_true", help="as JSON (docs/explain.schema.json)")
    parser.add_argument("--image", help="the image that the build before made")
    arguments = parser.parse_args(argv)
    options = ("--json",) if arguments.json else ()
    if arguments.image is None:
        command = (str(ROOT / "bin/explain"), *options, str(arguments.app))
        return subprocess.run(command, check=False).returncode
    return _beside(arguments.app, arguments.image, options)


def _beside(app: Path, image: str, options: Sequence[str]) -> int:
    """Explain the build of *app* that follows the one that made *image*."""
    labels = _labels(image)
    if not labels.get(LABEL):
        sys.exit(f"{image} has no label {LABEL}: it was not built with buildpacks.")
    with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
        directory = Path(scratch)
        (directory / "room").mkdir()
        (directory / "label.json").write_text(labels[LABEL])
        ended = run(_room(app, directory, labels), *_command(options), timeout=_SECONDS)
    sys.stdout.write(ended.output)
    return 1 if ended.code is None else ended.code


def _command(options: Sequence[str]) -> tuple[str, ...]:
    return (f"{ROOT}/bin/explain", *options, "--previous", "/cnb/label.json", "/workspace")


def _room(app: Path, directory: Path, labels: Mapping[str, str]) -> Sandbox:
    """Return this machine's file system with the app and the layers where a build has them."""
    settings = {key: value for key, value in os.environ.items() if key.startswith("BP_")}
    name = identity(ROOT)[0].replace("/", "_")
    return Sandbox(
        lower=(Path("/"),),
        scratch=directory / "room",
        binds=(
            Bind(app.resolve(), "/workspace"),
            Bind(directory / "label.json", "/cnb/label.json"),
            Bind(ROOT, str(ROOT)),
        ),
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "CNB_LAYERS_DIR": f"/layers/{name}",
            **{variable: labels.get(label, "") for label, variable in DISTRO.items()},
            **settings,
        },
        directory="/workspace",
    )


def _labels(image: str) -> Mapping[str, str]:
    directory = Path(image)
    if directory.is_dir():
        return oci.read(directory).labels
    labels: dict[str, str] = {}
    for name in (LABEL, *DISTRO):
        form = f'{{{{index .Config.Labels "{name}"}}}}'
        value = output_of("docker", "image", "inspect", "--format", form, image).strip()
        labels[name] = "" if value == "<no value>" else value
    return labels


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        say(str(error))
        sys.exit(1)
