"""Taking a stage apart."""

import hashlib
import os
import stat as status
from pathlib import Path

import pytest

from tests.support.stages import FINAL, SITE, contents, install, pin, put, stage, taken

EMPTY = hashlib.sha256(b"").hexdigest()


def test_distribution_lists_files_with_digests(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "Six.Thing", {f"{SITE}/six.py": "", "share/six/x.txt": ""})

    (found,) = taken(where, "six-thing").distributions

    assert (found.name, found.version, found.origin) == ("six-thing", "1.0", "origin of six-thing")
    assert [file.path for file in found.files] == [
        f"{SITE}/Six.Thing-1.0.dist-info/INSTALLER",
        f"{SITE}/Six.Thing-1.0.dist-info/METADATA",
        f"{SITE}/Six.Thing-1.0.dist-info/RECORD",
        f"{SITE}/six.py",
        "share/six/x.txt",
    ]
    assert found.files[3].digest == EMPTY
    assert found.is_cacheable
    for file in found.files:
        content = (where.root / file.path).read_bytes()
        assert (file.digest, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_record_is_rewritten(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/z.py": "", f"{SITE}/b.py": ""}, record="b.py,sha256=AAAA,7\n")

    found = taken(where, "a")

    rows = contents(where, found, "a")["a-1.0.dist-info/RECORD"].splitlines()
    empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"
    assert rows == sorted(rows)
    assert {f"b.py,{empty}", f"z.py,{empty}", "a-1.0.dist-info/RECORD,,"} <= set(rows)
    assert found.notes == (f"The RECORD of a is wrong about {SITE}/b.py",)


def test_files_that_differ_between_tools_and_runs_are_dropped(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a.py": ""}, INSTALLER="uv")
    info = f"{SITE}/a-1.0.dist-info"
    put(where, {f"{info}/{name}": "" for name in ("REQUESTED", "uv_cache.json", "uv_build.json")})
    put(where, {".lock": "", f"{SITE}/__pycache__/a.cpython-39.pyc": "x"})

    found = contents(where, taken(where, "a"), "a")

    assert sorted(found) == [
        *(f"a-1.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD")),
        "a.py",
    ]
    assert found["a-1.0.dist-info/INSTALLER"] == "cnb-python\n"


@pytest.mark.parametrize(
    "record", ["../../../../secret,,\n", "../../../bin/../../secret,,\n", "/etc/passwd,,\n"]
)
def test_files_outside_environment_are_not_read(tmp_path: Path, record: str) -> None:
    where = stage(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    install(where, "a", {f"{SITE}/a.py": ""}, record=f"a.py,,\n{record}")
    (where.root / SITE / "to_secret").symlink_to(secret)
    (where.root / SITE / "to_directory").symlink_to(tmp_path)

    found = taken(where, "a")

    (one,) = found.distributions
    assert all(file.digest != hashlib.sha256(b"secret").hexdigest() for file in one.files)
    assert [file.target for file in one.files if file.target] == [str(tmp_path), str(secret)]
    assert secret.read_text() == "secret"
    assert "outside the environment" in found.notes[0]


@pytest.mark.parametrize("record", ["", "\0\0", ",,,\n"])
def test_files_without_record_are_assigned_by_top_level_names(tmp_path: Path, record: str) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a/x.py": ""}, record=record, top_level__txt="a\n")
    install(where, "b", {f"{SITE}/b.py": ""})

    found = taken(where, "a", "b")

    assert "a/x.py" in contents(where, found, "a")


def test_missing_files_of_record_are_ignored(tmp_path: Path) -> None:
    together, alone = stage(tmp_path / "1"), stage(tmp_path / "2")
    install(together, "b", {f"{SITE}/b.py": ""})
    for where in (together, alone):
        install(where, "a", {f"{SITE}/a/x.py": ""}, record="missing.py,sha256=x,1\n")

    assert taken(together, "a", "b").conflicts == (frozenset("ab"),)
    assert "a/x.py" in contents(alone, taken(alone, "a"), "a")


def test_modes_are_normalized(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a/x.py": "", f"{SITE}/a/run": ""})
    (where.root / SITE / "a/x.py").chmod(0o600)
    (where.root / SITE / "a/run").chmod(0o4711)
    (where.root / SITE / "a").chmod(0o2700)

    (found,) = taken(where, "a").distributions

    modes = {file.path: file.is_program for file in found.files if "/a/" in file.path}
    assert modes == {f"{SITE}/a/run": True, f"{SITE}/a/x.py": False}
    on_disk = [
        (where.root / SITE / name).stat().st_mode & 0o7777 for name in ("a", "a/run", "a/x.py")
    ]
    assert on_disk == [0o755, 0o755, 0o644]


def test_special_files_are_removed(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a.py": ""})
    os.mkfifo(where.root / SITE / "pipe")
    os.mknod(where.root / SITE / "socket", status.S_IFSOCK | 0o600)

    (found,) = taken(where, "a").distributions

    assert not {f"{SITE}/pipe", f"{SITE}/socket"} & {file.path for file in found.files}
    assert not (where.root / SITE / "pipe").exists()


def test_files_of_environment_have_no_owner(tmp_path: Path) -> None:
    where = stage(tmp_path)
    files = {"pyvenv.cfg": "home = /evil", "bin/python3": "#!/evil", f"{SITE}/a.py": ""}
    (where.root / "bin/python3").unlink()
    install(where, "a", files, entry_points__txt="[console_scripts]\npython = a:b\n")

    (found,) = taken(where, "a").distributions

    assert [file.path for file in found.files if SITE not in file.path] == []
    assert (where.root / "bin/python").is_symlink()


def test_scripts_start_interpreter_of_image(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(
        where,
        "a",
        {
            "bin/declared": "whatever a tool wrote",
            "bin/brought": f"#!{where.root}/bin/python3\nprint()\n",
            "bin/other": "#!/bin/sh\n",
        },
        entry_points__txt="[console_scripts]\ndeclared = a:main\nabsent = a:main\n",
    )

    found = contents(where, taken(where, "a"), "a")

    start = f"#!{FINAL}/bin/python\n"
    assert found["../../../bin/declared"].startswith(f"{start}import sys\nfrom a import main\n")
    assert found["../../../bin/brought"] == f"{start}print()\n"
    assert found["../../../bin/other"] == "#!/bin/sh\n"
    assert "../../../bin/absent" not in found
    for name in ("declared", "brought", "other"):
        assert os.access(where.root / "bin" / name, os.X_OK), name


def test_overlapping_distributions_are_a_conflict(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/cv2.py": "1"})
    install(where, "b", {f"{SITE}/cv2.py": "2"})
    install(where, "c", {f"{SITE}/c.py": ""})

    found = taken(where, "a", "b", "c")

    assert found.conflicts == (frozenset("ab"),)
    assert [one.name for one in found.distributions] == ["c"]


def test_common_file_with_equal_content_is_no_conflict(tmp_path: Path) -> None:
    where = stage(tmp_path)
    for name in "ab":
        install(where, name, {f"{SITE}/ns/__init__.py": "same", f"{SITE}/ns/{name}.py": ""})

    found = taken(where, "a", "b")

    assert found.conflicts == ()
    for one in found.distributions:
        assert f"{SITE}/ns/__init__.py" in {file.path for file in one.files}


def test_common_file_unlike_records_is_a_conflict(tmp_path: Path) -> None:
    where = stage(tmp_path)
    for name in "ab":
        install(where, name, {f"{SITE}/ns/__init__.py": "same"})
    put(where, {f"{SITE}/ns/__init__.py": "another"})

    assert taken(where, "a", "b").conflicts == (frozenset("ab"),)


@pytest.mark.parametrize(("called", "is_conflict"), [("x:main", False), ("y:main", True)])
def test_common_script_is_a_conflict_if_entry_points_differ(
    tmp_path: Path, called: str, *, is_conflict: bool
) -> None:
    where = stage(tmp_path)
    for name, target in (("a", "x:main"), ("b", called)):
        points = f"[console_scripts]\nrun = {target}\n"
        install(where, name, {"bin/run": f"written for {name}"}, entry_points__txt=points)

    assert bool(taken(where, "a", "b").conflicts) == is_conflict


def test_unlisted_file_belongs_to_owner_of_directory(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a/x.py": ""}, unlisted={f"{SITE}/a/data/y.bin": "1"})
    install(where, "b", {f"{SITE}/b.py": ""})

    found = taken(where, "a", "b")

    assert contents(where, found, "a")["a/data/y.bin"] == "1"
    assert (found.conflicts, found.dropped, found.notes) == ((), (), ())


def test_unlisted_file_with_several_candidates_is_a_conflict(tmp_path: Path) -> None:
    together, alone = stage(tmp_path / "1"), stage(tmp_path / "2")
    install(together, "a", {f"{SITE}/a.py": ""}, unlisted={f"{SITE}/stray.py": ""})
    install(together, "b", {f"{SITE}/b.py": ""})
    install(alone, "a", {f"{SITE}/a.py": ""}, unlisted={f"{SITE}/stray.py": ""})

    found = taken(together, "a", "b")

    assert found.conflicts == (frozenset("ab"),)
    assert found.notes == (f"No package names {SITE}/stray.py as its own",)
    assert "stray.py" in contents(alone, taken(alone, "a"), "a")


def test_file_without_owner_is_removed(tmp_path: Path) -> None:
    where = stage(tmp_path)
    put(where, {f"{SITE}/stray.py": ""})

    found = taken(where)

    assert (found.distributions, found.dropped) == ((), (f"{SITE}/stray.py",))
    assert not (where.root / SITE / "stray.py").exists()


def test_unexpected_distributions_are_reported(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a/x.py": ""})
    install(where, "b", {f"{SITE}/b/x.py": ""})
    install(where, "unasked", {f"{SITE}/unasked.py": ""})

    found = taken(where, "a", "b", "absent")

    assert (found.unpinned, found.missing) == (("unasked",), ("absent",))


def test_dist_info_inside_other_distribution_belongs_to_it(tmp_path: Path) -> None:
    where = stage(tmp_path)
    smuggled = {f"{SITE}/inner-2.0.dist-info/METADATA": "Name: inner\nVersion: 2.0\n"}
    install(where, "a", {f"{SITE}/a/x.py": "", **smuggled})
    install(where, "b", {f"{SITE}/b/x.py": ""})

    found = taken(where, "a", "b")

    assert "inner-2.0.dist-info/METADATA" in contents(where, found, "a")
    assert (found.unpinned, found.conflicts) == ((), ())


def test_dist_info_of_pinned_version_counts(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "Thing", {f"{SITE}/thing.py": ""}, version="1.0")
    install(where, "thing", version="2.0")

    found = taken(where, "thing")

    assert [one.version for one in found.distributions] == ["1.0"]
    assert "thing is there twice" in found.notes


def test_egg_info_has_files_it_lists(tmp_path: Path) -> None:
    where = stage(tmp_path)
    info = f"{SITE}/old_thing-3.0-py3.14.egg-info"
    put(
        where,
        {
            f"{info}/PKG-INFO": "Name: old-thing\nVersion: 3.0\n",
            f"{info}/installed-files.txt": "../old/__init__.py\nPKG-INFO\n",
            f"{SITE}/old/__init__.py": "",
            f"{SITE}/flat-1.0.egg-info": "Name: flat\nVersion: 1.0\n",
        },
    )

    found = taken(where, "old-thing", "flat")

    assert {one.name: [file.path for file in one.files] for one in found.distributions} == {
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
    ("direct_url", "is_there", "is_cacheable"),
    [(GIT, True, True), (DIRECTORY, False, False), (EDITABLE_DIRECTORY, True, False)],
)
def test_direct_url_is_kept_for_editable_and_vcs(
    tmp_path: Path, direct_url: str, *, is_there: bool, is_cacheable: bool
) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a.py": ""}, direct_url__json=direct_url)

    found = taken(where, "a")

    text = contents(where, found, "a").get("a-1.0.dist-info/direct_url.json", "")
    assert bool(text) == is_there
    assert "secret" not in text
    assert found.distributions[0].is_cacheable == is_cacheable
    assert found.distributions[0].from_source == (direct_url == GIT)


def test_pin_that_is_not_cacheable_gives_distribution_that_is_not(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a.py": ""})

    assert not taken(where, pin("a", is_cacheable=False)).distributions[0].is_cacheable


def test_checkout_belongs_to_its_distribution_without_history(
    tmp_path: Path,
) -> None:
    where = stage(tmp_path)
    checkout = {
        "src/thing/thing.py": "",
        "src/thing/.git/config": "url = https://me:secret@example.org",
        "src/thing/vendored/.git": "gitdir: ../.git/modules/vendored",
        "src/thing/__pycache__/thing.cpython-39.pyc": "",
    }
    install(where, "thing", {f"{SITE}/thing.pth": ""}, direct_url__json=EDITABLE)
    install(where, "other", {f"{SITE}/other.py": ""})
    put(where, checkout)

    found = taken(where, "thing", "other")

    files = contents(where, found, "thing")
    assert [path for path in files if "/src/" in path] == ["../../../src/thing/thing.py"]
    assert found.distributions[1].is_cacheable
    assert not list(where.root.rglob(".git"))


def test_wheel_with_linux_tag_is_from_source(tmp_path: Path) -> None:
    where = stage(tmp_path)
    for name, tag in (("built", "cp314-cp314-linux_x86_64"), ("fetched", "py3-none-any")):
        install(where, name, WHEEL=f"Wheel-Version: 1.0\nTag: {tag}\n")

    built, fetched = taken(where, "built", "fetched").distributions

    assert (built.from_source, fetched.from_source) == (True, False)


def test_undecodable_names_are_kept(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a/x.py": ""})
    odd = f'{SITE}/a/caf\udce9, "x"\n.txt'
    (where.root / odd).touch()

    (found,) = taken(where, "a").distributions

    assert odd in {file.path for file in found.files}


def test_metadata_files_are_listed_before_collecting(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "Ruamel.Yaml")
    (where.root / SITE / "broken-1.0.dist-info").mkdir()

    metadata = f"{SITE}/Ruamel.Yaml-1.0.dist-info/METADATA"
    assert where.metadata_files() == {"ruamel-yaml": where.root / metadata}


def test_two_thousand_distributions_are_collected_in_time(tmp_path: Path) -> None:
    where = stage(tmp_path)
    names = [f"d{number:04}" for number in range(2000)]
    for name in names:
        install(where, name, {f"{SITE}/{name}.py": ""})

    found = taken(where, *names)

    assert [one.name for one in found.distributions] == names
    assert {len(one.files) for one in found.distributions} == {4}


def test_control_characters_in_messages_are_escaped(tmp_path: Path) -> None:
    where = stage(tmp_path)
    install(where, "a", {f"{SITE}/a.py": ""}, record="a.py,,\n/\x1b[2J,,\n")

    (note,) = taken(where, "a").notes

    assert note.isprintable()
    assert "[2J" in note
