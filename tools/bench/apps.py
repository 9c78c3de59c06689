"""The apps that are built, and the edits of their authors between two builds."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.package import assemble
from tools.processes import fail

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample app, and what the cases change in it."""

    fixture: str
    web: str
    """The command of its web process, the same for every image."""
    source: str
    """The file in which a line changes."""
    bumped: tuple[str, str, str]
    """A package, and its version before and after the update."""


SAMPLES = {
    sample.fixture: sample
    for sample in (
        Sample(
            "pip_django",
            "gunicorn --bind 0.0.0.0:$PORT shop.wsgi:application",
            "catalog/books.py",
            ("whitenoise", "6.11.0", "6.12.0"),
        ),
        Sample(
            "pip_science",
            "uvicorn --host 0.0.0.0 --port $PORT main:app",
            "main.py",
            ("h11", "0.14.0", "0.16.0"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class App:
    """A copy of a fixture that may be edited."""

    sample: Sample
    folder: Path

    def edit_source(self, number: int) -> None:
        """Change one line of the app's code."""
        path = self.folder / self.sample.source
        code = path.read_text().partition("\n# Edit ")[0].rstrip("\n")
        path.write_text(f"{code}\n# Edit {number}\n")

    def pin(self, *, bumped: bool) -> None:
        """Pin the package to its version after the update if *bumped*, else to the one before."""
        name, before, after = self.sample.bumped
        version = after if bumped else before
        path = self.folder / REQUIREMENTS
        lines = path.read_text().splitlines()
        changed = [f"{name}=={version}" if _is_pin_of(line, name) else line for line in lines]
        if f"{name}=={version}" not in changed:
            fail(f"{path.name} of {self.sample.fixture} does not pin {name}.")
        path.write_text("".join(f"{line}\n" for line in changed))

    def loosen(self) -> None:
        """Turn one pin into a range, so that the package manager has to resolve."""
        name, before, _ = self.sample.bumped
        path = self.folder / REQUIREMENTS
        lines = path.read_text().splitlines()
        changed = [f"{name}<={before}" if _is_pin_of(line, name) else line for line in lines]
        path.write_text("".join(f"{line}\n" for line in changed))

    def ask_python(self, version: str) -> None:
        """Request a Python release."""
        (self.folder / ".python-version").write_text(f"{version}\n")


def _is_pin_of(line: str, name: str) -> bool:
    return line.partition("==")[0] == name


def copy(sample: Sample, folder: Path, python: str) -> App:
    """Copy a sample app to the new directory *folder*, with release *python* and the old pin."""
    shutil.copytree(assemble.ROOT / "fixtures" / sample.fixture, folder, symlinks=True)
    (folder / "Procfile").write_text(f"web: {sample.web}\n")
    app = App(sample, folder)
    app.ask_python(python)
    app.pin(bumped=False)
    return app
