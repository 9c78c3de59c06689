"""Builds syft and trivy from the Go modules pinned in `tools/go/`, and lists what they find.

Neither needs data about vulnerabilities to list packages, so no scan uses the network.
"""

import json
import re
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tools import cache
from tools.platforms import real_tools
from tools.processes import fail, run

TITLE = "Building {} {} (about 15 minutes the first time)"


class Scanner(NamedTuple):
    """A scanner, and how it is built."""

    name: str
    module: str
    """The Go module; its program is below `cmd`."""
    version_variable: str
    """The variable of the program that has its version."""
    experiment: str = ""
    """The experiment of Go that the module needs."""

    def program(self) -> Path:
        """Return the path of the program, built if necessary."""
        folder = real_tools.PINS / self.name
        pins = (folder / "go.mod").read_text(), (folder / "go.sum").read_text()
        match = re.search(rf"^require {re.escape(self.module)} v(\S+)$", pins[0], re.MULTILINE)
        if match is None:
            fail(f"tools/go/{self.name}/go.mod does not require {self.module}.")
        make = partial(self._build, match[1])
        key = cache.digest(*pins)
        return cache.entry(self.name, key, TITLE.format(self.name, match[1]), make) / self.name

    def _build(self, version: str, into: Path) -> None:
        # Since 1.21, Go downloads the toolchain that a go.mod requires.
        go = shutil.which("go") or real_tools.pinned_go()
        env = {"CGO_ENABLED": "0", "GOFLAGS": "-buildvcs=false", "GOWORK": "off"}
        env |= {"GOEXPERIMENT": self.experiment} if self.experiment else {}
        flags = ("-trimpath", "-ldflags", f"-s -w -X {self.version_variable}={version}")
        package = f"{self.module}/cmd/{self.name}"
        folder = real_tools.PINS / self.name
        run(go, "build", *flags, "-o", f"{into.resolve()}/", package, env=env, cwd=folder)


SYFT = Scanner("syft", "github.com/anchore/syft", "main.version")
TRIVY = Scanner(
    "trivy",
    "github.com/aquasecurity/trivy",
    "github.com/aquasecurity/trivy/pkg/version/app.ver",
    experiment="jsonv2",
)


def syft(arguments: tuple[str, ...], work: Path) -> list[str]:
    """Return the package URLs that syft lists, sorted, also those listed twice.

    *arguments*: `scan oci-dir:DIRECTORY`, or `convert FILE` for an SBOM. *work*: a directory for
    its files.
    """
    document = _json(SYFT, work, *arguments, "--output", "json", "--quiet")
    return sorted(_without_qualifiers(row["purl"]) for row in document["artifacts"] if row["purl"])


def trivy(arguments: tuple[str, ...], work: Path) -> list[str]:
    """Return the package URLs that trivy lists, sorted, also those listed twice.

    *arguments*: `image --input DIRECTORY`, or `sbom FILE`, and options. *work*: a directory for
    its files.
    """
    offline = ("--offline-scan", "--skip-version-check", "--quiet")
    document = _json(TRIVY, work, *arguments, "--format", "cyclonedx", *offline)
    purls = (row.get("purl", "") for row in document.get("components") or ())
    return sorted(_without_qualifiers(purl) for purl in purls if purl)


def python_packages(purls: list[str]) -> list[str]:
    """Return those of *purls* that are distributions of Python."""
    return [purl for purl in purls if purl.startswith("pkg:pypi/")]


def _without_qualifiers(purl: str) -> str:
    return purl.partition("?")[0]


def _json(scanner: Scanner, work: Path, *arguments: str) -> dict[str, Any]:
    text = run(scanner.program(), *arguments, env=dict(_environment(work)))
    document: dict[str, Any] = json.loads(text[text.index("{") :])
    return document


def _environment(work: Path) -> Iterator[tuple[str, str]]:
    yield from _VARIABLES.items()
    for name in ("HOME", "XDG_CACHE_HOME", "TRIVY_CACHE_DIR", "TMPDIR"):
        yield name, str(work)


_VARIABLES: Mapping[str, str] = {"SYFT_CHECK_FOR_APP_UPDATE": "false", "DO_NOT_TRACK": "1"}
