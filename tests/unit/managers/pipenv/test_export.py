"""The source of each package of a `Pipfile.lock`, and the files for uv without one."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cnb_python.cnb import toml
from cnb_python.errors.locks import BadLock, UnsetVariable
from cnb_python.managers.base import Pin
from cnb_python.managers.lock_export import LockSources
from cnb_python.managers.pipenv.export import expanded, read_sources, uv_files

PUBLIC = "https://all.example/simple"

PIPFILE_LOCK: Mapping[str, object] = {
    "_meta": {
        "sources": [
            {"name": "all", "url": PUBLIC, "verify_ssl": True},
            {"name": "ours", "url": "https://$U:${P}@ours.example:1/simple", "verify_ssl": False},
        ]
    },
    "default": {
        "Our.Tools": {"index": "ours", "version": "==2.0"},
        "six": {"index": "all", "version": "==1.0"},
        "dependency": {"version": "==1.0"},
    },
}


LOGIN = {"U": "me", "P": "w/rd"}


PRIVATE = "https://me:w%2Frd@ours.example:1/simple"


PRINTED = (f"-i {PUBLIC}", "--extra-index-url https://${U}:${P}@ours.example:1/simple")


def pin(name: str) -> Pin:
    return Pin(name, "1.0", "", f"{name}==1.0")


def sources_of(
    lock: Mapping[str, object] = PIPFILE_LOCK, pipfile: str = "", printed: Sequence[str] = PRINTED
) -> LockSources:
    return read_sources(lock, toml.parse(pipfile, Path("Pipfile")), printed, LOGIN)


def test_package_comes_from_its_source_or_the_first() -> None:
    sources = sources_of()

    assert sources.indexes_of(pin("our-tools")) == (PRIVATE,)
    assert sources.indexes_of(pin("six")) == (PUBLIC,)
    assert sources.indexes_of(pin("dependency")) == (PUBLIC,)
    assert sources.lines == (f"--index-url {PUBLIC}", "--trusted-host ours.example:1")


def test_mirror_replaces_the_first_source() -> None:
    sources = sources_of(printed=("-i https://mirror.example/", PRINTED[1]))

    assert sources.indexes_of(pin("six")) == ()
    assert sources.indexes_of(pin("our-tools")) == (PRIVATE,)
    assert sources.lines[0] == "--index-url https://mirror.example/"


def test_install_search_all_sources_keeps_all_indexes() -> None:
    sources = sources_of(pipfile="[pipenv]\ninstall_search_all_sources = true\n")

    assert sources.indexes_of(pin("our-tools")) == ()
    assert sources.lines[:2] == (f"-i {PUBLIC}", f"--extra-index-url {PRIVATE}")


def test_unknown_source_is_refused_with_the_declared() -> None:
    lock = {**PIPFILE_LOCK, "default": {"our-tools": {"index": "yours"}}}

    with pytest.raises(BadLock, match=r"our-tools from a source yours, .* all, ours"):
        sources_of(lock)


def test_unset_variable_is_named() -> None:
    lock = json.loads(json.dumps(PIPFILE_LOCK).replace("${P}", "${PASSWORD}"))
    printed = tuple(line.replace("${P}", "${PASSWORD}") for line in PRINTED)

    with pytest.raises(UnsetVariable) as raised:
        read_sources(lock, {}, printed, {"U": "me"})

    message = raised.value.describe()
    assert message.title == "PASSWORD must be set for the index ours"
    assert "--env PASSWORD" in message.fixes[0]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("-i https://h.example/", "-i https://h.example/"),
        ("-i https://me:a%40b@h.example/", "-i https://me:a%40b@h.example/"),
        ("https://${U}@h.example/$P", "https://me@h.example/w/rd"),
        ("https://'${P}'@h.example/", "https://w%2Frd@h.example/"),
        ("https://h.example/$NONE", "https://h.example/$NONE"),
    ],
)
def test_variables_in_urls_are_expanded(written: str, expected: str) -> None:
    assert expanded(written, LOGIN) == expected


def test_packages_with_a_source_go_into_a_project_for_uv(tmp_path: Path) -> None:
    lines = (
        "six",
        "Our.Tools[x]>=1; python_version > '3'",
        "-e .",
        "far @ https://h.example/f.whl",
    )

    plain, table = map(Path, uv_files(lines, sources_of(), tmp_path))

    assert plain.read_text().splitlines() == [lines[0], *lines[2:]]
    written = toml.read(table)
    assert toml.table_at(written, "project")["dependencies"] == [lines[1]]
    uv = toml.table_at(toml.table_at(written, "tool"), "uv")
    assert uv["sources"] == {"our-tools": {"index": "source-0"}}
    assert uv["index"] == [{"name": "source-0", "url": PRIVATE, "explicit": True}]


def test_packages_without_a_source_need_no_project(tmp_path: Path) -> None:
    assert len(uv_files(["six", "-e ."], sources_of(), tmp_path)) == 1
