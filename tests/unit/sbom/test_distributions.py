"""Components of installed distributions, from what their own files state."""

import json
from collections.abc import Mapping

import pytest

from cnb_python.distributions.model import Distribution, File, Material
from cnb_python.sbom import cyclonedx, purl, spdx
from cnb_python.sbom.distributions import Described, MarkerValues, components
from cnb_python.sbom.documents import of_layers
from cnb_python.sbom.model import Component, License
from tests.support.sbom_schemas import check_cyclonedx, check_spdx, listed

PYTHON = MarkerValues("3.14.6", "x86_64")
SITE = "lib/python3.14/site-packages"


def described(
    name: str, *lines: str, files: tuple[str, ...] = (), sboms: Mapping[str, object] | None = None
) -> Described:
    fields = "\n".join((f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0", *lines))
    distribution = Distribution(
        name, "1.0", "", tuple(File(f"{SITE}/{path}", "ab" * 32, 1) for path in files)
    )
    contents = {
        file: content if isinstance(content, bytes) else json.dumps(content).encode()
        for file, content in (sboms or {}).items()
    }
    return Described(distribution, f"{fields}\n\nbody\n".encode(), contents)


def of(*environment: Described) -> dict[str, Component]:
    return components(environment, PYTHON)


def properties(component: Component, name: str) -> list[str]:
    return [value for key, value in component.properties if key == f"cnb-python:{name}"]


def test_component_has_what_metadata_states() -> None:
    component = of(
        described(
            "ruamel-yaml",
            "Summary: Reads   YAML",
            "License-Expression: MIT",
            "Project-URL: Homepage, https://me:secret@example.org/yaml?token=1",
        )
    )["ruamel-yaml"]

    assert component == Component(
        ref="pkg:pypi/ruamel-yaml@1.0",
        name="ruamel-yaml",
        version="1.0",
        purl="pkg:pypi/ruamel-yaml@1.0",
        license=License("MIT"),
        description="Reads YAML",
        homepage="https://example.org/yaml",
        properties=(("cnb-python:requirement", "direct"),),
    )


def test_file_hash_and_index_are_those_of_the_download() -> None:
    wheel = Material("a-1.0-py3-none-any.whl", "https://pypi.example:8443/x/a.whl", "sha256:ab")
    backend = Material(
        "setuptools-80.whl", "https://other.example/s.whl", "sha256:cd", builds=True
    )
    distribution = Distribution("a", "1.0", "", (), materials=(wheel, backend))

    component = of(Described(distribution, b"", {}))["a"]

    assert component.sha256 == "ab"
    assert properties(component, "file") == ["a-1.0-py3-none-any.whl"]
    assert properties(component, "index") == ["pypi.example"]


def test_commit_is_named_and_is_no_hash_of_a_file() -> None:
    commit = Material("lib", "https://github.example/lib", "gitCommit:abc")

    component = of(Described(Distribution("a", "1.0", "", (), materials=(commit,)), b"", {}))["a"]

    assert component.sha256 == ""
    assert properties(component, "commit") == ["abc"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("1.0", "pkg:pypi/a@1.0"), ("2.0+cpu", "pkg:pypi/a@2.0%2Bcpu"), ("1!2", "pkg:pypi/a@1%212")],
)
def test_purl_escapes_what_versions_may_have(version: str, expected: str) -> None:
    assert purl.pypi("a", version) == expected


def test_relations_are_those_that_apply() -> None:
    environment = of(
        described(
            "app",
            "Requires-Dist: Lib[fast] >=1; python_version >= '3.8'",
            "Requires-Dist: old; python_version < '3'",
            "Requires-Dist: missing",
            "Requires-Dist: pytest; extra == 'test'",
            "Requires-Dist: (nonsense",
        ),
        described(
            "lib", "Requires-Dist: c-ext; extra == 'fast'", "Requires-Dist: app; extra == 'x'"
        ),
        described("c-ext"),
        described("old"),
        described("pytest"),
    )

    assert environment["app"].depends_on == ("pkg:pypi/lib@1.0",)
    assert environment["lib"].depends_on == ("pkg:pypi/c-ext@1.0",)
    assert properties(environment["lib"], "required-by") == ["app"]
    assert properties(environment["c-ext"], "requirement") == ["transitive"]
    direct = [
        name for name, each in environment.items() if properties(each, "requirement") == ["direct"]
    ]
    assert direct == ["app", "old", "pytest"]


def test_package_that_the_project_names_is_direct() -> None:
    environment = [described("app", "Requires-Dist: lib"), described("lib")]

    component = components(environment, PYTHON, {"lib"})["lib"]

    assert properties(component, "requirement") == ["direct"]
    assert properties(component, "required-by") == ["app"]


def test_extra_of_itself_is_followed() -> None:
    environment = of(
        described(
            "app",
            "Requires-Dist: app[b]; extra == 'a'",
            "Requires-Dist: lib; extra == 'b'",
        ),
        described("lib"),
        described("user", "Requires-Dist: app[a]"),
    )

    assert environment["app"].depends_on == ("pkg:pypi/lib@1.0",)


def test_requirement_in_another_layer_is_a_property() -> None:
    environment = of(described("a", "Requires-Dist: b"), described("b"))

    first, second = of_layers(environment, {"deps-01": ["a"], "deps-02": ["b"]})

    assert first.components[0].depends_on == ()
    assert properties(first.components[0], "requires") == ["pkg:pypi/b@1.0"]
    assert properties(second.components[0], "required-by") == ["a"]
    (together,) = of_layers(environment, {"venv": ["b", "a"]})
    assert together.components[0].depends_on == ("pkg:pypi/b@1.0",)
    assert properties(together.components[0], "requires") == []


def test_libraries_that_auditwheel_copied_are_listed() -> None:
    component = of(
        described(
            "numpy",
            files=(
                "numpy.libs/libgfortran-040039e1.so.5.0.0",
                "numpy.libs/libscipy_openblas64_-8fb3d286.so",
                "numpy/core.so",
            ),
        )
    )["numpy"]

    assert [(each.name, each.version) for each in component.contains] == [
        ("libgfortran", ""),
        ("libscipy_openblas64_", ""),
    ]
    assert component.contains[0].sha256 == "ab" * 32
    assert properties(component.contains[0], "soname") == ["libgfortran.so.5.0.0"]


CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.4",
    "components": [
        {
            "name": "openssl",
            "version": "3.5.1",
            "purl": "pkg:rpm/almalinux/openssl@3.5.1",
            "licenses": [{"license": {"id": "Apache-2.0"}}],
            "components": [{"name": "legacy", "version": "1"}],
        },
        {"name": "numpy", "version": "1.0", "purl": "pkg:pypi/numpy@1.0"},
        {"name": "bad", "purl": "no purl", "cpe": "cpe:/a:old", "version": 3},
        {"version": "without a name"},
        "no component",
    ],
}
SPDX = {
    "spdxVersion": "SPDX-2.3",
    "packages": [
        {
            "name": "openssl",
            "versionInfo": "3.5.1",
            "externalRefs": [
                {
                    "referenceType": "purl",
                    "referenceLocator": "pkg:rpm/almalinux/openssl@3.5.1",
                }
            ],
        },
        {
            "name": "zlib",
            "versionInfo": "1.3",
            "licenseDeclared": "Zlib",
            "checksums": [{"algorithm": "SHA256", "checksumValue": "AB" * 32}],
        },
    ],
}


