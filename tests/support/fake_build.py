"""Whole builds without a process: a manager that writes files, and a fake interpreter."""

import gzip
import hashlib
import io
import os
import tarfile
from collections.abc import Callable, Mapping
from copy import replace
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import MappingProxyType

from cnb_python.app import read_app
from cnb_python.cnb import disk, toml
from cnb_python.cnb.context import BuildContext, Buildpack, Platform, Target
from cnb_python.cnb.toml import Unusable
from cnb_python.config.settings import Settings
from cnb_python.layers import previous_image, python
from cnb_python.layers.python import Runtime
from cnb_python.layers.store import BuildRecord
from cnb_python.provision import provide
from cnb_python.provision.on_demand import ReadBefore
from cnb_python.provision.request import (
    ProvidedEnvironment,
    ProvisionRequest,
    StepResults,
    StepsNeedingEnvironment,
    no_steps,
)
from cnb_python.python.releases import Release
from cnb_python.system.interface import Command, Download, Outcome, Receive, System
from cnb_python.system.verified_file import Fetcher
from tests.support.fake_manager import FakeManager, copied_pip
from tests.support.fake_system import Log, Programs

AMD64 = Target("linux", "amd64", "", "debian", "12")
FILES = {
    "python/bin/python3.14": "an interpreter",
    "python/lib/python3.14/os.py": "# os",
    "python/lib/python3.14/test/test_os.py": "# a test",
    "python/lib/python3.14/_sysconfigdata__x.py": 'v = {\n  "prefix": "/install",\n}\n',
}


