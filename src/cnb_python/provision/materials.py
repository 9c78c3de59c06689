"""The materials of an image: what its build downloaded or depended on, with digests.

Each is a ResourceDescriptor of in-toto, as JSON in one line. They are in the metadata of the
buildpack in the image (`store.toml`), so that they change no layer. Separate from `provide` and
`finish`, which both record them.
https://github.com/in-toto/attestation/blob/main/spec/v1/resource_descriptor.md
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from cnb_python.cnb import toml
from cnb_python.config.kinds import displayed
from cnb_python.config.settings import DEFAULTS
from cnb_python.install import process_env
from cnb_python.managers import tool
from cnb_python.managers.tool import Program
from cnb_python.provision.request import ProvisionRequest, StepResults
from cnb_python.sbom import debian, purl
from cnb_python.system.redaction import redact, shown

if TYPE_CHECKING:
    # An unchanged build has no distributions as values.
    from cnb_python.distributions.model import Distribution, Material

BUILDPACK, INTERPRETER, INSTALLER = "buildpack", "interpreter", "installer"
SETTINGS, SYSTEM_PACKAGE = "settings", "system package"
PACKAGE, BUILD_REQUIREMENT, MANAGER = "package", "build requirement", "package manager"
DATA, HOOK, COMMAND = "data", "hook", "build command"
# Of each build; the others are recorded when they are downloaded.
_OF_EACH_BUILD = (
    *(BUILDPACK, INTERPRETER, INSTALLER, SETTINGS, SYSTEM_PACKAGE),
    *(DATA, HOOK, COMMAND),
)
# A value of annotations.
_NOT_LISTED = "not listed"
# How files are reached, and how long that may take, is in no image.
_WITHOUT_EFFECT = {"origins", "mirror", "idle_timeout", "timeout"}

type _Annotations = Mapping[str, str]


def complete(
    request: ProvisionRequest, downloaded: Iterable[str], results: StepResults
) -> tuple[str, ...]:
    """Return all materials of an image.

    *downloaded*: those that were recorded earlier; *results*: those of the app steps.
    """
    marks = tuple(_mark(kind) for kind in _OF_EACH_BUILD)
    kept = (row for row in downloaded if not any(mark in row for mark in marks))
    return tuple(dict.fromkeys((*_of_each_build(request), *kept, *_of_steps(request, results))))


def of_packages(distributions: Iterable[Distribution]) -> tuple[str, ...]:
    """Return the materials of *distributions*: their files and commits, and what built them."""
    packages: list[str] = []
    needed: set[str] = set()
    for each in distributions:
        own = [material for material in each.materials if not material.builds]
        packages += [_of_package(each, material) for material in own]
        if not own and each.is_cacheable:
            # A release of this buildpack that recorded none installed it.
            packages.append(
                _descriptor(purl.pypi(each.name, each.version), each.name, "", _about(each))
            )
        needed |= {_of_need(material) for material in each.materials if material.builds}
    return (*packages, *sorted(needed))


def of_program(key: str) -> str:
    """Return the material of a package manager's program, which the store has by *key*.

    The digest is that of the list of its files, with a hash for each if the release is pinned.
    """
    _, name, _, digest = key.split(" ")
    pinned = Program(name)
    version = pinned.version if pinned.digest == digest else ""
    annotations = {"kind": MANAGER} | ({"version": version} if version else {})
    return _descriptor(purl.pypi(name, version), name, f"sha256:{digest}", annotations)


def _of_each_build(request: ProvisionRequest) -> Iterator[str]:
    buildpack, release = request.context.buildpack, request.release
    urn = f"urn:cnb:registry:{buildpack.id}@{buildpack.version}"
    about = {"kind": BUILDPACK, "version": buildpack.version}
    yield _descriptor(urn, buildpack.id, "", about)
    about = {"kind": INTERPRETER, "version": release.version, "flavor": release.flavour}
    # With a mirror the address is left out: equal files are equal materials.
    address = "" if request.settings.mirror else shown(release.url)
    uri = purl.generic("python-build-standalone", release.version, {"arch": release.arch})
    yield _descriptor(uri, "python", f"sha256:{release.sha256}", about, address)
    yield from _installers(request.context.target.arch)
    yield from _system_packages(request)
    yield _settings(request)


def _of_steps(request: ProvisionRequest, results: StepResults) -> Iterator[str]:
    """Yield the data that NLTK downloaded, and the steps whose downloads are not known."""
    rows = [(row, {"kind": DATA}) for row in results.downloads]
    rows += [(row, {"kind": HOOK, "downloads": _NOT_LISTED}) for row in results.hooks]
    for row, about in rows:
        digest, _, name = row.partition(" ")
        yield _descriptor("", name, f"sha256:{digest}", about)
    for command in request.settings.commands:
        secrets = process_env.secrets(request.context.environ, request.app.directory)
        digest = hashlib.sha256(redact(command.run, secrets).encode()).hexdigest()
        about = {"kind": COMMAND, "downloads": _NOT_LISTED}
        yield _descriptor("", command.name, f"sha256:{digest}", about)


def _installers(arch: str) -> Iterator[str]:
    """Yield the tools that the buildpack contains, by the digests of their wheels."""
    pins = toml.read(tool.PINS)
    for name in ("pip", "uv"):
        pin = toml.table_at(pins, name)
        version, sha256 = pin.get("version"), pin.get("sha256")
        digest = sha256.get(arch, "") if isinstance(sha256, dict) else sha256
        about = {"kind": INSTALLER, "version": str(version)}
        uri = purl.pypi(name, str(version))
        yield _descriptor(uri, name, f"sha256:{digest}" if digest else "", about)


def _system_packages(request: ProvisionRequest) -> Iterator[str]:
    system = request.system_packages
    for each in debian.components(system.packages, system.distribution):
        about = {"kind": SYSTEM_PACKAGE, "version": each.version}
        yield _descriptor(each.purl, each.name, f"sha256:{each.sha256}", about)


def _settings(request: ProvisionRequest) -> str:
    """Return the settings that differ from their defaults: the names of those with secrets."""
    defaults = DEFAULTS._asdict()
    given = {
        name: displayed(value)
        for name, value in request.settings._asdict().items()
        if name not in _WITHOUT_EFFECT and value != defaults[name]
    }
    if given:
        # A start command may hold a password. Finding secrets reads files of the app.
        secrets = process_env.secrets(request.context.environ, request.app.directory)
        given = {name: redact(text, secrets) for name, text in given.items()}
    given["execution-environment"] = request.context.exec_env
    digest = hashlib.sha256(_json(given).encode()).hexdigest()
    return _descriptor("", SETTINGS, f"sha256:{digest}", {"kind": SETTINGS, **given})


def _about(distribution: Distribution) -> dict[str, str]:
    about = {"kind": PACKAGE, "package": distribution.name, "version": distribution.version}
    if distribution.from_source:
        about["built"] = "true"
        if not any(material.builds for material in distribution.materials):
            # pip does not show what it downloads for a build.
            about["build requirements"] = _NOT_LISTED
    return about


def _of_package(distribution: Distribution, material: Material) -> str:
    is_commit = not material.digest.startswith("sha256:")
    uri = material.address if is_commit else purl.pypi(distribution.name, distribution.version)
    address = "" if is_commit else material.address
    return _descriptor(uri, material.name, material.digest, _about(distribution), address)


def _of_need(material: Material) -> str:
    about = {"kind": BUILD_REQUIREMENT}
    return _descriptor("", material.name, material.digest, about, material.address)


def _descriptor(
    uri: str, name: str, digest: str, annotations: _Annotations, address: str = ""
) -> str:
    algorithm, _, value = digest.partition(":")
    return _json(
        {
            "name": name,
            **({"uri": uri} if uri else {}),
            **({"digest": {algorithm: value}} if value else {}),
            **({"downloadLocation": address} if address else {}),
            "annotations": annotations,
        }
    )


def _mark(kind: str) -> str:
    return f'"kind":{json.dumps(kind)}'


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
