"""Package URLs are those that packageurl-python, which CycloneDX's library uses, would write."""

from hypothesis import given
from hypothesis import strategies as st
from packageurl import PackageURL

from cnb_python.sbom import purl

# No version has a slash.
TEXTS = st.text(st.characters(categories=("L", "N", "P", "S"), exclude_characters="/"), min_size=1)
# Of normalized distributions, and of Debian's packages and Go's modules.
NAMES = st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True)
WORDS = st.from_regex(r"[a-z0-9][a-z0-9.-]*", fullmatch=True)


@given(NAMES, TEXTS)
def test_distributions(name: str, version: str) -> None:
    assert purl.pypi(name, version) == PackageURL("pypi", None, name, version).to_string()


@given(WORDS, TEXTS, WORDS, WORDS, TEXTS)
def test_debian_packages(name: str, version: str, arch: str, vendor: str, release: str) -> None:
    qualifiers = {"arch": arch, "distro": f"{vendor}-{release}"}
    expected = PackageURL("deb", vendor, name, version, qualifiers).to_string()

    assert purl.deb(name, version, arch, f"{vendor} {release}") == expected


def test_plus_in_names_is_quoted() -> None:
    expected = PackageURL("deb", "debian", "libstdc++6", "1", {"arch": "a", "distro": "debian-12"})

    assert purl.deb("libstdc++6", "1", "a", "debian 12") == expected.to_string()


@given(st.lists(WORDS, min_size=1), TEXTS)
def test_modules_of_go(path: list[str], version: str) -> None:
    *namespace, name = path
    expected = PackageURL("golang", "/".join(namespace), name, version).to_string()

    assert purl.golang("/".join(path), version) == expected


def test_upper_case_in_modules_of_go_is_lowered() -> None:
    assert (
        purl.golang("github.com/BurntSushi/toml", "v1")
        == "pkg:golang/github.com/burntsushi/toml@v1"
    )


@given(NAMES, st.just("") | TEXTS, TEXTS)
def test_other_software(name: str, version: str, arch: str) -> None:
    expected = PackageURL("generic", None, name, version, {"arch": arch}).to_string()

    assert purl.generic(name, version, {"arch": arch}) == expected
