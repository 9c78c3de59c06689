"""`tools.libraries` checks run images that a Docker engine has, by their names."""

import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cnb_python.provision.libraries import LABEL
from tests.images.inventory import take
from tests.support import elf_files
from tools.libraries import main
from tools.platforms.engine import Engine
from tools.processes import Unavailable

NEEDED = {
    "libc.so.6": {"packages": ["numpy"], "versions": ["GLIBC_2.28"]},
    "libpq.so.5": {"packages": ["psycopg2"], "versions": []},
}
NAME = "cnb-python-test-libraries"

type Import = Callable[..., str]


@pytest.fixture
def imported(docker: Engine, tmp_path: Path) -> Iterator[Import]:
    """Return a function that makes an image of a file system with some libraries."""
    names: list[str] = []

    def make(tag: str, *libraries: str, label: str = "", defines: str = "GLIBC_2.28") -> str:
        root = tmp_path / tag
        (root / "usr/lib").mkdir(parents=True)
        (root / "lib").symlink_to("usr/lib")
        for library in libraries:
            content = elf_files.elf(defines=[library, defines])
            (root / "usr/lib" / library).write_bytes(content)
        archive = tmp_path / f"{tag}.tar"
        with tarfile.open(archive, "w") as file:
            file.add(root, ".")
        change = ("--change", f"LABEL {LABEL}={json.dumps(label)}") if label else ()
        docker.docker("import", *change, archive, f"{NAME}:{tag}")
        names.append(f"{NAME}:{tag}")
        return names[-1]

    yield make
    if names:
        docker.docker("image", "rm", *names)


def test_run_images_are_compared_by_their_names(
    docker: Engine, imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    app = imported("app", label=json.dumps(NEEDED))
    fit = imported("fit", "libc.so.6", "libpq.so.5")
    old = imported("old", "libc.so.6", defines="GLIBC_2.17")
    before = take(docker)

    assert main([app, fit], docker.env) == 0
    assert capsys.readouterr().out == f"{fit}: has all 2 libraries\n"
    assert main([app, fit, old], docker.env) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        f"{old}: not fit",
        "  - libc.so.6 lacks GLIBC_2.28, for numpy",
        "  - libpq.so.5 (package libpq5) is missing, for psycopg2",
    ]
    assert take(docker).beyond(before) == []


def test_image_without_the_label_is_refused(docker: Engine, imported: Import) -> None:
    fit = imported("fit", "libc.so.6")

    with pytest.raises(Unavailable, match=f"{fit} has no label {LABEL}"):
        main([fit, fit], docker.env)


def test_image_that_the_engine_does_not_have_is_named(docker: Engine, imported: Import) -> None:
    app = imported("app", label=json.dumps(NEEDED))
    before = take(docker)

    with pytest.raises(Unavailable, match=f"{NAME}:none"):
        main([app, f"{NAME}:none"], docker.env)
    assert take(docker).beyond(before) == []
