"""Makes the base images `cnb-python/build-base` and `cnb-python/run-base` in a Docker engine."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from tools import cache
from tools.platforms import rootfs
from tools.platforms.engine import Engine
from tools.platforms.rootfs import Base, Role
from tools.processes import Unavailable, fail, say

DOCKERFILE = rootfs.ROOT / "builder/Dockerfile"
PINS = "io.github.cnb-python.pins"
# The API of the Docker client in lifecycle 0.21.0, which does not negotiate an older one.
LIFECYCLE_API = (1, 52)
# Directories of certificates that an administrator adds, in Debian and Fedora.
AUTHORITIES = (
    Path("/usr/local/share/ca-certificates"),
    Path("/etc/pki/ca-trust/source/anchors"),
)


def image_name(role: Role, base_name: str = rootfs.DEFAULT) -> str:
    """Return the name of an image of a base."""
    return tagged(f"cnb-python/{role}-base", base_name)


def tagged(name: str, base_name: str) -> str:
    """Return *name* for the default base, else with the tag of the base."""
    return name if base_name == rootfs.DEFAULT else f"{name}:{base_name}"


def ensure(engine: Engine, role: Role, base_name: str = rootfs.DEFAULT) -> str:
    """Make an image of the base *base_name* if it is missing or out of date; return its name."""
    base = rootfs.base(role, base_name)
    name = image_name(role, base_name)
    pins = _pins(engine, base)
    if label(engine, name, PINS) == pins:
        return name
    old = image_id(engine, name)
    labels = {**base.labels, PINS: pins}
    if pulled(engine, base):
        _build(engine, base, name, labels)
    else:
        _import(engine, base, name, labels)
    remove(engine, old)
    return name


def label(engine: Engine, name: str, key: str) -> str:
    """Return the value of a label of an image; empty if it has no such label."""
    template = f'{{{{index .Config.Labels "{key}"}}}}'
    try:
        return engine.docker("image", "inspect", "--format", template, name).strip()
    except Unavailable:
        return ""


def image_id(engine: Engine, name: str) -> str:
    """Return the id of an image; empty if there is no such image."""
    return engine.docker("image", "ls", "--quiet", "--no-trunc", name).strip()


def remove(engine: Engine, old: str) -> None:
    """Remove an image that a newer one replaced, unless another image is based on it."""
    if old and old in engine.docker(
        "image", "ls", "--quiet", "--no-trunc", "--filter=dangling=true"
    ):
        try:
            engine.docker("image", "rm", old)
        except Unavailable as error:
            say(f"  the former image stays: {error}")


def _pins(engine: Engine, base: Base) -> str:
    recipes = (Path(__file__), Path(rootfs.__file__), DOCKERFILE)
    texts = (path.read_bytes() for path in recipes)
    return cache.digest(repr(base), _api(engine), rootfs.host_bundle(), *texts)


def _api(engine: Engine) -> str:
    """Return the `DOCKER_API_VERSION` that the lifecycle needs; empty if it needs none."""
    spoken = tuple(int(part) for part in engine.api.split("."))
    return engine.api if spoken < LIFECYCLE_API else ""


def _environment(engine: Engine, base: Base) -> dict[str, str]:
    api = {"DOCKER_API_VERSION": _api(engine)} if base.role == "build" and _api(engine) else {}
    return base.environment | api


def pulled(engine: Engine, base: Base) -> bool:
    """Pull the registry's image; return whether it is there now."""
    say(f"Pulling {base.registry_image}")
    try:
        engine.docker("pull", "--quiet", *_platform(base), base.registry_image)
    except Unavailable:
        say("  cannot be pulled: making the image from the distribution's packages")
        return False
    if "@" not in base.registry_image:
        say("  it is not pinned by a digest, so the next image may differ: `make data` pins it")
    return True


def _platform(base: Base) -> tuple[str, ...]:
    """Return the option for another architecture than this machine's."""
    return ("--platform", f"linux/{base.arch}") if base.arch else ()


def _build(engine: Engine, base: Base, name: str, labels: dict[str, str]) -> None:
    say(f"Building {name} on {base.registry_image} (about a minute)")
    arguments = {
        "IMAGE": base.registry_image,
        "PACKAGES": " ".join(base.packages),
        "USER_ID": str(base.user),
        "GROUP_ID": str(base.group),
        "DOCKER_API_VERSION": _api(engine),
    }
    with tempfile.TemporaryDirectory() as context:
        shutil.copyfile(DOCKERFILE, Path(context) / "Dockerfile")
        certificates = Path(context) / "certificates"
        certificates.mkdir()
        for certificate in (path for folder in AUTHORITIES for path in folder.glob("*.crt")):
            shutil.copyfile(certificate, certificates / certificate.name)
        engine.docker(
            *("build", "--quiet", *_platform(base), "--target", base.role, "--tag", name),
            *(f"--build-arg={key}={value}" for key, value in arguments.items()),
            *(f"--label={key}={value}" for key, value in labels.items()),
            context,
        )


def _import(engine: Engine, base: Base, name: str, labels: dict[str, str]) -> None:
    tree = rootfs.rootfs(base.role, base.name)
    say(f"Importing {name}")
    changes = [
        *(f"ENV {key}={value}" for key, value in _environment(engine, base).items()),
        *(f"LABEL {key}={value}" for key, value in labels.items()),
        f"USER {base.user}:{base.group}",
    ]
    options = [f"--change={change}" for change in changes]
    archive = ("tar", "-c", "--sort=name", "--numeric-owner", "-C", str(tree), ".")
    with subprocess.Popen(archive, stdout=subprocess.PIPE) as tar:
        ended = subprocess.run(
            ("docker", "import", *_platform(base), *options, "-", name),
            stdin=tar.stdout,
            env={**os.environ, **engine.env},
            check=False,
            capture_output=True,
            text=True,
        )
    if ended.returncode or tar.returncode:
        fail(f"`docker import` of {name} failed: {ended.stderr.strip()}")
