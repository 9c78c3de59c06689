"""SBOMs beside the layers."""

from pathlib import Path

import pytest

from cnb_python.cnb.layer import SbomFormat, remove_sboms, write_sbom


@pytest.mark.parametrize(
    ("form", "ending", "media_type"),
    [
        (SbomFormat.CYCLONEDX, "cdx.json", "application/vnd.cyclonedx+json"),
        (SbomFormat.SPDX, "spdx.json", "application/spdx+json"),
        (SbomFormat.SYFT, "syft.json", "application/vnd.syft+json"),
    ],
)
def test_each_format_has_its_suffix(
    tmp_path: Path, form: SbomFormat, ending: str, media_type: str
) -> None:
    write_sbom(tmp_path, "launch", form, b"{}")

    assert (tmp_path / f"launch.sbom.{ending}").read_bytes() == b"{}"
    assert form.media_type == media_type


def test_only_the_sboms_of_one_subject_are_removed(tmp_path: Path) -> None:
    for subject in ("venv", "venv-2", "launch"):
        write_sbom(tmp_path, subject, SbomFormat.SPDX, b"{}")
    (tmp_path / "venv.sbom.old.json").touch()
    (tmp_path / "venv.toml").touch()

    remove_sboms(tmp_path, "venv")

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "launch.sbom.spdx.json",
        "venv-2.sbom.spdx.json",
        "venv.toml",
    ]
