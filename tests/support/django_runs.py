"""Runs collectstatic of real Django projects as the build does, without lifecycle and image."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import replace
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

from cnb_python.app_steps import collectstatic, file_listing
from cnb_python.app_steps.file_listing import Listing
from cnb_python.config.settings import Settings
from cnb_python.distributions.model import Distribution, File
from cnb_python.errors.base import BuildpackError
from cnb_python.install import virtual_environment
from cnb_python.provision.request import ProvidedEnvironment, StepResults
from cnb_python.store.store import Store
from cnb_python.system.interface import System
from cnb_python.system.process import run as run_program
from cnb_python.system.verified_file import Fetcher
from tests.support.fake_build import context, refuse_network
from tests.support.fake_environment import FakeEnvironment, fake_environment
from tests.support.fake_system import Log
from tests.support.trees import Files, write_files
from tools.platforms import oci, this_machine
from tools.processes import run
from tools.pythons import interpreters

SHARD = "deps-00"
# Django imports none of the directories that are left out.
COMPILING = ("-qq", "--invalidation-mode=unchecked-hash", "-x", "/(test|idlelib|site-packages)/")


@dataclass
class Machine:
    """A directory with Python and packages in layers, as an app step finds them."""

    directory: Path
    version: str
    distributions: tuple[Distribution, ...] = ()

    @property
    def line(self) -> str:
        return self.version.rpartition(".")[0]

    @property
    def layers(self) -> Path:
        return self.directory / "layers"

    @property
    def workspace(self) -> Path:
        return self.directory / "workspace"

    @property
    def site_packages(self) -> Path:
        """The real directory of the packages, in a shard."""
        return self.layers / SHARD / f"tree/lib/python{self.line}/site-packages"

    def replace_file(self, path: str, content: bytes) -> None:
        """Write the file *path* below `site-packages`, as another release of its package would."""
        (self.site_packages / path).write_bytes(content)
        self.distributions = tuple(_distributions(self.site_packages, self.line))


def machine(directory: Path, version: str, requirements: tuple[str, ...]) -> Machine:
    """Make the layers of Python *version* and of the packages *requirements*."""
    made = Machine(directory, version)
    context(directory)
    interpreter = made.layers / f"python/bin/python{made.line}"
    archive = interpreters.archive(version, oci.arch())
    (made.layers / "python").mkdir()
    run("tar", "-xf", archive, "-C", made.layers / "python", "--strip-components=1")
    # As a build does: without bytecode each start of Django compiles its modules, in a second.
    library = made.layers / f"python/lib/python{made.line}"
    run(interpreter, "-m", "compileall", *COMPILING, library)
    linked = virtual_environment.make_environment(made.layers / "venv", interpreter, made.line)
    made.site_packages.mkdir(parents=True)
    uv = Path(".venv/bin/uv").resolve()
    options = ("--target", made.site_packages, "--python", interpreter, "--compile-bytecode")
    environ = {**os.environ, **this_machine.of_this_machine()}
    run(uv, "pip", "install", "-q", *options, *requirements, env=environ)
    for path in made.site_packages.iterdir():
        up = "../" * 4
        (linked / path.name).symlink_to(
            f"{up}{SHARD}/tree/lib/python{made.line}/site-packages/{path.name}"
        )
    made.distributions = tuple(_distributions(made.site_packages, made.line))
    return made


def _distributions(site_packages: Path, line: str) -> Iterator[Distribution]:
    for info in sorted(site_packages.glob("*.dist-info")):
        name, _, version = info.name.removesuffix(".dist-info").partition("-")
        lines = (info / "RECORD").read_text().splitlines()
        paths = sorted(
            path for path in (line.rsplit(",", 2)[0] for line in lines) if path[0] != "."
        )
        files = (_file(site_packages, path, line) for path in paths)
        yield Distribution(name, version, "", tuple(filter(None, files)))


def _file(site_packages: Path, path: str, line: str) -> File | None:
    if not (site_packages / path).is_file():
        return None
    content = (site_packages / path).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return File(f"lib/python{line}/site-packages/{path}", digest, len(content))


@dataclass
class Result:
    """How a build left the app."""

    files: Listing
    """The app directory; empty if the build failed."""
    has_run: bool
    log: str
    static_files_key: str
    error: str = ""


@dataclass
class Project:
    """Builds of one Django project, each from a fresh copy of its files."""

    machine: Machine
    source: Path
    directory: Path

    def build(
        self,
        changes: Files | None = None,
        after: str = "",
        *,
        records: bool = True,
        environ: Mapping[str, str] | None = None,
    ) -> Result:
        """Collect the static files of the project with *changes*; None removes a path.

        *after*: the static files key of the build whose store is used; empty: a clean build.
        """
        self._write_app(changes or {})
        if not after:
            shutil.rmtree(self.store, ignore_errors=True)
            self.store.mkdir()
        store = Store(self.store)
        if after:
            store.read_trees(json.loads(self.manifest.read_text()))
        return self._collect(store, after, environ or {}, records=records)

    @property
    def store(self) -> Path:
        return self.directory / "store"

    @property
    def manifest(self) -> Path:
        return self.directory / "manifest"

    @contextmanager
    def kept_store(self) -> Iterator[None]:
        """Restore the store at the end of the context."""
        kept = self.directory / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.store, kept)
        digest = self.manifest.read_text()
        yield
        shutil.rmtree(self.store)
        kept.rename(self.store)
        self.manifest.write_text(digest)

    def _write_app(self, changes: Files) -> None:
        workspace = self.machine.workspace
        shutil.rmtree(workspace, ignore_errors=True)
        shutil.copytree(self.source, workspace, symlinks=True)
        for path, content in changes.items():
            if content is None:
                target = workspace / path
                shutil.rmtree(target) if target.is_dir() else target.unlink()
            else:
                write_files(workspace, {path: content})

    @cached_property
    def _fake(self) -> FakeEnvironment:
        return fake_environment(self.directory / "fake", {}, {"django": "5"}, run_program)

    def _collect(
        self, store: Store, after: str, environ: Mapping[str, str], *, records: bool
    ) -> Result:
        log = Log()
        system = System(run_program, Fetcher(refuse_network), log, date(2026, 11, 30), 2)
        environment = self._environment(store, after, environ, records=records)
        results, error, has_run = StepResults(), "", True
        try:
            static = collectstatic.find(environment)
            has_run = static.is_missing
            results = collectstatic.collect(environment, static, {}, system)
        except BuildpackError as failure:
            error = type(failure).__name__
        manifest = store.close((), results.trees, ())
        self.manifest.write_text(json.dumps(manifest))
        files = {} if error else file_listing.listing(self.machine.workspace)
        return Result(files, has_run, "\n".join(log.lines), results.static_files_key, error)

    def _environment(
        self,
        store: Store,
        after: str,
        environ: Mapping[str, str],
        *,
        records: bool,
    ) -> ProvidedEnvironment:
        app = self._fake.app
        app.settings = Settings(collectstatic_record=records)
        app.context = replace(
            app.context,
            app_dir=self.machine.workspace,
            layers_dir=self.machine.layers,
            environ=environ,
        )
        installed = self.machine.distributions
        text = "".join(sorted(item.digest for item in installed))
        request = app.request()
        interpreter = self.machine.layers / f"python/bin/python{self.machine.line}"
        runtime = replace(
            request.runtime, interpreter=replace(request.runtime.interpreter, path=interpreter)
        )
        return ProvidedEnvironment(
            request=replace(request, runtime=runtime),
            distributions={item.name: item.version for item in installed},
            layers={"venv": "12", SHARD: hashlib.sha256(text.encode()).hexdigest()},
            static_files_key=after,
            sizes={},
            store=lambda: store,
            installed=installed,
        )
