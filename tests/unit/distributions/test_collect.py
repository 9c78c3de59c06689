"""Collecting the distributions of a staged environment."""

import hashlib
import os
import stat as status
from pathlib import Path

import pytest

from tests.support.stages import (
    FINAL,
    SITE,
    collected,
    contents_of,
    install,
    pin,
    put,
    staged_environment,
)

EMPTY = hashlib.sha256(b"").hexdigest()


def test_distribution_lists_files_with_digests(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "Six.Thing", {f"{SITE}/six.py": "", "share/six/x.txt": ""})

    (collection,) = collected(staged, "six-thing").distributions

    assert (collection.name, collection.version, collection.origin) == (
        "six-thing",
        "1.0",
        "origin of six-thing",
    )
    assert [file.path for file in collection.files] == [
        f"{SITE}/Six.Thing-1.0.dist-info/INSTALLER",
        f"{SITE}/Six.Thing-1.0.dist-info/METADATA",
        f"{SITE}/Six.Thing-1.0.dist-info/RECORD",
        f"{SITE}/six.py",
        "share/six/x.txt",
    ]
    assert collection.files[3].digest == EMPTY
    assert collection.is_cacheable
    for file in collection.files:
        content = (staged.root / file.path).read_bytes()
        assert (file.digest, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_record_is_rewritten(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/z.py": "", f"{SITE}/b.py": ""}, record="b.py,sha256=AAAA,7\n")

    collection = collected(staged, "a")

    rows = contents_of(staged, collection, "a")["a-1.0.dist-info/RECORD"].splitlines()
    empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"
    assert rows == sorted(rows)
    assert {f"b.py,{empty}", f"z.py,{empty}", "a-1.0.dist-info/RECORD,,"} <= set(rows)
    assert collection.messages == (f"The RECORD of a has wrong hashes: {SITE}/b.py",)


def test_files_that_differ_between_tools_and_runs_are_dropped(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a.py": ""}, INSTALLER="uv")
    info = f"{SITE}/a-1.0.dist-info"
    put(staged, {f"{info}/{name}": "" for name in ("REQUESTED", "uv_cache.json", "uv_build.json")})
    put(staged, {".lock": "", f"{SITE}/__pycache__/a.cpython-39.pyc": "x"})

    collection = contents_of(staged, collected(staged, "a"), "a")

    assert sorted(collection) == [
        *(f"a-1.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD")),
        "a.py",
    ]
    assert collection["a-1.0.dist-info/INSTALLER"] == "cnb-python\n"


@pytest.mark.parametrize(
    "record", ["../../../../secret,,\n", "../../../bin/../../secret,,\n", "/etc/passwd,,\n"]
)
def test_files_outside_environment_are_not_read(tmp_path: Path, record: str) -> None:
    staged = staged_environment(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    install(staged, "a", {f"{SITE}/a.py": ""}, record=f"a.py,,\n{record}")
    (staged.root / SITE / "to_secret").symlink_to(secret)
    (staged.root / SITE / "to_directory").symlink_to(tmp_path)

    collection = collected(staged, "a")

    (each,) = collection.distributions
    assert all(file.digest != hashlib.sha256(b"secret").hexdigest() for file in each.files)
    assert [file.target for file in each.files if file.target] == [str(tmp_path), str(secret)]
    assert secret.read_text() == "secret"
    assert "outside the environment" in collection.messages[0]


@pytest.mark.parametrize("record", ["", "\0\0", ",,,\n"])
def test_files_without_record_are_assigned_by_top_level_names(tmp_path: Path, record: str) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a/x.py": ""}, record=record, top_level__txt="a\n")
    install(staged, "b", {f"{SITE}/b.py": ""})

    collection = collected(staged, "a", "b")

    assert "a/x.py" in contents_of(staged, collection, "a")


def test_missing_files_of_record_are_ignored(tmp_path: Path) -> None:
    combined, separate = staged_environment(tmp_path / "1"), staged_environment(tmp_path / "2")
    install(combined, "b", {f"{SITE}/b.py": ""})
    for staged in (combined, separate):
        install(staged, "a", {f"{SITE}/a/x.py": ""}, record="missing.py,sha256=x,1\n")

    assert collected(combined, "a", "b").conflicts == (frozenset("ab"),)
    assert "a/x.py" in contents_of(separate, collected(separate, "a"), "a")


def test_modes_are_normalized(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a/x.py": "", f"{SITE}/a/run": ""})
    (staged.root / SITE / "a/x.py").chmod(0o600)
    (staged.root / SITE / "a/run").chmod(0o4711)
    (staged.root / SITE / "a").chmod(0o2700)

    (collection,) = collected(staged, "a").distributions

    modes = {file.path: file.is_program for file in collection.files if "/a/" in file.path}
    assert modes == {f"{SITE}/a/run": True, f"{SITE}/a/x.py": False}
    on_disk = [
        (staged.root / SITE / name).stat().st_mode & 0o7777 for name in ("a", "a/run", "a/x.py")
    ]
    assert on_disk == [0o755, 0o755, 0o644]


def test_special_files_are_removed(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a.py": ""})
    os.mkfifo(staged.root / SITE / "pipe")
    os.mknod(staged.root / SITE / "socket", status.S_IFSOCK | 0o600)

    (collection,) = collected(staged, "a").distributions

    assert not {f"{SITE}/pipe", f"{SITE}/socket"} & {file.path for file in collection.files}
    assert not (staged.root / SITE / "pipe").exists()


def test_files_of_environment_have_no_owner(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    files = {"pyvenv.cfg": "home = /evil", "bin/python3": "#!/evil", f"{SITE}/a.py": ""}
    (staged.root / "bin/python3").unlink()
    install(staged, "a", files, entry_points__txt="[console_scripts]\npython = a:b\n")

    (collection,) = collected(staged, "a").distributions

    assert [file.path for file in collection.files if SITE not in file.path] == []
    assert (staged.root / "bin/python").is_symlink()


def test_scripts_start_interpreter_of_image(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(
        staged,
        "a",
        {
            "bin/declared": "written by a tool",
            "bin/custom": f"#!{staged.root}/bin/python3\nprint()\n",
            "bin/other": "#!/bin/sh\n",
        },
        entry_points__txt="[console_scripts]\ndeclared = a:main\nabsent = a:main\n",
    )

    collection = contents_of(staged, collected(staged, "a"), "a")

    start = f"#!{FINAL}/bin/python\n"
    assert collection["../../../bin/declared"].startswith(
        f"{start}import sys\nfrom a import main\n"
    )
    assert collection["../../../bin/custom"] == f"{start}print()\n"
    assert collection["../../../bin/other"] == "#!/bin/sh\n"
    assert "../../../bin/absent" not in collection
    for name in ("declared", "custom", "other"):
        assert os.access(staged.root / "bin" / name, os.X_OK), name


def test_overlapping_distributions_are_a_conflict(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/cv2.py": "1"})
    install(staged, "b", {f"{SITE}/cv2.py": "2"})
    install(staged, "c", {f"{SITE}/c.py": ""})

    collection = collected(staged, "a", "b", "c")

    assert collection.conflicts == (frozenset("ab"),)
    assert [each.name for each in collection.distributions] == ["c"]


def test_common_file_with_equal_content_is_no_conflict(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    for name in "ab":
        install(staged, name, {f"{SITE}/ns/__init__.py": "same", f"{SITE}/ns/{name}.py": ""})

    collection = collected(staged, "a", "b")

    assert collection.conflicts == ()
    for each in collection.distributions:
        assert f"{SITE}/ns/__init__.py" in {file.path for file in each.files}


def test_common_file_unlike_records_is_a_conflict(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    for name in "ab":
        install(staged, name, {f"{SITE}/ns/__init__.py": "same"})
    put(staged, {f"{SITE}/ns/__init__.py": "another"})

    assert collected(staged, "a", "b").conflicts == (frozenset("ab"),)


@pytest.mark.parametrize(("target_of_b", "is_conflict"), [("x:main", False), ("y:main", True)])
def test_common_script_is_a_conflict_if_entry_points_differ(
    tmp_path: Path, target_of_b: str, *, is_conflict: bool
) -> None:
    staged = staged_environment(tmp_path)
    for name, target in (("a", "x:main"), ("b", target_of_b)):
        points = f"[console_scripts]\nrun = {target}\n"
        install(staged, name, {"bin/run": f"written for {name}"}, entry_points__txt=points)

    assert bool(collected(staged, "a", "b").conflicts) == is_conflict


def test_unlisted_file_belongs_to_owner_of_directory(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a/x.py": ""}, unlisted={f"{SITE}/a/data/y.bin": "1"})
    install(staged, "b", {f"{SITE}/b.py": ""})

    collection = collected(staged, "a", "b")

    assert contents_of(staged, collection, "a")["a/data/y.bin"] == "1"
    assert (collection.conflicts, collection.messages) == ((), ())


def test_unlisted_file_with_several_candidates_is_a_conflict(tmp_path: Path) -> None:
    combined, separate = staged_environment(tmp_path / "1"), staged_environment(tmp_path / "2")
    install(combined, "a", {f"{SITE}/a.py": ""}, unlisted={f"{SITE}/stray.py": ""})
    install(combined, "b", {f"{SITE}/b.py": ""})
    install(separate, "a", {f"{SITE}/a.py": ""}, unlisted={f"{SITE}/stray.py": ""})

    collection = collected(combined, "a", "b")

    assert collection.conflicts == (frozenset("ab"),)
    assert collection.messages == (f"Not listed in any RECORD: {SITE}/stray.py",)
    assert "stray.py" in contents_of(separate, collected(separate, "a"), "a")


def test_file_without_owner_is_removed(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    put(staged, {f"{SITE}/stray.py": ""})

    collection = collected(staged)

    assert collection.distributions == ()
    assert collection.messages == (f"Not listed in any RECORD: {SITE}/stray.py",)
    assert not (staged.root / SITE / "stray.py").exists()


def test_unexpected_distributions_are_reported(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a/x.py": ""})
    install(staged, "b", {f"{SITE}/b/x.py": ""})
    install(staged, "unasked", {f"{SITE}/unasked.py": ""})

    collection = collected(staged, "a", "b", "absent")

    assert collection.messages[0] == "unasked was installed but is not pinned"
    assert collection.missing == ("absent",)


def test_dist_info_inside_other_distribution_belongs_to_it(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    inner = {f"{SITE}/inner-2.0.dist-info/METADATA": "Name: inner\nVersion: 2.0\n"}
    install(staged, "a", {f"{SITE}/a/x.py": "", **inner})
    install(staged, "b", {f"{SITE}/b/x.py": ""})

    collection = collected(staged, "a", "b")

    assert "inner-2.0.dist-info/METADATA" in contents_of(staged, collection, "a")
    assert (collection.messages, collection.conflicts) == ((), ())


def test_dist_info_of_pinned_version_counts(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "Thing", {f"{SITE}/thing.py": ""}, version="1.0")
    install(staged, "thing", version="2.0")

    collection = collected(staged, "thing")

    assert [each.version for each in collection.distributions] == ["1.0"]
    assert "thing is installed twice" in collection.messages


def test_egg_info_has_files_it_lists(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    info = f"{SITE}/old_thing-3.0-py3.14.egg-info"
    put(
        staged,
        {
            f"{info}/PKG-INFO": "Name: old-thing\nVersion: 3.0\n",
            f"{info}/installed-files.txt": "../old/__init__.py\nPKG-INFO\n",
            f"{SITE}/old/__init__.py": "",
            f"{SITE}/flat-1.0.egg-info": "Name: flat\nVersion: 1.0\n",
        },
    )

    collection = collected(staged, "old-thing", "flat")

    assert {
        each.name: [file.path for file in each.files] for each in collection.distributions
    } == {
        "flat": [f"{SITE}/flat-1.0.egg-info"],
        "old-thing": [
            f"{SITE}/old/__init__.py",
            f"{info}/PKG-INFO",
            f"{info}/installed-files.txt",
        ],
    }


GIT = '{"url": "https://me:secret@example.org/x", "vcs_info": {"vcs": "git", "commit_id": "1"}}'
EDITABLE = f'{{"url": "file://{FINAL}/src/thing", "dir_info": {{"editable": true}}}}'
DIRECTORY = '{"url": "file:///workspace/thing", "dir_info": {}}'
EDITABLE_DIRECTORY = '{"url": "file:///workspace/thing", "dir_info": {"editable": true}}'


@pytest.mark.parametrize(
    ("direct_url", "is_kept", "is_cacheable"),
    [(GIT, True, True), (DIRECTORY, False, False), (EDITABLE_DIRECTORY, True, False)],
)
def test_direct_url_is_kept_for_editable_and_vcs(
    tmp_path: Path, direct_url: str, *, is_kept: bool, is_cacheable: bool
) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a.py": ""}, direct_url__json=direct_url)

    collection = collected(staged, "a")

    text = contents_of(staged, collection, "a").get("a-1.0.dist-info/direct_url.json", "")
    assert bool(text) == is_kept
    assert "secret" not in text
    assert collection.distributions[0].is_cacheable == is_cacheable
    assert collection.distributions[0].from_source == (direct_url == GIT)


def test_pin_that_is_not_cacheable_gives_distribution_that_is_not(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a.py": ""})

    assert not collected(staged, pin("a", is_cacheable=False)).distributions[0].is_cacheable


def test_checkout_belongs_to_its_distribution_without_history(
    tmp_path: Path,
) -> None:
    staged = staged_environment(tmp_path)
    checkout = {
        "src/thing/thing.py": "",
        "src/thing/.git/config": "url = https://me:secret@example.org",
        "src/thing/vendored/.git": "gitdir: ../.git/modules/vendored",
        "src/thing/__pycache__/thing.cpython-39.pyc": "",
    }
    install(staged, "thing", {f"{SITE}/thing.pth": ""}, direct_url__json=EDITABLE)
    install(staged, "other", {f"{SITE}/other.py": ""})
    put(staged, checkout)

    collection = collected(staged, "thing", "other")

    files = contents_of(staged, collection, "thing")
    assert [path for path in files if "/src/" in path] == ["../../../src/thing/thing.py"]
    assert collection.distributions[1].is_cacheable
    assert not list(staged.root.rglob(".git"))


def test_wheel_with_linux_tag_is_from_source(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    for name, tag in (("built", "cp314-cp314-linux_x86_64"), ("fetched", "py3-none-any")):
        install(staged, name, WHEEL=f"Wheel-Version: 1.0\nTag: {tag}\n")

    built, fetched = collected(staged, "built", "fetched").distributions

    assert (built.from_source, fetched.from_source) == (True, False)


def test_undecodable_names_are_kept(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a/x.py": ""})
    odd = f'{SITE}/a/caf\udce9, "x"\n.txt'
    (staged.root / odd).touch()

    (collection,) = collected(staged, "a").distributions

    assert odd in {file.path for file in collection.files}


def test_metadata_files_are_listed_before_collecting(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "Ruamel.Yaml")
    (staged.root / SITE / "broken-1.0.dist-info").mkdir()

    metadata = f"{SITE}/Ruamel.Yaml-1.0.dist-info/METADATA"
    assert staged.metadata_files() == {"ruamel-yaml": staged.root / metadata}


def test_two_thousand_distributions_are_collected_in_time(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    names = [f"d{number:04}" for number in range(2000)]
    for name in names:
        install(staged, name, {f"{SITE}/{name}.py": ""})

    collection = collected(staged, *names)

    assert [each.name for each in collection.distributions] == names
    assert {len(each.files) for each in collection.distributions} == {4}


def test_control_characters_in_messages_are_escaped(tmp_path: Path) -> None:
    staged = staged_environment(tmp_path)
    install(staged, "a", {f"{SITE}/a.py": ""}, record="a.py,,\n/\x1b[2J,,\n")

    (message,) = collected(staged, "a").messages

    assert message.isprintable()
    assert "[2J" in message