def test_sboms_in_wheels_are_merged() -> None:
    component = of(described("numpy", sboms={"a.cdx.json": CYCLONEDX, "b.spdx.json": SPDX}))[
        "numpy"
    ]

    assert [(each.name, each.version, each.purl) for each in component.contains] == [
        ("bad", "", ""),
        ("legacy", "1", ""),
        ("openssl", "3.5.1", "pkg:rpm/almalinux/openssl@3.5.1"),
        ("zlib", "1.3", ""),
    ]
    assert component.contains[2].license == License("Apache-2.0")
    assert component.contains[3].sha256 == "ab" * 32


@pytest.mark.parametrize(
    "itself",
    [
        # As auditwheel writes it.
        {"purl": "pkg:pypi/zope-interface@1.0?file_name=zope_interface-1.0-cp314-linux.whl"},
        {"purl": "pkg:pypi/Zope.Interface@1.0.0#src/zope"},
        {"purl": "pkg:pypi/zope_interface"},
        {},
    ],
)
def test_sbom_in_a_wheel_that_lists_the_wheel_does_not_repeat_it(
    itself: dict[str, str],
) -> None:
    crate = {"name": "zope-interface", "version": "1.0", "purl": "pkg:cargo/zope-interface@1.0"}
    rows = [{"name": "zope.interface", "version": "1.0", **itself}, crate]
    sbom = {"bomFormat": "CycloneDX", "components": rows}
    component = of(described("zope-interface", sboms={"a.cdx.json": sbom}))["zope-interface"]

    assert [each.purl for each in component.contains] == ["pkg:cargo/zope-interface@1.0"]


