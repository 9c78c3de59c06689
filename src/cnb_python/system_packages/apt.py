"""Runs apt as an ordinary user, with the sources, keys and settings of the build image.

Lists, caches and the status are its own. The status is empty, so apt plans a whole system: the
base system and the requested packages. Of that, the run image has the base system (`BASE`) and
nothing else; so a library that only the build image has is in the layer. https://manpages.debian.org/bookworm/apt/apt.conf.5.en.html
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import unquote

from cnb_python.cnb import disk
from cnb_python.errors.libraries import (
    AptFailed,
    SystemPackagesConflict,
    UnknownSystemPackage,
    UnknownSystemPackages,
    cause_of,
)
from cnb_python.system.certificates import trusting_the_system
from cnb_python.system.interface import Command, Outcome, System
from cnb_python.system.redaction import redact
from cnb_python.system.secret_values import secrets_of
from cnb_python.system_packages.request import Requested

# The base system as in the smallest official images (mmdebstrap's and debootstrap's `minbase`),
# and ca-certificates, which needs OpenSSL. `provision/libraries.py` has the libraries of that.
BASE = ("?essential", "apt", "ca-certificates")
# The dynamic linker of the run image loads the C library that it belongs to, and no other.
NEVER = "libc6"
_CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear APT::Architectures;
#clear Acquire::Languages;
APT::Architectures {{ "{arch}"; }};
APT::Sandbox::User "root";
APT::Install-Recommends "false";
APT::Get::Assume-Yes "true";
APT::Get::AllowUnauthenticated "false";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowDowngradeToInsecureRepositories "false";
Acquire::ForceHash "SHA256";
Acquire::Languages {{ "none"; }};
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Acquire::Retries "3";
Dir::State "{directory}";
Dir::State::lists "{directory}/lists";
Dir::State::status "{directory}/status";
Dir::State::extended_states "{directory}/extended_states";
Dir::Cache "{directory}/cache";
Dir::Log "{directory}/log";
"""
_URI = re.compile(r"'[^']+' (\S+)_(\S+)_(\w+)\.deb (\d+) SHA256:([0-9a-f]{64})")
_PROVIDES = re.compile(r"(?m)^Reverse Provides: *\n((?:.+\n?)*)")
_PASSED = re.compile(r"(?i)(https?|ftp|all|no)_proxy|APT_CONFIG|SSL_CERT_FILE|HOME|PATH|TMPDIR")
_NEAREST = 3
_DEBS = "debs"
_LINE = re.compile(r"([a-z0-9][a-z0-9+.-]*)=(\S+) (\w+) ([0-9a-f]{64})", re.ASCII)
_NOT_FETCHED = re.compile(r"(?m)^[WE]: .*(?:Failed to fetch|ignored)")
_FAILED = re.compile(r"(?m)^(?:E|W|Err): ?.*$")


class PlannedPackage(NamedTuple):
    """A package that apt would install."""

    name: str
    version: str
    arch: str
    sha256: str
    """Of its file, from the signed index."""

    def __str__(self) -> str:
        return f"{self.name}={self.version} {self.arch} {self.sha256}"

    @classmethod
    def parsed(cls, line: str) -> Self | None:
        """Return the package that `str` turned into *line*; None if it is another line."""
        match = _LINE.fullmatch(line)
        return cls(*match.groups()) if match else None


