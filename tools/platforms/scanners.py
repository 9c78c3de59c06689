"""Builds the parts of syft and trivy that list packages, from Go modules pinned in `tools/go/`.

`tools/go/syft` and `tools/go/trivy` are programs that call the scanners' own packages, with their
defaults, and print what these list. The programs have no command lines, no data about
vulnerabilities, and not the parts that `Scanner.dropped` and `without/` name (downloads, scanners
for misconfiguration), so they are built in minutes instead of hours. No scan uses the network.
"""

import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from tools import cache
from tools.platforms import real_tools
from tools.processes import run

TITLE = "Building the parts of {} that list packages (about 5 minutes the first time)"
# These halve the time of the build. Go's own libraries stay optimized.
_QUICKLY = ("-trimpath", "-gcflags=github.com/...=-N -l -dwarf=false", "-ldflags=-s -w")


class Scanner(NamedTuple):
    """A scanner, and how it is built."""

    name: str
    module: str
    """The Go module whose packages the program in `tools/go/` *name* calls."""
    dropped: tuple[str, ...] = ()
    """Patterns of its files that are left out; those of `without/` are added."""
    experiment: str = ""
    """The experiment of Go that the module needs."""

    def program(self) -> Path:
        """Return the path of the program, built if necessary."""
        files = (path for path in sorted(self._folder.rglob("*")) if path.is_file())
        recipe = Path(__file__).read_bytes()
        key = cache.digest(recipe, *(path.read_bytes() for path in files))
        return cache.entry(self.name, key, TITLE.format(self.name), self._build) / self.name

    @property
    def _folder(self) -> Path:
        return real_tools.PINS / self.name

    def _build(self, into: Path) -> None:
        env = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
        env |= {"GOEXPERIMENT": self.experiment} if self.experiment else {}
        with tempfile.TemporaryDirectory() as work:
            folder = Path(work) / self.name
            shutil.copytree(self._folder, folder)
            self._add_source(folder)
            output = into.resolve() / self.name
            # Since 1.21, Go downloads the toolchain that a go.mod requires.
            go = shutil.which("go") or real_tools.pinned_go()
            run(go, "build", *_QUICKLY, "-o", output, ".", env=env, cwd=folder)

    def _add_source(self, folder: Path) -> None:
        """Copy the module's source into *folder* without the dropped files, and use the copy."""
        source = folder / "source"
        original = real_tools.source_of(self.name, self.module)
        # The files and directories of Go's cache of modules are read-only.
        run("cp", "-r", "--no-preserve=mode", original, source)
        for pattern in self.dropped:
            for path in source.glob(pattern):
                path.unlink()
        shutil.copytree(folder / "without", source, dirs_exist_ok=True)
        with (folder / "go.mod").open("a") as pins:
            pins.write(f"\nreplace {self.module} => ./source\n")


SYFT = Scanner("syft", "github.com/anchore/syft")
TRIVY = Scanner(
    "trivy",
    "github.com/aquasecurity/trivy",
    dropped=("pkg/misconf/*.go", "pkg/iac/detection/*.go", "pkg/downloader/*.go"),
    experiment="jsonv2",
)


def syft(arguments: Iterable[str], work: Path) -> list[str]:
    """Return the package URLs that syft lists, sorted, also those listed twice.

    *arguments*: `scan DIRECTORY` for an image layout, or `convert FILE` for an SBOM. *work*: a
    directory for its files.
    """
    return _listed(SYFT, arguments, work)


def trivy(arguments: Iterable[str], work: Path) -> list[str]:
    """Return the package URLs that trivy lists, sorted, also those listed twice.

    *arguments*: `image DIRECTORY` and the directories in it to skip, or `sbom FILE`. *work*: a
    directory for its files.
    """
    return _listed(TRIVY, arguments, work)


def python_packages(purls: list[str]) -> list[str]:
    """Return those of *purls* that are distributions of Python."""
    return [purl for purl in purls if purl.startswith("pkg:pypi/")]


def _listed(scanner: Scanner, arguments: Iterable[str], work: Path) -> list[str]:
    env = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "TMPDIR"), str(work))
    text = run(scanner.program(), *arguments, env=env)
    return sorted(_without_qualifiers(purl) for purl in text.splitlines())


def _without_qualifiers(purl: str) -> str:
    return purl.partition("?")[0]
