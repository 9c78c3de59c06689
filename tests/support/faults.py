"""Runs `bin/build` alone and repeatedly into one directory of layers, with injected faults."""

import os
import subprocess
import tempfile
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import tomli_w

from tests.support import index
from tests.support.builds import BUILDPACK, INSIDE, Builds
from tests.support.trees import write_files
from tests.support.wheels import wheel
from tools.package import tree
from tools.platforms import oci, rootfs, sandbox
from tools.platforms.sandbox import Bind, Ended, Sandbox
from tools.processes import run

LAYERS = f"/layers/{BUILDPACK}"
# The distribution of the build image, which the lifecycle's detector would set.
TARGET = {"CNB_TARGET_DISTRO_NAME": "debian", "CNB_TARGET_DISTRO_VERSION": "12"}

type Wheels = Callable[[Path], Iterator[str]]
"""Writes wheels with version 1.0 into a directory, and yields their names."""


@dataclass(frozen=True, slots=True)
class DirectBuild:
    """An app, and the variables of its builds."""

    builds: Builds
    app: Path
    env: Mapping[str, str]

    def build(self, layers: Path, tmp: Path | None = None, **target: str) -> Ended:
        """Run `bin/build` with existing *layers*, and *tmp* or a new directory as `/tmp`.

        It gets the variables of a lifecycle; *target* overrides them.
        """
        platform = self.builds.platform
        env = {
            **rootfs.base("build").environment,
            "CNB_BUILDPACK_DIR": INSIDE,
            "CNB_PLATFORM_DIR": "/platform",
            "CNB_LAYERS_DIR": LAYERS,
            "CNB_BP_PLAN_PATH": "/dev/null",
            "CNB_TARGET_OS": "linux",
            "CNB_TARGET_ARCH": oci.arch(),
            **TARGET,
            **self.builds.settings,
            **self.env,
            **target,
        }
        room = Sandbox(
            lower=(platform.build_rootfs,),
            scratch=Path(tempfile.mkdtemp()),
            binds=(
                Bind(self.app, "/workspace"),
                Bind(self.builds.buildpack, INSIDE),
                Bind(layers, LAYERS, writable=True),
                *((Bind(tmp, "/tmp", writable=True),) if tmp else ()),
            ),
            tmpfs=() if tmp else ("/tmp",),
            user=platform.user,
            group=platform.group,
            env=env,
            directory="/workspace",
        )
        return sandbox.run(room, f"{INSIDE}/bin/build", timeout=600)

    def own(self, directory: Path) -> Path:
        """Make *directory*, owned by the build's user."""
        directory.mkdir()
        os.chown(directory, self.builds.platform.user, self.builds.platform.group)
        return directory


def cache_of(layers: Path, into: Path) -> Path:
    """Copy to *into* what a restorer restores of *layers* from the cache alone."""
    run("cp", "-a", "--", layers / "deps", into)
    run("cp", "-a", "--", layers / "deps.toml", into)
    return into


def outcome(layers: Path) -> dict[str, str]:
    """Return what an exporter reads: TOML files as text, directories as digests.

    Of the store, the names of its files, which contain their digests.
    """
    contents = {path.name: path.read_text() for path in layers.glob("*.toml")}
    directories = {path for path in layers.iterdir() if path.is_dir()}
    for path in directories:
        contents[path.name] = tree.digest(path)
    store = layers / "deps"
    contents["deps"] = "\n".join(sorted(path.name for path in store.glob("[!.]*")))
    return contents


def trusted(layers: Path) -> set[str]:
    """Return the names of the layers whose `.toml` has layer types, so that they count."""
    documents = {path.stem: tomllib.loads(path.read_text()) for path in layers.glob("*.toml")}
    return {name for name, document in documents.items() if "types" in document}


class Disk:
    """A file system of the build's user that can be made full at any moment."""

    def __init__(self, directory: Path, builds: Builds, size: str) -> None:
        self.directory = directory
        self._size = size
        owner = f"uid={builds.platform.user},gid={builds.platform.group}"
        run("mount", "-t", "tmpfs", "-o", f"size={size},{owner}", "cnb-python-test", directory)

    def fill(self) -> None:
        """Make it full, even while a process writes to it."""
        while not self._resize(str(_used(self.directory))):
            pass

    def relieve(self) -> None:
        """Restore its size."""
        assert self._resize(self._size)

    def close(self) -> None:
        """Unmount it, which removes all its files."""
        run("umount", self.directory)
        self.directory.rmdir()

    def _resize(self, size: str) -> bool:
        options = f"remount,size={size}"
        command = ["mount", "-o", options, str(self.directory)]
        return not subprocess.run(command, check=False, capture_output=True).returncode


