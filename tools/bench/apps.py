"""The apps that are built, and the edits of their authors between two builds."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from tools.package import assemble
from tools.processes import fail

REQUIREMENTS = "requirements.txt"


@dataclass(frozen=True, slots=True)
class Bump:
    """A pinned package, and its version before and after an update."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample app, and what the cases change in it."""

    fixture: str
    web: str
    """The command of its web process, the same for every image."""
    view: str
    """A module that only the running app reads."""
    read: str
    """A module that collectstatic reads; empty: the app has no static files."""
    bump: Bump
    """Collectstatic imports this package, if the app has static files."""
    untouched: Bump | None
    """Collectstatic reads nothing of this package; None: the app has no static files."""

    @property
    def bumps(self) -> tuple[Bump, ...]:
        """Every update of the cases."""
        return (self.bump, self.untouched) if self.untouched else (self.bump,)


SAMPLES = {
    sample.fixture: sample
    for sample in (
        Sample(
            "pip_django",
            "gunicorn --bind 0.0.0.0:$PORT shop.wsgi:application",
            view="catalog/views.py",
            read="shop/settings.py",
            bump=Bump("whitenoise", "6.11.0", "6.12.0"),
            untouched=Bump("gunicorn", "27.0.0", "27.0.1"),
        ),
        Sample(
            "pip_science",
            "uvicorn --host 0.0.0.0 --port $PORT main:app",
            view="main.py",
            read="",
            bump=Bump("h11", "0.14.0", "0.16.0"),
            untouched=None,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class App:
    """A copy of a fixture that may be edited."""

    sample: Sample
    folder: Path

    def edit(self, module: str, number: int) -> None:
        """Change one line of a module of the app, a comment at its end."""
        path = self.folder / module
        code = path.read_text().partition("\n# Edit ")[0].rstrip("\n")
        path.write_text(f"{code}\n# Edit {number}\n")

    def pin(self, bump: Bump, *, bumped: bool) -> None:
        """Pin the package of *bump* to its version after the update if *bumped*, else before."""
        name, version = bump.name, bump.after if bumped else bump.before
        path = self.folder / REQUIREMENTS
        lines = path.read_text().splitlines()
        changed = [f"{name}=={version}" if _is_pin_of(line, name) else line for line in lines]
        if f"{name}=={version}" not in changed:
            fail(f"{path.name} of {self.sample.fixture} does not pin {name}.")
        path.write_text("".join(f"{line}\n" for line in changed))

    def loosen(self) -> None:
        """Turn one pin into a range, so that the package manager has to resolve."""
        name, before = self.sample.bump.name, self.sample.bump.before
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
    """Copy a sample app to the new directory *folder*, with release *python* and the old pins."""
    shutil.copytree(assemble.ROOT / "fixtures" / sample.fixture, folder, symlinks=True)
    (folder / "Procfile").write_text(f"web: {sample.web}\n")
    app = App(sample, folder)
    app.ask_python(python)
    for bump in sample.bumps:
        app.pin(bump, bumped=False)
    return app
