"""Makes the root file systems of the build and run images from Debian's packages."""

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
# Licences are kept, since the images are published. C.UTF-8 is in /usr/lib/locale.
LEFT_OUT = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/lintian/*",
    "path-exclude=/usr/share/locale/*",
    "path-exclude=/usr/share/man/*",
)
# Files of the installation that are not needed afterwards; some contain the machine or the day.
TRACES = (
    "etc/hostname",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/*",
    "var/lib/apt/lists/*_*",
    "var/lib/dpkg/*-old",
    "var/log/*.log",
    "var/log/apt/*",
)

# Merges /usr before the first package; the package usrmerge would bring 50 MB of Perl.
MERGED_USR = Path("/usr/share/mmdebstrap/hooks/merged-usr")

type Role = Literal["build", "run"]


@dataclass(frozen=True, slots=True)
class Base:
    """One image of `builder/base.toml`."""

    role: Role
    suite: str
    registry_image: str
    """With its digest, if that is pinned: `debian:bookworm-slim@sha256:...`."""
    distro: tuple[str, str]
    """Name and version, for the labels `io.buildpacks.base.distro.*`."""
    user: int
    group: int
    packages: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        """The labels that the lifecycle and pack read."""
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
        """The image's variables. The spec requires a PATH, which an imported image lacks."""
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        if self.role == "run":
            return {"PATH": path}
        return {"PATH": path, "CNB_USER_ID": str(self.user), "CNB_GROUP_ID": str(self.group)}


def base(role: Role) -> Base:
    """Return one of the two images of `builder/base.toml`."""
    facts = tomllib.loads(BASE.read_text())
    return Base(
        role=role,
        suite=facts["suite"],
        registry_image="@".join(filter(None, (facts["registry-image"], facts["digest"]))),
        distro=(facts["distro-name"], facts["distro-version"]),
        user=facts[role]["user"],
        group=facts["group"],
        packages=tuple(facts[role]["packages"]),
    )


def base_tag() -> str:
    """Return the registry's image without its digest: `debian:bookworm-slim`."""
    tag: str = tomllib.loads(BASE.read_text())["registry-image"]
    return tag


def rootfs(role: Role) -> Path:
    """Return the directory of the root file system, made the first time and read-only."""
    base_image = base(role)
    pins = cache.digest(repr(base_image), Path(__file__).read_bytes(), _authorities(role))
    title = f"Making the {role} root file system from Debian's packages (about 30 seconds)"
    return cache.entry(f"rootfs-{role}", pins, title, lambda into: _make(base_image, into))


def host_bundle() -> str:
    """Return the certificates that this machine trusts, as PEM text; may be empty."""
    bundle = Path("/") / BUNDLE
    return bundle.read_text() if bundle.exists() else ""


def _make(base_image: Base, into: Path) -> None:
    need_root("Making a root file system with mmdebstrap")
    mmdebstrap = debian_packages.program("mmdebstrap", "mmdebstrap", "debian-archive-keyring")
    options = [f"--dpkgopt={rule}" for rule in LEFT_OUT]
    if MERGED_USR.exists():
        options.append(f"--hook-dir={MERGED_USR}")
    # A mirror of a company, in place of mmdebstrap's default.
    mirror = os.environ.get("CNB_PYTHON_DEBIAN_MIRROR")
    run(
        mmdebstrap,
        "--quiet",
        "--variant=minbase",
        "--format=directory",
        f"--include={','.join(base_image.packages)}",
        *options,
        base_image.suite,
        into,
        *([mirror] if mirror else []),
    )
    _remove_traces(into)
    bundle = into / BUNDLE
    bundle.write_text(trusted(bundle.read_text(), _authorities(base_image.role)))
    _add_user(into, base_image)
    into.chmod(0o755)


def _remove_traces(tree: Path) -> None:
    for pattern in TRACES:
        for path in tree.glob(pattern):
            if path.is_file():
                path.unlink()
    # Device nodes: an engine, and `sandbox`, mount their own /dev.
    shutil.rmtree(tree / "dev")
    (tree / "dev").mkdir(mode=0o755)


def _authorities(role: Role) -> str:
    """Return the certificates of this machine that an image trusts too, as PEM text.

    Without them, downloads in the build image fail behind a proxy that re-signs TLS. The run image
    has none of them: the apps on it would trust what this machine trusts.
    """
    return host_bundle() if role == "build" else ""


def trusted(bundle: str, more: str) -> str:
    """Return the PEM text *bundle* with those certificates of *more* that it lacks."""
    missing = [each for each in CERTIFICATE.findall(more) if each not in bundle]
    return bundle + "".join(missing)


def _add_user(tree: Path, base_image: Base) -> None:
    home = tree / "home/cnb"
    _append(tree / "etc/group", f"cnb:x:{base_image.group}:")
    _append(
        tree / "etc/passwd", f"cnb:x:{base_image.user}:{base_image.group}::/home/cnb:/bin/bash"
    )
    _append(tree / "etc/shadow", "cnb:!:1::::::")
    home.mkdir(mode=0o755)
    os.chown(home, base_image.user, base_image.group)


def _append(path: Path, line: str) -> None:
    with path.open("a") as file:
        file.write(f"{line}\n")
