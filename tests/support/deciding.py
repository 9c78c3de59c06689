"""Has Pip decide what real requirements files mean, in an environment of this interpreter's."""

import os
import sys
from collections.abc import Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import Version

from cnb_python.app import read_app
from cnb_python.install import staging, verify
from cnb_python.install.process_env import manager_environ
from cnb_python.install.staging import copy_pip
from cnb_python.install.verify import Complete
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.tool import find_pip, find_uv
from cnb_python.system.process import run
from tools.platforms import this_machine
from tools.platforms.rootfs import ROOT

PYTHON = ".".join(map(str, sys.version_info[:3]))
LINE = ".".join(map(str, sys.version_info[:2]))


class Accepted(NamedTuple):
    """uv installed it, and it is proven."""

    decision: Resolution
    installed: frozenset[tuple[str, Version]]
    tags: Mapping[str, frozenset[str]]
    """By name: what the installed wheel says it was made for."""


def workplace(app: Path, work: Path, environ: Mapping[str, str], shared: Path) -> InstallContext:
    """Return an empty environment below *work*, which does not exist yet.

    *shared* is a directory for what all have in common.
    """
    interpreter = Path(sys.executable).resolve()
    environment, scratch = work / "venv", work / "tmp"
    staging.make(environment, interpreter, LINE)
    scratch.mkdir()
    return InstallContext(
        app_dir=app,
        environment=environment,
        # So that it is compiled once.
        tool=_pip(shared),
        # The same few packages come again and again.
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
    """Return what says how this machine reaches an index, and nothing else."""
    home = {name: os.environ[name] for name in ("PATH", "SSL_CERT_FILE") if name in os.environ}
    return {**home, **this_machine.of_this_machine()}


def exactly(place: InstallContext) -> Accepted | str:
    """Go the exact way in *place*; return why not, where it ends before the end."""
    known = Pip().resolve_from_files(read_app(place.app_dir), PYTHON, place.environ)
    if isinstance(known, NeedsResolving):
        return known.reason
    if known.pins and (refusal := Pip().install_pinned(known, known.pins, place, run)):
        return refusal
    found: dict[str, Distribution] = {
        canonicalize_name(one.name): one for one in distributions(path=[str(site_packages(place))])
    }
    proof = verify.verify_pins(known.pins, lambda name: _file(found[name], "METADATA"), PYTHON)
    if not isinstance(proof, Complete):
        return proof.reason
    return Accepted(
        known,
        frozenset((name, Version(one.version)) for name, one in found.items()),
        {name: _tags(_file(one, "WHEEL")) for name, one in found.items()},
    )


def site_packages(place: InstallContext) -> Path:
    """Return where the environment of *place* has its modules."""
    return place.environment / f"lib/python{LINE}/site-packages"


def versions(decision: Resolution) -> frozenset[tuple[str, Version]]:
    """Return what *decision* wants installed."""
    return frozenset((pin.name, Version(pin.version)) for pin in decision.pins)


def _file(distribution: Distribution, name: str) -> str:
    text = distribution.read_text(name)
    assert isinstance(text, str), (distribution, name)
    return text


def _tags(wheel: str) -> frozenset[str]:
    return frozenset(line[5:] for line in wheel.splitlines() if line.startswith("Tag: "))
