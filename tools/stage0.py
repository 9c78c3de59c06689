"""Makes the checkout's `.venv`: the bundled Python with the development packages.

Runs with the machine's python3 (3.11 or newer), so it uses only the standard library. `.venv` is
a whole Python installation, not a virtual environment, so that it works wherever the checkout is
copied to, such as into a build container (`pack build --buildpack .`).

With `--go-modules`, as the Makefile calls it, Python comes from a Go module if the release host
cannot be reached.
"""

import fcntl
import hashlib
import io
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tools.pythons import go_module

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "src/cnb_python/data/tools.toml"
LOCK = ROOT / "requirements/dev.txt"
ARCHES = {"x86_64": "amd64", "aarch64": "arm64", "arm64": "arm64", "amd64": "amd64"}
GO_MODULES = "GO_MODULES"
"""The variable of the Makefile that allows Pythons from Go modules in packages."""
# Longer than a slow proxy takes to refuse.
ANSWER_SECONDS = 20


def interpreter(arch: str, into: Path, *, go_modules: bool) -> None:
    """Unpack the bundled Python for *arch* into the new directory *into*.

    *go_modules*: from a Go module if the release host cannot be reached. Otherwise it exits then.
    """
    pins = tomllib.loads(PINS.read_text())["interpreter"]
    archive = next(row for row in pins["archive"] if row["arch"] == arch)
    partial = into.with_name(f"{into.name}.part")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        _from_release(archive, partial)
    except (urllib.error.URLError, OSError) as error:
        if not go_modules:
            sys.exit(unreachable(archive["url"], error))
        print(f"  the release host cannot be reached ({error}): using a Go module", flush=True)
        shutil.rmtree(partial, ignore_errors=True)
        _from_module(pins["module"], arch, partial)
    partial.rename(into)


def unreachable(url: str, error: Exception) -> str:
    """Return what to print if the release host of *url* cannot be reached."""
    return (
        f"{urlsplit(url).hostname} cannot be reached ({error}).\n"
        "A package that others may use has only Pythons of that host. For your own use, take them "
        f"from Go modules:\n  make package {GO_MODULES}=1"
    )


def _from_release(archive: dict[str, str], into: Path) -> None:
    with urllib.request.urlopen(archive["url"], timeout=ANSWER_SECONDS) as answer:  # noqa: S310 - a pinned https address
        content = answer.read()
    if hashlib.sha256(content).hexdigest() != archive["sha256"]:
        sys.exit(f"{archive['url']}: its sha256 is not the one pinned in {PINS.name}")
    with tarfile.open(fileobj=io.BytesIO(content)) as packed:
        packed.extractall(into.with_name(f"{into.name}.tar"), filter="tar")
    (into.with_name(f"{into.name}.tar") / "python").rename(into)
    into.with_name(f"{into.name}.tar").rmdir()


def _from_module(module: dict[str, str], arch: str, into: Path) -> None:
    if shutil.which("go") is None:
        sys.exit("Neither the release host nor `go` is available: install Go 1.25 or newer.")
    source = go_module.download(module["name"], module["sum"])
    go_module.unpack(source / f"python/internal/data/linux-{arch}", into)
    site_packages = next(into.glob("lib/python3.*")) / "site-packages"
    go_module.unpack(source / "pip/internal/data", site_packages)


def _digest() -> str:
    inputs = (PINS, LOCK, Path(__file__), Path(go_module.__file__))
    return hashlib.sha256(b"".join(path.read_bytes() for path in inputs)).hexdigest()


def _install_packages(venv: Path) -> None:
    # The user's PIP_* settings are kept: they say how this machine reaches an index.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONHOME"}
    command = [
        *(str(venv / "bin/python3"), "-I", "-m", "pip", "install", "--quiet", "--no-input"),
        *("--disable-pip-version-check", "--root-user-action=ignore", "--no-warn-script-location"),
        *("--require-hashes", "--only-binary=:all:", "--requirement", str(LOCK)),
    ]
    if subprocess.run(command, check=False, env=environ).returncode:
        sys.exit("The development packages could not be installed: see the output of pip above.")


def main() -> None:
    """Make or renew `.venv`, one process at a time; do nothing when it is up to date."""
    with (ROOT / ".venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _renew()


def _renew() -> None:
    venv, stamp = ROOT / ".venv", ROOT / ".venv/cnb-python-inputs"
    if stamp.exists() and stamp.read_text() == _digest():
        return
    print("Making .venv (the pinned Python and the development packages)", flush=True)
    fresh = ROOT / ".venv.new"
    shutil.rmtree(fresh, ignore_errors=True)
    interpreter(ARCHES[platform.machine()], fresh, go_modules="--go-modules" in sys.argv[1:])
    _install_packages(fresh)
    shutil.rmtree(venv, ignore_errors=True)
    fresh.rename(venv)
    stamp.write_text(_digest())


if __name__ == "__main__":
    main()