@contextmanager
def disk(builds: Builds, size: str = "400m") -> Iterator[Disk]:
    """Yield a file system in memory.

    Not below the session's directory, since sandboxes of other sessions would have it mounted.
    """
    mounted = Disk(Path(tempfile.mkdtemp(prefix="cnb-python-disk-", dir="/tmp")), builds, size)
    try:
        yield mounted
    finally:
        mounted.close()


def _used(disk: Path) -> int:
    """Return how many bytes are in use on the file system *disk*."""
    state = os.statvfs(disk)
    return (state.f_blocks - state.f_bfree) * state.f_frsize


@contextmanager
def at_moment(when: Callable[[], bool], do: Callable[[], None]) -> Iterator[threading.Event]:
    """Call *do* once when *when* holds, while the block runs; yield an event that is set then."""
    over, done = threading.Event(), threading.Event()

    def wait() -> None:
        while not over.wait(0.001):
            if when():
                do()
                done.set()
                return

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        yield done
    finally:
        over.set()
        thread.join()


@dataclass(frozen=True, slots=True)
class Scenario:
    """An app for builds with faults, and the result of its build without faults."""

    direct: DirectBuild
    cache: Path
    """The layers of another app's build, whose cache contains Python."""
    clean: Path
    """The layers of a build without faults."""
    right: Mapping[str, str]
    """Their `outcome`."""
    seconds: float
    """Duration of that build."""

    def check(self, layers: Path, ended: Ended) -> None:
        """Assert that a build succeeded with the right layers."""
        assert ended.code == 0, ended.output
        assert outcome(layers) == self.right

    def check_trust(self, layers: Path) -> None:
        """Assert that each layer that counts after a failed build is complete."""
        contents = outcome(layers)
        for name in trusted(layers) - {"deps"}:
            parts = {name, f"{name}.toml"}
            assert {part: contents[part] for part in parts} == {
                part: self.right[part] for part in parts
            }


@contextmanager
def scenario(
    builds: Builds, cache: Path, directory: Path, wheels: Wheels | None = None
) -> Iterator[Scenario]:
    """Build an app below *directory* from the layers *cache*, without faults.

    It requires the *wheels*, small ones by default.
    """
    packages = directory / "packages"
    packages.mkdir()
    names = [*(wheels or _wheels)(packages)]
    requirements = "".join(f"{name}==1.0\n" for name in names)
    app = {"requirements.txt": requirements, "Procfile": f"web: python -c 'import {names[-1]}'"}
    with index.running(packages) as running:
        env = {"PIP_INDEX_URL": running.url}
        direct = DirectBuild(builds, write_files(directory / "app", app), env)
        clean = cache_of(cache, direct.own(directory / "clean"))
        began = time.monotonic()
        ended = direct.build(clean)
        assert ended.code == 0, ended.output
        yield Scenario(direct, cache, clean, outcome(clean), time.monotonic() - began)


def _wheels(into: Path) -> Iterator[str]:
    code = "VALUES = {'a', 'b', 'c'}\ndef main(): print('here')\n"
    for name in ("first", "second", "third"):
        files = {f"{name}/{part}.py": code for part in ("__init__", "a", "b")}
        data = {f"{name}-1.0.data/data/share/{name}.txt": name}
        wheel(into, name, "1.0", {**files, **data}, scripts={name: f"{name}:main"})
        yield name
    falsify_record(
        wheel(into, "lying", "1.0", {"lying/__init__.py": code, "lying/b.py": "", "lone.py": ""})
    )
    yield "lying"


def falsify_record(path: Path) -> None:
    """Write wrong hashes and paths into the RECORD of the wheel of package `lying`."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    (name,) = (name for name in members if name.endswith("/RECORD"))
    record = members[name].decode().replace("lying/__init__.py,sha256=", "../up,sha256=A")
    record = record.replace("lying/b.py,sha256=", "lying/b.py,sha256=A")
    lines = [line for line in record.splitlines() if not line.startswith("lone.py")]
    false = ("lying/absent.py,sha256=AAAA,3", "/etc/passwd,,", "../../../../../../etc/group,,")
    members[name] = "\n".join((*lines, *false, "")).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            archive.writestr(member, content)


def image_of(layers: Path, into: Path) -> Path:
    """Copy to *into* what a restorer restores of *layers* from the image alone."""
    for path in layers.glob("*.toml"):
        document = tomllib.loads(path.read_text())
        if document.get("types", {}).get("launch") or path.stem == "store":
            (into / path.name).write_text(tomli_w.dumps({"metadata": document["metadata"]}))
            for sbom in layers.glob(f"{path.stem}.sbom.*"):
                copyfile(sbom, into / sbom.name)
    return into
