"""An environment that a manager filled, to be taken apart."""

from dataclasses import dataclass
from pathlib import Path

from cnb_python.environment import installed


@dataclass(frozen=True, slots=True)
class Stage:
    """An environment that a manager filled, to be taken apart."""

    root: Path
    """Where it is now."""
    final: Path
    """Where it was filled, and its files will be in the image."""
    line: str
    """The release line of its interpreter, as directories have it: `3.14`, `3.14t`."""

    @property
    def site(self) -> str:
        """The directory of its packages, below the environment."""
        return f"lib/python{self.line}/site-packages"

    @property
    def site_packages(self) -> Path:
        """The directory of its packages."""
        return self.root / self.site

    def metadata_files(self) -> dict[str, Path]:
        """Return the METADATA of each distribution, by its normalised name."""
        return installed.infos(self.site_packages)
