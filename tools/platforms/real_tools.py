"""Builds the real lifecycle, pack and other programs from the Go modules pinned in `tools/go/`."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools import cache
from tools.platforms import oci
from tools.processes import fail, run

PINS = Path(__file__).parents[1] / "go"
LIFECYCLE = "github.com/buildpacks/lifecycle"
PACK = "github.com/buildpacks/pack"
# The phases that the one program runs, by the name that it is started with.
PHASES = ("analyzer", "builder", "creator", "detector", "exporter", "rebaser", "restorer")
# pack reads the supported APIs of a lifecycle from this file; these are those of 0.21.
DESCRIPTOR = """\
[api]
  platform = "0.7"
  buildpack = "0.7"

[apis.buildpack]
  deprecated = []
  supported = ["0.7", "0.8", "0.9", "0.10", "0.11", "0.12"]

[apis.platform]
  deprecated = []
  supported = ["0.7", "0.8", "0.9", "0.10", "0.11", "0.12", "0.13", "0.14", "0.15"]

[lifecycle]
  version = "{version}"
"""


def lifecycle(arch: str = "") -> Path:
    """Return the directory with `lifecycle`, a link for each phase, and `launcher`, for *arch*."""
    return lifecycle_archive(arch) / "lifecycle"


def lifecycle_archive(arch: str = "") -> Path:
    """Return the directory for `lifecycle` in `builder.toml`: `lifecycle.toml` and programs.

    The programs are for *arch*, or for this machine.
    """
    title = "Building the lifecycle {} (about 2.5 minutes the first time)"
    make = partial(_make_lifecycle, arch or oci.arch())
    return _built("lifecycle", title, make, DESCRIPTOR, arch)


def other_lifecycle(version: str) -> Path:
    """Return the directory of another release, one of `tools/go/lifecycle-*`, as `lifecycle`."""
    title = "Building the lifecycle {} (about a minute the first time)"
    return _built(f"lifecycle-{version}", title, _make_programs, "") / "lifecycle"


def pack() -> Path:
    """Return the path of `pack`."""
    title = "Building pack {} (about 2.5 minutes the first time)"
    return _built("pack", title, _make_pack, "") / "pack"


def own_program(name: str) -> Path:
    """Return the path of the program whose source is `tools/go/` *name*."""
    folder = PINS / name
    key = cache.digest(*(path.read_bytes() for path in sorted(folder.iterdir())))
    title = f"Building {name} (some minutes the first time)"

    def build(into: Path) -> None:
        env = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
        run(_go(), "build", "-trimpath", "-o", f"{into.resolve()}/", ".", env=env, cwd=folder)

    return cache.entry(name, key, title, build) / name


def source_of(name: str, module: str) -> Path:
    """Return the directory of the Go module *module*, which `tools/go/` *name* requires."""
    folder = PINS / name
    pins = (folder / "go.mod").read_text()
    version = re.search(rf"^\s*{re.escape(module)} (v\S+)", pins, re.MULTILINE)
    if version is None:
        fail(f"tools/go/{name}/go.mod does not require {module}.")
    # This runs beside go.sum, so that Go compares the checksum there.
    answer = run(_go(), "mod", "download", "-json", f"{module}@{version[1]}", cwd=folder)
    return Path(json.loads(answer)["Dir"])


def _built(
    name: str, title: str, make: Callable[[Path, str], None], extra: str, arch: str = ""
) -> Path:
    pins = (PINS / name / "go.mod").read_text(), (PINS / name / "go.sum").read_text()
    match = re.search(r"^require github\.com/buildpacks/\w+ v(\S+)$", pins[0], re.MULTILINE)
    if match is None:
        fail(f"tools/go/{name}/go.mod requires no module of buildpacks.")
    version = match[1]
    recipe = Path(__file__).read_bytes()
    key = cache.digest(*pins, extra, recipe)
    entry = name if arch in {"", oci.arch()} else f"{name}-{arch}"
    return cache.entry(entry, key, title.format(version), lambda into: make(into, version))


def _make_lifecycle(arch: str, into: Path, version: str) -> None:
    _build_programs("lifecycle", into, version, arch)
    (into / "lifecycle.toml").write_text(DESCRIPTOR.format(version=version))


def _make_programs(into: Path, version: str) -> None:
    _build_programs(f"lifecycle-{version}", into, version, oci.arch())


def _build_programs(module: str, into: Path, version: str, arch: str) -> None:
    folder = into / "lifecycle"
    commands = (f"{LIFECYCLE}/cmd/lifecycle", f"{LIFECYCLE}/cmd/launcher")
    _go_build(module, f"{LIFECYCLE}/cmd.Version={version}", folder, *commands, arch=arch)
    for phase in PHASES:
        (folder / phase).symlink_to("lifecycle")


def _make_pack(into: Path, version: str) -> None:
    _go_build("pack", f"{PACK}/pkg/client.Version={version}", into, PACK)


def _go_build(module: str, version: str, into: Path, *packages: str, arch: str = "") -> None:
    into.mkdir(exist_ok=True)
    # Without cgo the binaries are static: the launcher must start in any run image.
    # A user's GOFLAGS, or a go.work above the checkout, could replace what the pins name.
    env = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
    env |= {"GOARCH": arch} if arch else {}
    flags = ("-trimpath", "-ldflags", f"-s -w -X {version}")
    into_folder = f"{into.resolve()}/"
    run(_go(), "build", *flags, "-o", into_folder, *packages, env=env, cwd=PINS / module)


def _go() -> Path:
    """Return the path of `go`: the machine's, or the one in its wheel."""
    path = shutil.which("go")
    if path and _recent(run(path, "version")):
        return Path(path)
    return pinned_go()


def pinned_go() -> Path:
    """Return the path of `go` of the pinned release, which makes the same bytes everywhere."""
    lock = PINS / "requirements.txt"
    title = "Downloading the pinned release of Go"
    return cache.entry("go", cache.digest(lock.read_bytes()), title, _install_go) / "go/bin/go"


def _recent(version: str) -> bool:
    # Since 1.21, Go downloads the toolchain that a go.mod requires.
    match = re.search(r"go1\.(\d+)", version)
    return match is not None and int(match[1]) >= 21


def _install_go(into: Path) -> None:
    command = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes")
    lock = str(PINS / "requirements.txt")
    run(*command, "--target", str(into), "--requirement", lock)
    for name in (into / "go/bin/go", *into.glob("go/pkg/tool/*/*")):
        name.chmod(0o755)
