"""Run images are checked for the libraries that an app's image needs."""

import json
from pathlib import Path

import pytest

from cnb_python.provision.libraries import LABEL
from tests.support import elf_files
from tools.libraries import main
from tools.processes import Unavailable

NEEDED = {
    "libc.so.6": {"packages": ["numpy"], "versions": ["GLIBC_2.28"]},
    "libpq.so.5": {"packages": ["psycopg2", "x"], "versions": []},
}


def image(directory: Path, label: str | None) -> str:
    """Write an OCI layout of an image without layers that has the *label*."""
    blobs = directory / "blobs/sha256"
    blobs.mkdir(parents=True)
    labels = {} if label is None else {LABEL: label}
    config = {"config": {"Labels": labels}, "rootfs": {"diff_ids": []}}
    (blobs / "config").write_text(json.dumps(config))
    (blobs / "manifest").write_text(
        json.dumps({"config": {"digest": "sha256:config"}, "layers": []})
    )
    index = {"manifests": [{"digest": "sha256:manifest"}]}
    (directory / "index.json").write_text(json.dumps(index))
    return str(directory)


def rootfs(directory: Path, *defines: str, names: tuple[str, ...] = ("libc.so.6",)) -> str:
    (directory / "usr/lib").mkdir(parents=True)
    (directory / "lib").symlink_to("/usr/lib")
    for name in names:
        content = elf_files.elf(defines=[name, *defines])
        (directory / "usr/lib" / name).write_bytes(content)
    return str(directory)


def test_run_images_are_compared_with_the_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    app = image(tmp_path / "app", json.dumps(NEEDED))
    fit = rootfs(tmp_path / "fit", "GLIBC_2.28", names=("libc.so.6", "libpq.so.5"))
    old = rootfs(tmp_path / "old", "GLIBC_2.17")

    assert main([app, fit]) == 0
    assert capsys.readouterr().out == f"{fit}: has all 2 libraries\n"
    assert main([app, fit, old]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{old}: not fit",
        "  - libc.so.6 lacks GLIBC_2.28, for numpy",
        "  - libpq.so.5 (package libpq5) is missing, for psycopg2, x",
    ]


def test_image_without_the_label_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="has no label"):
        main([image(tmp_path / "app", None), str(tmp_path)])


@pytest.mark.parametrize("label", ["{", "[]", '{"libc.so.6": 1}', '{"libc.so.6": {}}'])
def test_label_of_another_form_is_refused(tmp_path: Path, label: str) -> None:
    with pytest.raises(Unavailable, match="cannot be read"):
        main([image(tmp_path / "app", label), str(tmp_path)])


@pytest.mark.parametrize("arguments", [[], ["app"], ["--help", "x"]])
def test_usage_is_shown(arguments: list[str]) -> None:
    with pytest.raises(Unavailable, match="Usage"):
        main(arguments)
