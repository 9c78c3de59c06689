"""Resolves and installs real requirements files with `Pip`, in an environment of this Python."""

import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import Version

from cnb_python.app import read_app
from cnb_python.install import verify, virtual_environment
from cnb_python.install.process_env import manager_environ
from cnb_python.install.request import EnvironmentRequest
from cnb_python.install.snapshot import AppSnapshot
from cnb_python.install.staging import StagingArea, copy_pip
from cnb_python.install.verify import Complete
from cnb_python.managers.base import (
    InstallContext,
    NeedsResolving,
    Pin,
    PinsRefused,
    Resolution,
)
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.tool import find_pip, find_uv
from cnb_python.system.interface import Download, System
from cnb_python.system.process import run
from tests.support.fake_system import Log
from tools.platforms import this_machine
from tools.platforms.rootfs import ROOT

PYTHON = ".".join(map(str, sys.version_info[:3]))
LINE = ".".join(map(str, sys.version_info[:2]))


class Accepted(NamedTuple):
    """The pins were installed, and verified as complete."""

    resolution: Resolution
    installed: frozenset[tuple[str, Version]]
    tags: Mapping[str, frozenset[str]]
    """By name, the tags of the installed wheel."""


def install_context(
    app: Path, work: Path, environ: Mapping[str, str], shared: Path
) -> InstallContext:
    """Make an empty environment below the new directory *work*, and return its context.

    *shared* is a directory of what all contexts share: pip itself.
    """
    interpreter = Path(sys.executable).resolve()
    environment, scratch = work / "venv", work / "tmp"
    virtual_environment.make_environment(environment, interpreter, LINE)
    scratch.mkdir()
    return InstallContext(
        app_dir=app,
        environment=environment,
        # Shared, so that it is compiled once.
        tool=_pip(shared),
        # Shared, since tests install the same few packages.
        cache=work.parent / "downloads",
        scratch=scratch,
        environ=manager_environ(environ, environment, interpreter, scratch),
        python=PYTHON,
        uv=find_uv(ROOT),
    )


def _pip(directory: Path) -> Path:
    pip = directory / "pip-itself/pip"
    return pip if pip.is_dir() else copy_pip(find_pip(ROOT), pip.parent)


def settings() -> dict[str, str]:
    """Return the variables that an install on this machine needs: PATH, certificates, indexes."""
    home = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
    return {**home, **this_machine.of_this_machine()}


def install(
    resolution: Resolution, context: InstallContext, manager: Pip, pins: Sequence[Pin] = ()
) -> None:
    """Put the files of *pins*, by default all of *resolution*, into the environment of *context*.

    Raises the failure of the manager.
    """
    work = context.scratch.parent
    request = EnvironmentRequest(
        app=read_app(context.app_dir),
        manager=manager,
        interpreter=Path(sys.executable).resolve(),
        python=PYTHON,
        pip=context.tool,
        uv=context.uv,
        environ=context.environ,
        environment=work / "installing/venv",
        staging=work / "installing/staging",
        installer="auto",
    )
    shutil.rmtree(request.staging.parent, ignore_errors=True)
    request.staging.mkdir(parents=True)
    system = System(run, context.fetch or no_fetch, Log(), date(2026, 1, 1), 2)
    area = StagingArea(request, system, AppSnapshot(request.app.top))
    for installed in area.install(resolution, pins or resolution.pins):
        shutil.copytree(
            installed.root.path,
            context.environment,
            dirs_exist_ok=True,
            symlinks=True,
            ignore=_of_environment,
        )


def _of_environment(directory: str, names: Iterable[str]) -> set[str]:
    """Return the *names* in *directory* that every virtual environment has."""
    own = {"lib64", "pyvenv.cfg", "python", "python3", f"python{LINE}"}
    return set() if Path(directory).name == "lib" else own & set(names)


def no_fetch(download: Download, to: Path) -> None:
    raise AssertionError(download, to)


def install_pinned(context: InstallContext) -> Accepted | str:
    """Install the pins of the app of *context* without a resolver, and verify them.

    Returns the reason where the files of the app do not give complete pins.
    """
    resolution = Pip().resolve_from_files(read_app(context.app_dir), PYTHON, context.environ)
    if isinstance(resolution, NeedsResolving):
        return resolution.reason
    try:
        install(resolution, context, Pip())
    except PinsRefused as refused:
        return refused.reason
    installed: dict[str, Distribution] = {
        canonicalize_name(distribution.name): distribution
        for distribution in distributions(path=[str(site_packages(context))])
    }
    completeness = verify.verify_pins(
        resolution.pins, lambda name: _file(installed[name], "METADATA"), PYTHON
    )
    if not isinstance(completeness, Complete):
        return completeness.reason
    return Accepted(
        resolution,
        frozenset(
            (name, Version(distribution.version)) for name, distribution in installed.items()
        ),
        {name: _tags(_file(distribution, "WHEEL")) for name, distribution in installed.items()},
    )


def site_packages(context: InstallContext) -> Path:
    """Return the `site-packages` of the environment of *context*."""
    return context.environment / f"lib/python{LINE}/site-packages"


def versions(resolution: Resolution) -> frozenset[tuple[str, Version]]:
    """Return name and version of each pin of *resolution*."""
    return frozenset((pin.name, Version(pin.version)) for pin in resolution.pins)


def _file(distribution: Distribution, name: str) -> str:
    text = distribution.read_text(name)
    assert isinstance(text, str), (distribution, name)
    return text


def _tags(wheel: str) -> frozenset[str]:
    return frozenset(line[5:] for line in wheel.splitlines() if line.startswith("Tag: "))
