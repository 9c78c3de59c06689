"""Builds the exec.d program of `execd/`, which the launcher runs before each process.

`execd.py` copies it into the checkout's `.venv`, since a checkout is a buildpack too.
"""

import platform
import shutil
import sys
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tools import cache, stage0
from tools.platforms import real_tools
from tools.processes import Unavailable, run

SOURCE = stage0.ROOT / "execd"
NAME = "defaults"
IN_CHECKOUT = stage0.ROOT / ".venv/bin/cnb-python-defaults"
# So that the settings, paths and processor of this machine do not change the program.
ENV = {
    "CGO_ENABLED": "0",
    "GOOS": "linux",
    "GOAMD64": "v1",
    "GOARM64": "v8.0",
    "GOENV": "off",
    "GOEXPERIMENT": "",
    "GOFLAGS": "-buildvcs=false",
    "GOWORK": "off",
    "GOTOOLCHAIN": "local",
    "GODEBUG": "",
    "GO111MODULE": "on",
}
FLAGS = ("-trimpath", "-ldflags", "-s -w -buildid=")


def program(arch: str) -> Path:
    """Return the static program for *arch* (`amd64`), the same bytes on every machine."""
    tests = set(SOURCE.glob("*_test.go"))
    sources = sorted({SOURCE / "go.mod", *SOURCE.glob("*.go")} - tests)
    inputs = (*sources, real_tools.PINS / "requirements.txt", Path(__file__))
    pins = cache.digest(*(path.read_bytes() for path in inputs))
    title = f"Building the exec.d program for {arch}"
    return cache.entry(f"execd-{arch}", pins, title, partial(make, arch)) / NAME


def make(arch: str, into: Path, source: Path = SOURCE) -> None:
    """Build the program of *source* in the directory *into*, for *arch*."""
    target = into.resolve() / NAME
    env = {**ENV, "GOARCH": arch}
    run(real_tools.pinned_go(), "build", *FLAGS, "-o", target, ".", env=env, cwd=source)


def main() -> None:
    """Update the program in the checkout's `.venv` if it differs."""
    built = program(stage0.ARCHES[platform.machine()])
    if not IN_CHECKOUT.exists() or IN_CHECKOUT.read_bytes() != built.read_bytes():
        shutil.copy2(built, IN_CHECKOUT)


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        sys.exit(f"{error}")
