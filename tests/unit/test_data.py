"""The table of bundled tools: typed, complete for every target, pinned by hash."""

from pathlib import Path
from typing import Annotated

import tomli
from pydantic import BaseModel, ConfigDict, Field

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / "src/cnb_python/data/tools.toml"

Version = Annotated[str, Field(pattern=r"^\d+(\.\d+)+$")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Row(BaseModel):
    """A table of the buildpack, without unknown names."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Archive(Row):
    arch: str
    url: Annotated[str, Field(pattern=r"^https://[^@?]+-install_only_stripped\.tar\.gz$")]
    sha256: Sha256


class Module(Row):
    name: Annotated[str, Field(pattern=r"^[^@\s]+@v[^@\s]+$")]
    sum: Annotated[str, Field(pattern=r"^h1:[A-Za-z0-9+/]{43}=$")]


class Interpreter(Row):
    version: Version
    archive: list[Archive]
    module: Module


class Pip(Row):
    version: Version
    sha256: Sha256


class Uv(Row):
    version: Version
    sha256: dict[str, Sha256]


class Tools(Row):
    interpreter: Interpreter
    pip: Pip
    uv: Uv


def tools() -> Tools:
    return Tools.model_validate(tomli.loads(TOOLS.read_text()))


def target_arches() -> list[str]:
    descriptor = tomli.loads((ROOT / "buildpack.toml").read_text())
    return sorted({target["arch"] for target in descriptor["targets"]})


def test_every_target_has_each_tool() -> None:
    assert sorted(archive.arch for archive in tools().interpreter.archive) == target_arches()
    assert sorted(tools().uv.sha256) == target_arches()


def test_both_sources_of_the_interpreter_are_the_same_release() -> None:
    interpreter = tools().interpreter

    assert all(f"/cpython-{interpreter.version}%2B" in row.url for row in interpreter.archive)
    assert f"-{interpreter.version}-" in interpreter.module.name


def test_no_hash_occurs_twice() -> None:
    hashes = [
        *(archive.sha256 for archive in tools().interpreter.archive),
        tools().pip.sha256,
        *tools().uv.sha256.values(),
    ]

    assert len(set(hashes)) == len(hashes)
