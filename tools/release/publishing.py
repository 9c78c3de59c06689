"""What a registry, cosign and the buildpack registry need of a release, as values.

Nothing here has keys or a network: the releaser runs the commands that `commands` returns.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from tools.package.index import Index
from tools.platforms.oci_archive import Descriptor

REPOSITORY = "docker.io/cnbpython/python"
_HOSTS = {"docker.io": "index.docker.io"}
# `--yes`: cosign asks no question for each image.
_KEY = '--yes ${COSIGN_KEY:+--key "$COSIGN_KEY"}'


class Packed(NamedTuple):
    """One package of a release."""

    file: str
    """`cnb-python-linux-amd64.cnb`"""
    tag: str
    """That of all architectures together: `0.2.0`, `0.2.0-offline-api-0.12`."""
    image: Descriptor


def tag_of(version: str, api: str, declared: str, *, offline: bool) -> str:
    """Return the tag of a package: what differs from the usual one is in its name.

    >>> tag_of("0.2.0", "0.12", "0.10", offline=True)
    '0.2.0-offline-api-0.12'
    """
    return version + ("-offline" if offline else "") + ("" if api == declared else f"-api-{api}")


def payload(image: str) -> bytes:
    """Return what cosign signs for the image with this digest, as `cosign generate` prints it.

    cosign calls Docker Hub by its older name.
    https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#simple-signing
    """
    host, _, path = REPOSITORY.partition("/")
    reference = f"{_HOSTS.get(host, host)}/{path}"
    content = {
        "critical": {
            "identity": {"docker-reference": reference},
            "image": {"docker-manifest-digest": image},
            "type": "cosign container image signature",
        },
        "optional": None,
    }
    return json.dumps(content, separators=(",", ":")).encode()


def registry_path(buildpack: str) -> str:
    """Return where the index of the buildpack registry has the file of *buildpack*, its id.

    https://github.com/buildpacks/spec/blob/main/extensions/buildpack-registry.md#registry-index

    >>> registry_path("cnb-python/python"), registry_path("example/lua")
    ('py/th/cnb-python_python', '3/lu/example_lua')
    """
    name, file = buildpack.partition("/")[2], buildpack.replace("/", "_")
    if len(name) > 3:
        return f"{name[:2]}/{name[2:4]}/{file}"
    return f"3/{name[:2]}/{file}" if len(name) == 3 else f"{len(name)}/{file}"


def registry_line(buildpack: str, version: str, image: str) -> str:
    """Return the entry of *version* in that file; *image*: the digest of the usual package."""
    namespace, _, name = buildpack.partition("/")
    entry = {
        "ns": namespace,
        "name": name,
        "version": version,
        "yanked": False,
        "addr": f"{REPOSITORY}@{image}",
    }
    return json.dumps(entry, separators=(",", ":")) + "\n"


def checksums(files: Mapping[str, bytes | str]) -> str:
    """Return the lines of `sha256sums`; *files*: contents, or SHA-256 in hex, by name.

    `sha256sum --check sha256sums` reads them.
    """
    sums = {
        name: each if isinstance(each, str) else hashlib.sha256(each).hexdigest()
        for name, each in files.items()
    }
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))


def commands(
    packages: Iterable[Packed], indexes: Mapping[str, Index], *, restriction: str = ""
) -> str:
    """Return the shell script that publishes and signs the release.

    *indexes*: the image index of each tag. *restriction*: why the release must not be published;
    the script then stops unless the variable REPOSITORY names another repository.
    """
    lines = [*_head(restriction)]
    for each in packages:
        target = f'"docker://$REPOSITORY:{each.tag}-{each.image.arch}"'
        lines.append(f"skopeo copy --preserve-digests oci-archive:{each.file} {target}")
    for tag, index in indexes.items():
        media_type = f"--media-type {index.media_type}"
        lines.append(f'oras manifest push {media_type} "$REPOSITORY:{tag}" index-{tag}.json')
    for each in packages:
        sbom = each.file.removesuffix(".cnb") + ".cdx.json"
        image = f'"$REPOSITORY@{each.image.digest}"'
        lines.append(f"cosign sign {_KEY} {image}")
        lines.append(f"cosign attest {_KEY} --type cyclonedx --predicate {sbom} {image}")
    lines += [f'cosign sign {_KEY} "$REPOSITORY@{each.digest}"' for each in indexes.values()]
    lines.append(f"cosign sign-blob {_KEY} --bundle sha256sums.sigstore.json sha256sums")
    return "\n".join(lines) + "\n"


def _head(restriction: str) -> Iterator[str]:
    yield "#!/bin/sh"
    yield "# Run it after `skopeo login`. cosign uses the key file COSIGN_KEY, or your identity."
    yield "set -eu"
    yield 'cd "$(dirname "$0")"'
    if restriction:
        yield f"# {restriction}"
        yield ': "${REPOSITORY:?Not for publication: set it to a repository of your own}"'
    else:
        yield f"REPOSITORY=${{REPOSITORY:-{REPOSITORY}}}"
