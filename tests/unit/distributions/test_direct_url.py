"""Reading and normalizing `direct_url.json`."""

import json

import pytest

from cnb_python.distributions.dist_info import NO_DIRECT_URL, read_direct_url


def direct_url(**fields: object) -> bytes:
    return json.dumps(fields, indent=1).encode()


def test_content_is_normalized() -> None:
    vcs = {"vcs": "git", "requested_revision": "main", "commit_id": "abc"}

    first = read_direct_url(direct_url(url="https://example.org/x.git", vcs_info=vcs))
    second = read_direct_url(
        direct_url(vcs_info=dict(reversed(vcs.items())), url="https://example.org/x.git")
    )

    assert first == second
    assert first.is_built
    assert json.loads(first.content)["vcs_info"] == vcs


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://me:secret@example.org/x.whl", "https://example.org/x.whl"),
        ("https://secret@example.org/x.whl", "https://example.org/x.whl"),
        ("ssh://git@example.org/x", "ssh://git@example.org/x"),
        ("ssh://git:secret@example.org/x", "ssh://example.org/x"),
        (
            "https://example.org/x.whl?sig=secret&v=1#sha256=00",
            "https://example.org/x.whl#sha256=00",
        ),
        ("file:///workspace/vendor/x.whl", "file:///workspace/vendor/x.whl"),
        ("https://me:se/cr#et@example.org/x.whl", "https://example.org/x.whl"),
        ("https://dl.cloudsmith.io/T/o/x.whl", "https://dl.cloudsmith.io/****/o/x.whl"),
    ],
)
def test_password_is_removed(url: str, kept: str) -> None:
    assert json.loads(read_direct_url(direct_url(url=url, archive_info={})).content)["url"] == kept


def test_directory_is_kept_only_for_editable() -> None:
    copied = read_direct_url(direct_url(url="file:///workspace/with%20space", dir_info={}))
    editable = read_direct_url(direct_url(url="file:///workspace/x", dir_info={"editable": True}))

    assert (copied.content, copied.directory) == (b"", "/workspace/with space")
    assert json.loads(editable.content)["dir_info"] == {"editable": True}
    assert editable.directory == "/workspace/x"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'"url"',
        b"{}",
        b'{"url": 1}',
        b'{"url": "http://[/"}',
        b"\xff",
        b"[" * 99999,
    ],
)
def test_invalid_content_is_ignored(content: bytes) -> None:
    assert read_direct_url(content) == NO_DIRECT_URL