@dataclass(frozen=True, slots=True)
class Apt:
    """apt, with everything that it writes below one directory."""

    directory: Path
    environ: Mapping[str, str]
    system: System

    def update(self, arch: str) -> None:
        """Fetch the signed indexes. Raises AptFailed."""
        for name in ("lists/partial", "cache/archives/partial", "log", _DEBS):
            (self.directory / name).mkdir(parents=True, exist_ok=True)
        disk.write(self.directory / "status", b"")
        text = _CONFIGURATION.format(arch=arch, directory=self.directory)
        if bundle := self._variables().get("SSL_CERT_FILE"):
            text += f'Acquire::https::CAInfo "{bundle}";\n'
        disk.write(self._configuration, text.encode())
        outcome = self._run("apt-get", "-q", "update", shown="apt-get update")
        # Older releases only warn of an index that cannot be fetched.
        if outcome.code or _NOT_FETCHED.search(outcome.output):
            raise self._failure("update", outcome)

    def plan(self, requested: Sequence[Requested]) -> tuple[PlannedPackage, ...]:
        """Return the *requested* packages and what they need besides the base system.

        Raises UnknownSystemPackages, SystemPackagesConflict and AptFailed.
        """
        self._check_names(requested)
        base = self._planned(())
        names = frozenset(each.name for each in base)
        named = {each.name for each in requested} - {NEVER}
        packages = [
            each
            for each in self._planned(requested)
            if each.name not in names or each.name in named
        ]
        return tuple(sorted(packages))

    def download(self, packages: Iterable[PlannedPackage]) -> None:
        """Fetch *packages* into `downloads`. Raises AptFailed."""
        names = [f"{each.name}={each.version}" for each in packages]
        outcome = self._run("apt-get", "-q", "download", *names, cwd=self.downloads)
        if outcome.code:
            raise self._failure("download", outcome)

    @property
    def downloads(self) -> Path:
        """The directory of the files that were fetched."""
        return self.directory / _DEBS

    @property
    def _configuration(self) -> Path:
        return self.directory / "apt.conf"

    def _planned(self, requested: Sequence[Requested]) -> list[PlannedPackage]:
        arguments = (*BASE, *map(str, requested))
        outcome = self._run("apt-get", "-qq", "--print-uris", "install", *arguments)
        if outcome.code:
            if requested and "unmet dependencies" in outcome.output:
                raise SystemPackagesConflict(
                    tuple(map(str, requested)), self._lines(outcome.output)
                )
            raise self._failure("install", outcome)
        return [
            PlannedPackage(match[1], unquote(match[2]), match[3], match[5])
            for match in _URI.finditer(outcome.output)
        ]

    def _check_names(self, requested: Sequence[Requested]) -> None:
        output = self._run("apt-cache", "madison", *(each.name for each in requested)).output
        versions: dict[str, list[str]] = {}
        for line in output.splitlines():
            match [part.strip() for part in line.split("|")]:
                case [name, version, _]:
                    versions.setdefault(name, []).append(version)
                case _:
                    continue
        unknown = [
            each
            for entry in requested
            if (each := self._checked(entry, versions.get(entry.name, ()))) is not None
        ]
        if unknown:
            raise UnknownSystemPackages(tuple(unknown))

    def _checked(
        self, requested: Requested, versions: Sequence[str]
    ) -> UnknownSystemPackage | None:
        """Return what is wrong with *requested*, of which the sources offer *versions*."""
        if requested.version in {"", *versions} and versions:
            return None
        if versions:
            offered = dict.fromkeys(f"{requested.name}={version}" for version in versions)
            return UnknownSystemPackage(str(requested), tuple(offered)[:_NEAREST], ())
        output = self._run("apt-cache", "showpkg", requested.name).output
        match = _PROVIDES.search(output)
        providers = {line.split(" ")[0] for line in match[1].splitlines()} if match else set()
        if len(providers) == 1:
            return None  # apt takes it
        nearest = () if providers else self._nearest(requested.name)
        return UnknownSystemPackage(str(requested), nearest, tuple(sorted(providers)))

    def _nearest(self, name: str) -> tuple[str, ...]:
        from difflib import get_close_matches  # noqa: PLC0415 - for misspelt names

        similar = self._run("apt-cache", "pkgnames", name[:3]).output.split()
        return tuple(get_close_matches(name, sorted(similar), n=_NEAREST, cutoff=0.7))

    def _run(
        self,
        *argv: str,
        cwd: Path | None = None,
        shown: str = "",
    ) -> Outcome:
        program, *arguments = argv
        command = Command(
            (program, "-c", str(self._configuration), *arguments),
            self._variables(),
            cwd or self.directory,
            shown,
        )
        return self.system.run(command)

    def _variables(self) -> dict[str, str]:
        inherited = {name: text for name, text in self.environ.items() if _PASSED.fullmatch(name)}
        # apt reads these in lower case only.
        lower = {name.lower(): text for name, text in inherited.items() if "proxy" in name.lower()}
        trusted = trusting_the_system(self.environ)
        return {
            **lower,
            **trusted,
            **inherited,
            "LC_ALL": "C",
            "DEBIAN_FRONTEND": "noninteractive",
        }

    def _failure(self, action: str, outcome: Outcome) -> AptFailed:
        lines = self._lines(outcome.output)
        return AptFailed(action, cause_of(outcome.output), lines)

    def _lines(self, output: str) -> tuple[str, ...]:
        text = redact(output, secrets=secrets_of(self.environ))
        lines = tuple(dict.fromkeys(_FAILED.findall(text)))
        return lines or tuple(text.strip().splitlines()[-_NEAREST:])
