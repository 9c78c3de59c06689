"""The pins in pip's installation report."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.errors.base import ContractBroken
from cnb_python.managers.base import Pin
from cnb_python.managers.pip.install import read_report
from cnb_python.managers.source_lines import OwnLines

SHA = "ab" * 32
COMMIT = "c0ffee" * 6 + "c0ff"
NOTHING = OwnLines((), {}, {}, {})


def item(download: dict[str, Any], *, direct: bool = True, **more: object) -> dict[str, Any]:
    return {
        "download_info": download,
        "is_direct": direct,
        "requested": True,
        "metadata": {"name": "My.Lib", "version": "1.0"},
        **more,
    }


def report(*items: dict[str, Any]) -> str:
    return json.dumps({"version": "1", "pip_version": "26.3", "install": items})


def pin(entry: dict[str, Any], own: OwnLines = NOTHING) -> Pin:
    (pinned,) = read_report(report(entry), own).pins
    return pinned


def archive(
    url: str = "https://files.example.org/my_lib-1.0.tar.gz", sha: str = SHA
) -> dict[str, Any]:
    return {"url": url, "archive_info": {"hashes": {"sha256": sha}, "hash": f"sha256={sha}"}}


def vcs(url: str = "https://git.example.org/lib.git", **more: str) -> dict[str, Any]:
    return {"url": url, "vcs_info": {"vcs": "git", "commit_id": COMMIT, **more}}


def test_release_of_an_index_is_pinned_by_its_archive() -> None:
    pinned = pin(item(archive(), direct=False, requested_extras=["X_y", "b"]))

    assert pinned.line == f"my-lib==1.0 --hash=sha256:{SHA}"
    assert (pinned.name, pinned.version, pinned.is_cacheable) == ("my-lib", "1.0", True)
    assert pinned.extras == ("b", "x-y")


def test_build_options_of_a_release_are_in_line_and_origin() -> None:
    own = OwnLines((), {}, {}, {"my-lib": "--config-settings=a=b"})
    plain, built = (pin(item(archive(), direct=False), entry) for entry in (NOTHING, own))

    assert built.line == f"my-lib==1.0 --hash=sha256:{SHA} --config-settings=a=b"
    assert plain.origin != built.origin


def test_build_options_of_an_address_are_in_the_origin_and_its_token_is_not() -> None:
    address = "my-lib @ https://{}files.example.org/my_lib-1.0.tar.gz{}"
    lines = (
        address.format("", ""),
        address.format("token@", ""),
        address.format("", " --config-settings=a=b"),
        address.format("", " --config-settings=a=c"),
    )
    owns = (OwnLines((), {"my-lib": (line,)}, {}, {}) for line in lines)
    plain, token, entry, other = (pin(item(archive()), own).origin for own in owns)
    assert plain == token
    assert len({plain, entry, other}) == 3


def test_release_without_hash_is_not_cacheable() -> None:
    pinned = pin(item({"url": "https://x.example/a", "archive_info": {}}, direct=False))

    assert (pinned.line, pinned.is_cacheable) == ("my-lib==1.0", False)


@pytest.mark.parametrize(
    ("download", "line", "is_cacheable"),
    [
        (archive(), f"my-lib @ {archive()['url']} --hash=sha256:{SHA}", True),
        (vcs(), f"my-lib @ git+https://git.example.org/lib.git@{COMMIT}", True),
        (
            {**vcs(), "subdirectory": "a/b"},
            f"my-lib @ git+https://git.example.org/lib.git@{COMMIT}#subdirectory=a/b",
            True,
        ),
        ({"url": "file:///app/lib", "dir_info": {}}, "my-lib @ file:///app/lib", False),
        ({"url": "file:///app/lib", "dir_info": {"editable": True}}, "-e file:///app/lib", False),
    ],
    ids=["archive", "repository", "subdirectory", "directory", "editable"],
)
def test_address_is_pinned_by_its_hash_or_commit(
    download: dict[str, Any], line: str, is_cacheable: object
) -> None:
    pinned = pin(item(download))

    assert (pinned.line, pinned.is_cacheable) == (line, is_cacheable)


def test_line_of_the_app_is_preferred() -> None:
    """They hold the branch that becomes part of the metadata, and the variable of a token."""
    line = "my-lib @ git+https://${TOKEN}@git.example.org/lib.git@main"
    own = OwnLines((), {"my-lib": (line,)}, {}, {})

    assert pin(item(vcs(requested_revision="main")), own).line == line


def test_origin_differs_by_what_the_bytes_depend_on() -> None:
    downloads = [
        vcs(),
        vcs("https://git.example.org/fork.git"),
        vcs(requested_revision="main"),
        {**vcs(), "subdirectory": "a"},
        archive(),
        archive(sha="cd" * 32),
        archive("https://files.example.org/other.tar.gz"),
    ]

    assert len({pin(item(entry)).origin for entry in downloads}) == len(downloads)


def test_secrets_in_addresses_do_not_change_the_origin() -> None:
    with_token = archive("https://me:ghp_token@files.example.org/a.zip?sig=s3cret")
    other = archive("https://files.example.org/a.zip?sig=another")

    pinned = pin(item(with_token))

    assert pinned.origin == pin(item(other)).origin
    assert "ghp" not in pinned.origin


def test_pins_are_in_the_order_of_names() -> None:
    items = [
        {**item(archive(), direct=False), "metadata": {"name": name, "version": "1"}}
        for name in ("b", "A", "c")
    ]
    resolution = read_report(report(*items), NOTHING)

    assert [entry.name for entry in resolution.pins] == ["a", "b", "c"]
    assert (resolution.from_files_alone, resolution.by) == (False, "pip")


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "{}", "null", "{", '{"version": "2", "install": []}'),
        *(
            '{"version": "1"}',
            "[" * 100_000,
            '{"version": "1", "install": [{}]}',
            '{"version": "1", "install": 1}',
        ),
        report(item({"url": "https://x.example/a"})),
        report(item({"url": 5, "archive_info": {"hashes": {"sha256": "x"}}})),
    ],
)
def test_unexpected_report_breaks_the_contract(text: str) -> None:
    with pytest.raises(ContractBroken):
        read_report(text, NOTHING)


@given(
    st.recursive(
        st.none() | st.booleans() | st.text(),
        lambda x: (
            st.lists(x)
            | st.dictionaries(
                st.sampled_from(
                    ["version", "install", "metadata", "download_info", "url", "vcs_info"]
                ),
                x,
            )
        ),
    )
)
def test_any_json_is_parsed_or_breaks_the_contract(value: object) -> None:
    with pytest.raises(ContractBroken):
        read_report(json.dumps({"version": "1", "install": [value]}), NOTHING)
