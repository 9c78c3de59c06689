"""Makes the root file systems of the build and run images from packages of Debian and Ubuntu."""

import os
import re
import shutil
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tools import cache
from tools.platforms import debian_packages, emulation, keyrings
from tools.platforms.keyrings import Archive
from tools.processes import fail, need_root, run

ROOT = Path(__file__).parents[2]
BASE = ROOT / "builder/base.toml"
BASES = ROOT / "builder/bases.toml"
# The base of `builder/base.toml`.
DEFAULT = "debian-12"
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
    """One image of `builder/base.toml` or `builder/bases.toml`."""

    name: str
    """`debian-12`, `ubuntu-24.04`."""
    role: Role
    suite: str
    registry_image: str
    """With its digest, if that is pinned: `debian:bookworm-slim@sha256:...`."""
    distro: tuple[str, str]
    """Name and version, for the labels `io.buildpacks.base.distro.*`."""
    user: int
    group: int
    packages: tuple[str, ...]
    arch: str = ""
    """The architecture if it is not this machine's: `arm64`."""
    archive: Archive | None = None
    """Where its packages are; None: in mmdebstrap's own archive, Debian's."""

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


def names() -> tuple[str, ...]:
    """Return the names of all bases, the default one first."""
    return (DEFAULT, *tomllib.loads(BASES.read_text())["base"])


def base(role: Role, name: str = DEFAULT) -> Base:
    """Return one of the two images of the base *name*; raises `Unavailable` if there is none."""
    facts = _facts(name)
    archive = facts.get("archive")
    return Base(
        name=name,
        role=role,
        suite=facts["suite"],
        registry_image="@".join(filter(None, (facts["registry-image"], facts["digest"]))),
        distro=(facts["distro-name"], facts["distro-version"]),
        user=facts[role]["user"],
        group=facts["group"],
        packages=tuple(facts[role]["packages"]),
        arch=facts.get("arch", ""),
        archive=Archive(**archive) if archive else None,
    )


def _facts(name: str) -> Mapping[str, Any]:
    """Return the values of a base: its own ones, else those of the default one."""
    default = tomllib.loads(BASE.read_text())
    if name == DEFAULT:
        return default
    further = tomllib.loads(BASES.read_text())
    if name not in further["base"]:
        fail(f"There is no base {name}: builder/bases.toml has {', '.join(further['base'])}.")
    own = further["base"][name]
    roles = {role: default[role] | own.get(role, {}) for role in ("build", "run")}
    archive = further["archive"].get(own.get("distro-name"))
    # A digest belongs to the image of the default base alone.
    return {**default, "digest": "", "archive": archive, **own, **roles}


def base_tag() -> str:
    """Return the registry's image without its digest: `debian:bookworm-slim`."""
    tag: str = tomllib.loads(BASE.read_text())["registry-image"]
    return tag


def rootfs(role: Role, name: str = DEFAULT) -> Path:
    """Return the directory of the root file system, made the first time and read-only."""
    base_image = base(role, name)
    pins = cache.digest(repr(base_image), Path(__file__).read_bytes(), _authorities(role))
    shown = " ".join(filter(None, (*base_image.distro, base_image.arch)))
    title = f"Making the {role} root file system from packages of {shown} (a minute)"
    entry = f"rootfs-{role}" if name == DEFAULT else f"rootfs-{role}-{name}"
    return cache.entry(entry, pins, title, lambda into: _make(base_image, into))


def host_bundle() -> str:
    """Return the certificates that this machine trusts, as PEM text; may be empty."""
    bundle = Path("/") / BUNDLE
    return bundle.read_text() if bundle.exists() else ""


def _make(base_image: Base, into: Path) -> None:
    need_root("Making a root file system with mmdebstrap")
    mmdebstrap = debian_packages.program("mmdebstrap", "mmdebstrap", "debian-archive-keyring")
    options = [f"--dpkgopt={rule}" for rule in LEFT_OUT]
    archive = base_image.archive
    if MERGED_USR.exists() and archive:
        # The other hook of the directory installs a package that Ubuntu's archive lacks.
        options.append(f"--setup-hook={MERGED_USR / 'setup00.sh'}")
    elif MERGED_USR.exists():
        options.append(f"--hook-dir={MERGED_USR}")
    if archive:
        options.append(f"--keyring={keyrings.keyring(base_image.distro[0], archive)}")
    # A mirror of a company, in place of the usual one.
    own_mirror = os.environ.get(f"CNB_PYTHON_{base_image.distro[0].upper()}_MIRROR")
    mirror = own_mirror or (archive.mirror if archive else None)
    command: tuple[str | Path, ...] = (
        *(mmdebstrap, "--quiet", "--variant=minbase", "--format=directory"),
        *([f"--architectures={base_image.arch}"] if base_image.arch else []),
        f"--include={','.join(base_image.packages)}",
        *options,
        *(base_image.suite, str(into), *([mirror] if mirror else [])),
    )
    with emulation.of(base_image.arch):
        run(*command)
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
