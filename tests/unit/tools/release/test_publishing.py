"""What a registry, cosign and the buildpack registry get."""

import json
import tomllib

from tools.release import previous, publishing
from tools.release.publishing import Packed

AMD64 = Packed("cnb-python-linux-amd64.cnb", "amd64", "0.2.0", f"sha256:{'a' * 64}", 429)
ARM64 = Packed("cnb-python-linux-arm64.cnb", "arm64", "0.2.0", f"sha256:{'b' * 64}", 430)
NEWER = Packed(
    "cnb-python-api-0.12-linux-amd64.cnb", "amd64", "0.2.0-api-0.12", f"sha256:{'c' * 64}", 429
)


def test_usual_package_has_the_version_as_its_tag() -> None:
    assert publishing.tag_of("0.2.0", "0.10", "0.10", offline=False) == "0.2.0"
    assert publishing.tag_of("0.2.0", "0.12", "0.10", offline=True) == "0.2.0-offline-api-0.12"


def test_index_lists_both_architectures_in_one_order() -> None:
    content = publishing.index([ARM64, AMD64])

    assert content == publishing.index([AMD64, ARM64])
    listed = json.loads(content)["manifests"]
    assert [each["digest"] for each in listed] == [AMD64.digest, ARM64.digest]
    assert [each["size"] for each in listed] == [429, 430]
    assert [each["platform"]["architecture"] for each in listed] == ["amd64", "arm64"]


def test_payload_is_what_cosign_signs() -> None:
    """As https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md has it."""
    payload = json.loads(publishing.payload(AMD64.digest))

    assert payload == {
        "critical": {
            "identity": {"docker-reference": publishing.REPOSITORY},
            "image": {"docker-manifest-digest": AMD64.digest},
            "type": "cosign container image signature",
        },
        "optional": None,
    }


def test_registry_entry_is_one_line_with_a_digest() -> None:
    line = publishing.registry_line("cnb-python/python", "0.2.0", AMD64.digest)

    assert line.count("\n") == 1
    assert json.loads(line) == {
        "ns": "cnb-python",
        "name": "python",
        "version": "0.2.0",
        "yanked": False,
        "addr": f"{publishing.REPOSITORY}@{AMD64.digest}",
    }
    assert publishing.registry_path("cnb-python/python") == "py/th/cnb-python_python"
    assert publishing.registry_path("example/go") == "2/example_go"


def test_checksums_are_in_the_form_of_sha256sum() -> None:
    text = publishing.checksums({"b": b"x", "a": "0" * 64})

    assert text == (
        f"{'0' * 64}  a\n2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881  b\n"
    )


def test_every_image_is_pushed_and_signed() -> None:
    indexes = {"0.2.0": f"sha256:{'d' * 64}"}
    text = publishing.commands([AMD64, ARM64, NEWER], indexes)

    for each in (AMD64, ARM64, NEWER):
        assert f"oci-archive:{each.file} docker://{publishing.REPOSITORY}:{each.tag}-" in text
    for image in (AMD64.digest, ARM64.digest, NEWER.digest, *indexes.values()):
        assert f"cosign sign {publishing.REPOSITORY}@{image}\n" in text
    assert "cosign sign-blob --bundle sha256sums.sigstore.json sha256sums" in text


def test_next_previous_release_has_the_usual_packages() -> None:
    files = {each.file: each.arch * 3 for each in (AMD64, ARM64, NEWER)}
    table = tomllib.loads(previous.table("0.2.0", [AMD64, ARM64, NEWER], files))

    assert (table["version"], table["moves"]) == ("0.2.0", [])
    assert {arch: row["sha256"] for arch, row in table["package"].items()} == {
        "amd64": "amd64" * 3,
        "arm64": "arm64" * 3,
    }
    assert table["package"]["amd64"]["url"].endswith(f"/v0.2.0/{AMD64.file}")
