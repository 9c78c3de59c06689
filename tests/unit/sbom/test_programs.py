"""Programs in Go and Debian packages as components."""

import hashlib

import pytest
from packageurl import PackageURL

from cnb_python.sbom import cyclonedx, debian, go_program, purl, spdx
from cnb_python.sbom.go_program import BuildInfo, build_info
from cnb_python.sbom.model import License, document
from tests.support.sbom_schemas import check_cyclonedx, check_spdx

MODULES = (
    "path\tcnb-python/execd\nmod\tcnb-python/execd\t(devel)\t\n"
    "dep\tgolang.org/x/sys\tv0.30.0\th1:abc=\ndep\tgithub.com/Some/Thing\tv1.2.3+incompatible\th1:\n"
    "build\t-trimpath=true\n"
)


def varint(number: int) -> bytes:
    """Return *number* as encoding/binary of Go writes it."""
    low = [number & 0x7F]
    while number := number >> 7:
        low[-1] |= 0x80
        low.append(number & 0x7F)
    return bytes(low)


def program(version: str = "go1.26.6", modules: str = MODULES, flags: int = 2) -> bytes:
    listed = b"s" * 16 + modules.encode() + b"e" * 16
    texts = b"".join(varint(len(text)) + text for text in (version.encode(), listed))
    return b"\x7fELF code \xff Go buildinf:\x08" + bytes([flags]) + bytes(16) + texts + b"more"


def test_build_information_is_read() -> None:
    assert build_info(program()) == BuildInfo(
        "1.26.6",
        (("golang.org/x/sys", "v0.30.0"), ("github.com/Some/Thing", "v1.2.3+incompatible")),
    )


@pytest.mark.parametrize(
    "content",
    [b"", b"a script", program(flags=0), program()[:30], program()[:44], program()[:60]],
    ids=["empty", "script", "old", "no header", "no text", "half a text"],
)
def test_program_without_build_information_is_still_listed(content: bytes) -> None:
    component = go_program.component("program", content, License("MIT"))

    assert component.sha256 == hashlib.sha256(content).hexdigest()
    check_cyclonedx(cyclonedx.render(document("defaults", [component])))


def test_standard_library_of_go_has_the_cpe_that_scanners_look_for() -> None:
    component = go_program.component("program", program(), License("MIT"))

    stdlib = component.contains[0]
    assert stdlib.purl == "pkg:golang/stdlib@1.26.6"
    assert stdlib.cpe == "cpe:2.3:a:golang:go:1.26.6:-:*:*:*:*:*:*"
    check_spdx(spdx.render(document("defaults", [component])))


def test_debian_packages_have_their_purl_and_the_hash_of_their_file() -> None:
    line = f"libpq5=1:15.3-0+deb12u1~rc amd64 {'ab' * 32}"

    (component,) = debian.components([line, "of an older format"], "debian 12")

    assert component.purl == (
        "pkg:deb/debian/libpq5@1:15.3-0%2Bdeb12u1~rc?arch=amd64&distro=debian-12"
    )
    assert (component.name, component.version) == ("libpq5", "1:15.3-0+deb12u1~rc")
    assert component.sha256 == "ab" * 32


@pytest.mark.parametrize(
    "purl",
    [
        purl.pypi("a", "1!2.0rc1+cpu.1"),
        *(
            each.purl
            for each in debian.components(
                [f"libstdc++6=1:2+b1~x arm64 {'ab' * 32}"], "ubuntu 24.04"
            )
        ),
        *(each.purl for each in go_program.component("x", program(), License()).contains),
    ],
)
def test_purls_are_in_their_normal_form(purl: str) -> None:
    """CycloneDX has the form of its library, so SPDX would have another one."""
    assert PackageURL.from_string(purl).to_string() == purl