def archive(files: Mapping[str, str], links: Mapping[str, str] = MappingProxyType({})) -> bytes:
    """Return an archive of Python with *files*, executable by their owner only, and *links*."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text), 0o700
            packed.addfile(member, io.BytesIO(text.encode()))
        for name, target in links.items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            packed.addfile(member)
    return gzip.compress(stream.getvalue(), mtime=0)


def release(directory: Path, version: str = "3.14.6", **files: str) -> Release:
    """Return a release whose archive is in *directory*; *files* by path, `__` for a slash."""
    more = {f"python/{path.replace('__', '/')}": text for path, text in files.items()}
    content = archive({**FILES, "python/VERSION": version, **more})
    source = directory / f"python-{version}.tar.gz"
    source.write_bytes(content)
    sha256 = hashlib.sha256(content).hexdigest()
    return Release(version, "amd64", "plain", source.as_uri(), sha256)


def context(directory: Path) -> BuildContext:
    """Return the context of a build with app, layers and buildpack below *directory*."""
    app_dir, layers_dir, buildpack = (
        directory / name for name in ("workspace", "layers", "buildpack")
    )
    for each in (app_dir, layers_dir, buildpack):
        each.mkdir(parents=True, exist_ok=True)
    return BuildContext(
        app_dir=app_dir,
        buildpack=Buildpack("cnb-python/python", "1", "0.12", buildpack),
        platform=Platform(directory, {}, ()),
        target=AMD64,
        exec_env="production",
        environ={},
        layers_dir=layers_dir,
        plan=(),
        store={},
    )


def refuse_network(download: Download, store: object) -> str:
    """Fail: every download of these builds is a local file."""
    raise AssertionError(download, store)


def pretended(version: str) -> Programs:
    """Return programs with an interpreter that prints *version* and compiles nothing."""

    def answer(command: Command) -> Outcome:
        return Outcome(0, f"{version}\n" if "-c" in command.argv else "0 0\n")

    return Programs(answer)


def _use_nothing(environment: ProvidedEnvironment) -> None:
    """Run nothing."""
    del environment


@dataclass
class FakeBuild:
    """Builds of one app, one after the other, in the same directories."""

    manager: FakeManager
    context: BuildContext
    release: Release
    settings: Settings = field(default_factory=Settings)
    build_consumers: str = ""
    log: Log = field(default_factory=Log)
    programs: Programs = field(default_factory=lambda: pretended("3.14.6"))
    steps_needing_environment: StepsNeedingEnvironment = no_steps
    read_before: ReadBefore | None = None
    """What the step read in its previous run."""
    root: Path = Path("/")
    """The file system of the build image."""
    use: Callable[[ProvidedEnvironment], None] = field(default=_use_nothing)
    """What the app steps run, if any needs the environment."""
    receive: Receive = field(default=refuse_network)
    """Downloads what is no local file."""
    today: date = date(2026, 11, 21)

    @property
    def layers(self) -> Path:
        return self.context.layers_dir

    @property
    def runtime(self) -> Runtime:
        return python.find_runtime(self.release, self.context, self.log)

    def request(self) -> ProvisionRequest:
        return ProvisionRequest(
            app=read_app(self.context.app_dir),
            manager=self.manager,
            runtime=self.runtime,
            settings=self.settings,
            context=self.context,
            build_consumers=self.build_consumers,
        )

    def system(self) -> System:
        fetch = Fetcher(self.receive)
        return System(self.programs, fetch, self.log, self.today, 2, root=self.root)

    def build(self) -> BuildRecord:
        """Provide Python and the environment, as the build phase does."""
        self.log.lines.clear()
        self.manager.calls.clear()
        self.programs = pretended(self.release.version)
        previous_image.remove_leftovers(self.layers)
        provided = provide.provide(
            self.request(), self.system(), self.steps_needing_environment, lambda: self.read_before
        )
        if provided.needed_by:
            self.use(provided.environment)
        return provided.finish(StepResults())

    def layers_on_disk(self) -> set[str]:
        """Return the names of the layers with contents on disk."""
        return {path.name for path in self.layers.iterdir() if path.is_dir()}

    def declared_layers(self) -> set[str]:
        """Return the names of the layers that the lifecycle exports or caches."""
        names = {path.stem for path in self.layers.glob("*.toml")}
        return names - {"store", "launch", "build"}

    def restore(self) -> FakeBuild:
        """Leave the layers as the restorer does for the next build.

        A layer for launch alone comes back without contents, one for launch and build not at all.
        """
        for path in self.layers.glob("*.toml"):
            if path.stem == "store":
                continue
            table = toml.read(path)
            types = toml.table_at(table, "types")
            if types["launch"]:
                disk.remove(self.layers / path.stem)
            if types["launch"] and types["build"]:
                path.unlink()
            else:
                toml.write(path, {"metadata": toml.table_at(table, "metadata")})
        for path in self.layers.glob("build.sbom.*"):
            path.unlink()
        self.context = replace(self.context, store=self._stored())
        return self

    def lose_cache(self) -> FakeBuild:
        """Remove what comes from the cache of the previous build."""
        disk.remove(self.layers / "deps")
        disk.remove(self.layers / "deps.toml")
        return self

    def lose_image(self) -> FakeBuild:
        """Remove what comes from the previous image."""
        for path in self.layers.glob("*.toml"):
            if path.stem != "deps":
                path.unlink()
        for path in self.layers.glob("*.sbom.*"):
            path.unlink()
        self.context = replace(self.context, store={})
        return self

    def _stored(self) -> Mapping[str, str | bool | list[str]]:
        metadata = toml.read_metadata(self.layers / "store.toml")
        assert not isinstance(metadata, Unusable), metadata
        return metadata


def fake_build(directory: Path, manager: FakeManager) -> FakeBuild:
    """Return builds with app, layers and interpreter below *directory*."""
    build_context = context(directory)
    copied_pip(build_context.buildpack.directory / ".venv/lib/python3.14/site-packages")
    tools = build_context.buildpack.directory / "tools"
    tools.mkdir()
    (tools / "uv").touch()
    return FakeBuild(manager, build_context, release(directory))


def contents(directory: Path) -> dict[str, tuple[int, bytes]]:
    """Return mode and content of every file and link below *directory*, by path."""
    return {
        str(path.relative_to(directory)): (
            path.lstat().st_mode,
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(),
        )
        for path in sorted(directory.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }
