"""Environments of real packages, twice: as shards and links, and as one ordinary tree."""

import csv
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from cnb_python.distributions.model import Distribution, File
from cnb_python.install import virtual_environment
from cnb_python.layout.links import venv_entries
from cnb_python.layout.materialize import (
    materialize_links,
    materialize_merged,
    materialize_shard,
)
from cnb_python.layout.shards import Shard, shards_of

LINE = f"{sys.version_info.major}.{sys.version_info.minor}"
SITE = f"lib/python{LINE}/site-packages"
INTERPRETER = Path(sys.base_prefix) / f"bin/python{LINE}"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class InstalledEnvironment:
    """One of the two environments."""

    directory: Path
    work: Path
    """The directory that programs run in, and their home."""

    def run(self, *argv: str, **environ: str) -> str:
        """Run the environment's Python with *argv*; return its output."""
        command = (str(self.directory / "bin/python"), *argv)
        done = subprocess.run(
            command,
            check=False,
            cwd=self.work,
            env={**self.environ, **environ},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    @property
    def environ(self) -> dict[str, str]:
        """As in an image, except that bytecode is written to another directory."""
        return {
            "PATH": f"{self.directory / 'bin'}:/usr/bin:/bin",
            "HOME": str(self.work),
            "LC_ALL": "C.UTF-8",
            "PYTHONPYCACHEPREFIX": str(self.work / "bytecode"),
        }


@dataclass(frozen=True)
class LinkedAndMerged:
    """The same distributions, linked and merged."""

    linked: InstalledEnvironment
    merged: InstalledEnvironment
    shards: Mapping[str, Shard]

    def same(self, *argv: str) -> str:
        """Return the output of both Pythons for *argv*, which is equal except for their paths."""
        linked, merged = self.linked.run(*argv), self.merged.run(*argv)
        expected = merged.replace(str(self.merged.directory), str(self.linked.directory))
        assert linked == expected
        return linked

    def shard_of(self, distribution: str) -> str:
        """Return the name of the shard with the files of *distribution*."""
        (name,) = [
            shard.name for shard in self.shards.values() if distribution in shard.distributions
        ]
        return name


def install_both(
    installations: Sequence[Sequence[str]], reaches: Mapping[str, tuple[str, ...]], parent: Path
) -> LinkedAndMerged:
    """Install each of *installations*, arguments of `uv pip install`, separately, in both forms.

    *reaches*: the directories where native libraries look for others, by distribution.
    """
    final = parent / "layers/venv"
    staged_roots = [
        _stage(final, parent / f"stage-{n}", each) for n, each in enumerate(installations)
    ]
    distributions: list[Distribution] = []
    roots: dict[str, Path] = {}
    for staged in staged_roots:
        for item in _collect(staged, reaches):
            distributions.append(item)
            roots[item.name] = staged
    merged = _merged(distributions, roots, parent)
    shards = _linked(distributions, roots, final)
    return LinkedAndMerged(
        _environment(final, parent),
        _environment(merged, parent),
        {item.name: item for item in shards},
    )


def _environment(directory: Path, parent: Path) -> InstalledEnvironment:
    work = parent / f"work-{directory.parent.name}"
    work.mkdir()
    return InstalledEnvironment(directory, work)


def _stage(final: Path, staged: Path, arguments: Iterable[str]) -> Path:
    """Install at the final path, which scripts contain, then move aside."""
    virtual_environment.make_environment(final, INTERPRETER, LINE)
    options = ("--quiet", "--no-deps", "--link-mode", "hardlink")
    python = str(final / "bin/python")
    command = (str(UV), "pip", "install", *options, "--python", python, *arguments)
    subprocess.run(command, check=True)
    final.rename(staged)
    return staged


def _collect(staged: Path, reaches: Mapping[str, tuple[str, ...]]) -> Iterable[Distribution]:
    site = staged / SITE
    for info in sorted(site.glob("*.dist-info")):
        name = canonicalize_name(info.name.partition("-")[0])
        with (info / "RECORD").open(newline="", encoding="utf-8") as record:
            rows = {row[0]: row[1] for row in csv.reader(record)}
        files = sorted(_file(staged, site / path, digest) for path, digest in rows.items())
        yield Distribution(name, "", "", tuple(files), reaches.get(name, ()))


def _file(staged: Path, path: Path, digest: str) -> File:
    real = Path(os.path.normpath(path))
    state = real.lstat()
    is_program = bool(state.st_mode & 0o100)
    mode = 0o755 if is_program else 0o644
    if state.st_mode & 0o777 != mode:
        # A hard link: the file itself belongs to uv's cache.
        shutil.copyfile(real, draft := real.with_name(f"{real.name}.copy"))
        draft.replace(real)
        real.chmod(mode)
    return File(str(real.relative_to(staged)), digest, state.st_size, is_program)


def _merged(
    distributions: Sequence[Distribution], roots: Mapping[str, Path], parent: Path
) -> Path:
    venv = parent / "merged/venv"
    virtual_environment.make_environment(venv, INTERPRETER, LINE)
    copies = {}
    for root in set(roots.values()):
        copies[root] = parent / f"{root.name}-copy"
        shutil.copytree(root, copies[root], symlinks=True, copy_function=os.link)
    (shard,) = shards_of(distributions, merged=True)
    materialize_merged(shard, venv, lambda name: copies[roots[name]])
    return venv


def _linked(
    distributions: Sequence[Distribution], roots: Mapping[str, Path], final: Path
) -> tuple[Shard, ...]:
    virtual_environment.make_environment(final, INTERPRETER, LINE)
    shards = shards_of(distributions)
    materialize_links(venv_entries(shards, LINE), final, roots.__getitem__)
    for shard in shards:
        into = final.with_name(shard.name)
        materialize_shard(shard, into, roots.__getitem__)
    return shards
