"""An empty virtual environment."""

import sys
from pathlib import Path

from cnb_python.install.virtual_environment import make_environment

INTERPRETER = Path("/layers/python/bin/python3.14")


def test_environment_is_a_virtual_environment_by_pep_405(tmp_path: Path) -> None:
    site_packages = make_environment(tmp_path / "venv", INTERPRETER, "3.14")

    assert site_packages == tmp_path / "venv/lib/python3.14/site-packages"
    assert site_packages.is_dir()
    assert (tmp_path / "venv/pyvenv.cfg").read_text() == (
        "home = /layers/python/bin\ninclude-system-site-packages = false\nversion = 3.14\n"
    )


def test_every_python_program_leads_to_interpreter(tmp_path: Path) -> None:
    interpreter = Path(sys.executable).resolve()
    make_environment(tmp_path / "venv", interpreter, "3.14")

    for name in ("python", "python3", "python3.14"):
        assert (tmp_path / "venv/bin" / name).resolve() == interpreter


def test_patch_release_does_not_change_environment(tmp_path: Path) -> None:
    def contents(directory: Path) -> list[tuple[str, str]]:
        return [
            (str(path.relative_to(directory)), path.read_text() if path.is_file() else "")
            for path in sorted(directory.rglob("*"))
        ]

    make_environment(tmp_path / "one", INTERPRETER, "3.14")
    make_environment(tmp_path / "two", INTERPRETER, "3.14")

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_environment_has_no_package_manager(tmp_path: Path) -> None:
    site_packages = make_environment(tmp_path / "venv", INTERPRETER, "3.14")

    assert list(site_packages.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "venv/bin").iterdir()) == [
        "python",
        "python3",
        "python3.14",
    ]
