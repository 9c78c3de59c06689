"""Local paths of URLs, and URLs without secrets."""

from pathlib import Path

import pytest

from cnb_python.system.redaction import local_path, shown


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("/srv/a b%2B.tar.gz", Path("/srv/a b%2B.tar.gz")),
        ("file:///srv/a%2Bb.tar.gz", Path("/srv/a+b.tar.gz")),
        ("https://example.org/srv/a", None),
        ("HTTP://example.org/srv/a", None),
    ],
)
def test_local_paths_are_recognised(url: str, path: Path | None) -> None:
    assert local_path(url) == path


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://me:secret@example.org:8443/a/b", "https://example.org:8443/a/b"),
        ("https://token@example.org/a", "https://example.org/a"),
        ("https://me:p@ss@example.org/a", "https://example.org/a"),
        ("https://example.org/a?signature=secret#secret", "https://example.org/a"),
        ("/srv/a.tar.gz", "/srv/a.tar.gz"),
        ("https://[secret", "(a malformed URL)"),
        ("https://me:se/cret@example.org/a", "https://example.org/a"),
        ("https://me:se#cr?et@example.org/a", "https://example.org/a"),
        ("me:secret@example.org/a?sig=secret", "example.org/a"),
        ("me:se?cret@example.org:80/a", "example.org:80/a"),
        ("https://example.org:80/a@b", "https://example.org:80/a@b"),
        ("https://dl.cloudsmith.io/secret/org/repo/", "https://dl.cloudsmith.io/****/org/repo/"),
        ("dl.cloudsmith.io/secret/org", "dl.cloudsmith.io/****/org"),
    ],
)
def test_secrets_are_never_shown(url: str, expected: str) -> None:
    assert shown(url) == expected