def test_sbom_that_lists_only_the_wheel_does_not_hide_copied_libraries() -> None:
    itself = {"name": "a", "version": "1.0", "purl": "pkg:pypi/a@1.0?file_name=a-1.0.whl"}
    sbom = {"bomFormat": "CycloneDX", "components": [itself]}
    files = ("a.libs/libfoo-040039e1.so.1",)
    component = of(described("a", files=files, sboms={"a.cdx.json": sbom}))["a"]

    assert [each.name for each in component.contains] == ["libfoo"]


def test_same_library_in_two_wheels_is_listed_for_each() -> None:
    environment = of(
        described("a", sboms={"x.cdx.json": CYCLONEDX}),
        described("b", sboms={"x.cdx.json": CYCLONEDX}),
    )

    (layer,) = of_layers(environment, {"deps-00": ["a", "b"]})

    names = [each["name"] for each in listed(check_cyclonedx(cyclonedx.render(layer)))]
    assert names.count("openssl") == 2
    check_spdx(spdx.render(layer))


def test_no_reference_looks_like_another_package_url() -> None:
    environment = of(
        described("a", files=("a.libs/libfoo-040039e1.so.1",)),
        described("b", sboms={"x.cdx.json": CYCLONEDX}),
    )

    (layer,) = of_layers(environment, {"deps-00": ["a", "b"]})

    for each in listed(check_cyclonedx(cyclonedx.render(layer))):
        assert each["bom-ref"] == each.get("purl") or not each["bom-ref"].startswith("pkg:")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"components": []}',
        b'{"bomFormat": 3, "a": "\\ud800"}',
    ],
    ids=["empty", "bytes", "list", "object", "deep", "no format", "half a character"],
)
def test_unreadable_sbom_in_a_wheel_is_named(content: bytes) -> None:
    component = of(described("a", sboms={"x.cdx.json": content}))["a"]

    assert component.contains == ()
    assert properties(component, "unreadable-sbom") == ["x.cdx.json"]


def test_odd_metadata_gives_valid_documents() -> None:
    odd = described(
        "odd",
        "Summary: \x1b[31mred \u2028 " + "x" * 600,
        "Home-page: javascript:alert(1)",
        "License: \ufffd\n        second line",
        "Requires-Dist: \x00",
        "Classifier: License :: \ud800".encode("utf-8", "replace").decode(),
    )
    (layer,) = of_layers(of(odd), {"deps-00": ["odd"]})

    check_cyclonedx(cyclonedx.render(layer))
    check_spdx(spdx.render(layer))


def test_metadata_is_utf8() -> None:
    component = of(described("a", "Summary: Größe — 大小", "License: Lizenz für alle"))["a"]

    assert component.description == "Größe — 大小"
    assert component.license == License(text="Lizenz für alle")


def test_name_of_a_copied_library_that_is_no_text_is_left_out() -> None:
    files = ("a.libs/lib\udcff-040039e1.so", "a.libs/libz-040039e1.so.1")
    component = of(described("a", files=files))["a"]

    assert [each.name for each in component.contains] == ["libz"]


def test_home_page_that_is_no_address_is_left_out() -> None:
    # The sign for "account of" means a/c in a host.
    assert of(described("a", "Home-page: https://example.com\u2100/x"))["a"].homepage == ""


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1!2.0+cu118", "1%212.0%2Bcu118"),
        ("1.0-rc_1~x", "1.0-rc_1~x"),
        ("1?b", "1%3Fb"),
        ("1#x/@%", "1%23x%2F%40%25"),
    ],
)
def test_package_url_is_valid_for_any_version(version: str, expected: str) -> None:
    odd = Described(Distribution("a", version, "", ()), b"", {})
    (layer,) = of_layers(of(odd), {"deps-00": ["a"]})

    assert layer.components[0].purl == f"pkg:pypi/a@{expected}"
    check_cyclonedx(cyclonedx.render(layer))
    check_spdx(spdx.render(layer))


def test_distribution_without_metadata_has_a_name_and_a_version() -> None:
    nothing = Described(Distribution("a", "2", "", ()), b"", {})

    assert components([nothing], PYTHON)["a"].purl == "pkg:pypi/a@2"
