"""Where distributions of no index came from."""

import json

import pytest

from cnb_python.distributions.dist_info import NOWHERE, read_direct_url


def said(**fields: object) -> bytes:
    return json.dumps(fields, indent=1).encode()


def test_content_is_normalized() -> None:
    vcs = {"vcs": "git", "requested_revision": "main", "commit_id": "abc"}

    one = read_direct_url(said(url="https://example.org/x.git", vcs_info=vcs))
    other = read_direct_url(
        said(vcs_info=dict(reversed(vcs.items())), url="https://example.org/x.git")
    )

    assert one == other
    assert one.is_repository
    assert json.loads(one.content)["vcs_info"] == vcs


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
    ],
)
def test_password_is_removed(url: str, kept: str) -> None:
    assert json.loads(read_direct_url(said(url=url, archive_info={})).content)["url"] == kept


def test_directory_is_kept_only_for_editable() -> None:
    copied = read_direct_url(said(url="file:///workspace/with%20space", dir_info={}))
    editable = read_direct_url(said(url="file:///workspace/x", dir_info={"editable": True}))

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
    assert read_direct_url(content) == NOWHERE
