"""What a registry, cosign and the buildpack registry get."""

import json
import re
import tomllib

from tools.package import index
from tools.platforms import oci
from tools.platforms.oci_archive import Descriptor
from tools.release import previous, publishing
from tools.release.publishing import Packed


def packed(file: str, arch: str, tag: str, digit: str) -> Packed:
    image = Descriptor(f"sha256:{digit * 64}", 429, oci.MANIFEST, "linux", arch)
    return Packed(f"{file}-linux-{arch}.cnb", tag, image)


AMD64 = packed("cnb-python", "amd64", "0.2.0", "a")
ARM64 = packed("cnb-python", "arm64", "0.2.0", "b")
NEWER = packed("cnb-python-api-0.12", "amd64", "0.2.0-api-0.12", "c")


def test_usual_package_has_the_version_as_its_tag() -> None:
    assert publishing.tag_of("0.2.0", "0.10", "0.10", offline=False) == "0.2.0"
    assert publishing.tag_of("0.2.0", "0.12", "0.10", offline=True) == "0.2.0-offline-api-0.12"


def test_payload_is_what_cosign_signs() -> None:
    """The bytes that cosign's own library makes: sigstore/pkg/signature/payload, 1.9.6."""
    assert publishing.payload(AMD64.image.digest) == (
        b'{"critical":{"identity":{"docker-reference":"index.docker.io/cnbpython/python"},'
        b'"image":{"docker-manifest-digest":"sha256:'
        + b"a" * 64
        + b'"},"type":"cosign container image signature"},"optional":null}'
    )


def test_registry_entry_is_one_line_with_a_digest() -> None:
    line = publishing.registry_line("cnb-python/python", "0.2.0", AMD64.image.digest)

    assert line.count("\n") == 1
    assert json.loads(line) == {
        "ns": "cnb-python",
        "name": "python",
        "version": "0.2.0",
        "yanked": False,
        "addr": f"{publishing.REPOSITORY}@{AMD64.image.digest}",
    }
    assert publishing.registry_path("cnb-python/python") == "py/th/cnb-python_python"
    assert publishing.registry_path("example/go") == "2/example_go"


def test_registry_entry_follows_the_rules_of_the_registry() -> None:
    """Of its specification, and of pack, which refuses an address without a digest."""
    entry = json.loads(publishing.registry_line("cnb-python/python", "0.2.0", AMD64.image.digest))

    for field in (entry["ns"], entry["name"]):
        assert re.fullmatch(r"[a-z0-9\-.]{1,253}", field)
    assert re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
    assert re.fullmatch(r"[a-z0-9.\-]+/[a-z0-9./_\-]+@sha256:[0-9a-f]{64}", entry["addr"])


def test_checksums_are_in_the_form_of_sha256sum() -> None:
    text = publishing.checksums({"b": b"x", "a": "0" * 64})

    assert text == (
        f"{'0' * 64}  a\n2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  b\n"
    )


def test_every_image_is_pushed_and_signed() -> None:
    indexes = {"0.2.0": index.of([AMD64.image, ARM64.image])}
    text = publishing.commands([AMD64, ARM64, NEWER], indexes)

    for each in (AMD64, ARM64, NEWER):
        assert f'oci-archive:{each.file} "docker://$REPOSITORY:{each.tag}-' in text
    assert f'oras manifest push --media-type {oci.INDEX} "$REPOSITORY:0.2.0" ' in text
    images = (AMD64.image, ARM64.image, NEWER.image)
    for digest in (*(each.digest for each in images), indexes["0.2.0"].digest):
        assert f'"$COSIGN_KEY"}} "$REPOSITORY@{digest}"\n' in text
    assert f"REPOSITORY=${{REPOSITORY:-{publishing.REPOSITORY}}}" in text
    assert "--bundle sha256sums.sigstore.json sha256sums" in text


def test_restricted_release_needs_a_repository_of_your_own() -> None:
    text = publishing.commands([AMD64], {}, restriction="Not for publication.")

    assert ': "${REPOSITORY:?' in text
    assert publishing.REPOSITORY not in text


def test_next_previous_release_has_the_usual_packages() -> None:
    files = {each.file: each.image.arch * 3 for each in (AMD64, ARM64, NEWER)}
    table = tomllib.loads(previous.table("0.2.0", [AMD64, ARM64, NEWER], files))

    assert (table["version"], table["moves"]) == ("0.2.0", [])
    assert {arch: row["sha256"] for arch, row in table["package"].items()} == {
        "amd64": "amd64" * 3,
        "arm64": "arm64" * 3,
    }
    assert table["package"]["amd64"]["url"].endswith(f"/v0.2.0/{AMD64.file}")
