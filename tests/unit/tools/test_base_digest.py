"""The base image is pinned by its digest, which `make data` writes."""

import tomllib
from pathlib import Path

import pytest

from tools.platforms import base_digest, base_images, rootfs
from tools.platforms.engine import Engine
from tools.processes import Unavailable, fail

DIGEST = f"sha256:{'1f' * 32}"
TAG = "registry.example/debian:bookworm-slim"


class Docker(Engine):
    """An engine that answers *answers* to `docker`, by its subcommand, and records the calls."""

    def docker(self, *arguments: str | Path) -> str:
        if arguments[0] == "pull" and "missing" in str(arguments[-1]):
            fail("no such image")
        return f'["registry.example/debian@{DIGEST}"]\n' if "inspect" in arguments else ""


ENGINE = Docker({}, "1.41")


def test_the_digest_is_that_of_the_tag() -> None:
    assert base_digest.newest(ENGINE, TAG) == DIGEST


def test_an_image_that_cannot_be_pulled_has_none() -> None:
    with pytest.raises(Unavailable):
        base_digest.newest(ENGINE, "registry.example/missing:1")


def test_the_digest_replaces_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "base.toml"
    file.write_text(rootfs.BASE.read_text())
    before = tomllib.loads(file.read_text())

    assert base_digest.pin(DIGEST, file)
    assert tomllib.loads(file.read_text()) == before | {"digest": DIGEST}
    assert not base_digest.pin(DIGEST, file)


def test_an_image_is_named_by_its_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "base.toml"
    file.write_text(rootfs.BASE.read_text())
    monkeypatch.setattr(rootfs, "BASE", file)
    base_digest.pin("", file)
    assert rootfs.base("run").registry_image == rootfs.base_tag()
    base_images.pulled(ENGINE, rootfs.base("run"))
    assert "not pinned by a digest" in capsys.readouterr().out

    base_digest.pin(DIGEST, file)
    assert rootfs.base("run").registry_image == f"{rootfs.base_tag()}@{DIGEST}"
    base_images.pulled(ENGINE, rootfs.base("run"))
    assert "not pinned" not in capsys.readouterr().out
