"""Makes the root file systems of the build and the run image from Debian's packages."""

import os
import re
import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tools import cache
from tools.platforms import debian_packages
from tools.processes import need_root, run

ROOT = Path(__file__).parents[2]
BASE = ROOT / "builder/base.toml"
BUNDLE = Path("etc/ssl/certs/ca-certificates.crt")
CERTIFICATE = re.compile(
    r"^-----BEGIN CERTIFICATE-----\n.*?^-----END CERTIFICATE-----\n", re.MULTILINE | re.DOTALL
)
# Licences stay: the images are given away. C.UTF-8 lives elsewhere (/usr/lib/locale).
LEFT_OUT = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
)
# Written while installing, read by nobody afterwards; some name the machine or the day.
TRACES = (
    "etc/hostname",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/*",
    "var/lib/apt/lists/*_*",
    "var/lib/dpkg/*-old",
    "var/log/*.log",
    "var/log/apt/*",
)

# Merges /usr before the first package; otherwise the package usrmerge does, with 50 MB of Perl.
MERGED_USR = Path("/usr/share/mmdebstrap/hooks/merged-usr")

type Role = Literal["build", "run"]


@dataclass(frozen=True, slots=True)
class Base:
    """One image of `builder/base.toml`."""

    role: Role
    suite: str
    registry_image: str
    distro: tuple[str, str]
    """Name and version, as the labels `io.buildpacks.base.distro.*` give them."""
    user: int
    group: int
    packages: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        """What the lifecycle and pack read off the image."""
        name, version = self.distro
        labels = {
            "io.buildpacks.base.id": f"io.github.cnb-python.{self.role}.{self.suite}",
            "io.buildpacks.base.distro.name": name,
            "io.buildpacks.base.distro.version": version,
        }
        if self.role == "run":
            labels["io.buildpacks.rebasable"] = "true"
        return labels

    @property
    def environment(self) -> dict[str, str]:
        """The image's `ENV`: an imported image has none, and the spec asks for a PATH."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        if self.role == "run":
            return {"PATH": path}
        return {"PATH": path, "CNB_USER_ID": str(self.user), "CNB_GROUP_ID": str(self.group)}


def base(role: Role) -> Base:
    """What `builder/base.toml` says about one of the two images."""
    facts = tomllib.loads(BASE.read_text())
    return Base(
        role=role,
        suite=facts["suite"],
        registry_image=facts["registry-image"],
        distro=(facts["distro-name"], facts["distro-version"]),
        user=facts[role]["user"],
        group=facts["group"],
        packages=tuple(facts[role]["packages"]),
    )


def rootfs(role: Role) -> Path:
    """The directory of the root file system, made the first time; treat it as read-only."""
    wanted = base(role)
    pins = cache.digest(repr(wanted), Path(__file__).read_bytes(), host_bundle())
    title = f"Making the {role} root file system from Debian's packages (about 30 seconds)"
    return cache.entry(f"rootfs-{role}", pins, title, lambda into: _make(wanted, into))


def host_bundle() -> str:
    """The certificates that this machine trusts, as PEM text; empty if it keeps none there."""
    bundle = Path("/") / BUNDLE
    return bundle.read_text() if bundle.exists() else ""


def _make(wanted: Base, into: Path) -> None:
    need_root("Making a root file system with mmdebstrap")
    mmdebstrap = debian_packages.program("mmdebstrap", "mmdebstrap", "debian-archive-keyring")
    options = [f"--dpkgopt={rule}" for rule in LEFT_OUT]
    if MERGED_USR.exists():
        options.append(f"--hook-dir={MERGED_USR}")
    # A company's own mirror; without it mmdebstrap's default.
    mirror = os.environ.get("CNB_PYTHON_DEBIAN_MIRROR")
    run(
        mmdebstrap,
        "--quiet",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(wanted.packages)}",
        *options,
        wanted.suite,
        into,
        *([mirror] if mirror else []),
    )
    _remove_traces(into)
    _trust_what_the_host_trusts(into)
    _add_user(into, wanted)
    into.chmod(0o755)


def _remove_traces(tree: Path) -> None:
    for pattern in TRACES:
        for path in tree.glob(pattern):
            if path.is_file():
                path.unlink()
    # Device nodes: an engine and our own harness mount a /dev of their own.
    shutil.rmtree(tree / "dev")
    (tree / "dev").mkdir(mode=0o755)


def _trust_what_the_host_trusts(tree: Path) -> None:
    """Add the certificates this machine has beyond Debian's.

    Where a proxy re-signs TLS (a company's, a sandbox's), nothing could be downloaded inside the
    images otherwise. Nothing is added elsewhere.
    """
    bundle = tree / BUNDLE
    text = bundle.read_text()
    missing = [found for found in CERTIFICATE.findall(host_bundle()) if found not in text]
    bundle.write_text(text + "".join(missing))


def _add_user(tree: Path, wanted: Base) -> None:
    home = tree / "home/cnb"
    _append(tree / "etc/group", f"cnb:x:{wanted.group}:")
    _append(tree / "etc/passwd", f"cnb:x:{wanted.user}:{wanted.group}::/home/cnb:/bin/bash")
    _append(tree / "etc/shadow", "cnb:!:1::::::")
    home.mkdir(mode=0o755)
    os.chown(home, wanted.user, wanted.group)


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
