"""Collecting distributions from their roots."""

import hashlib
import os
import shutil
import stat as status
from pathlib import Path

import pytest

from cnb_python.distributions.collect import InstalledPin, modules_of, normalize
from cnb_python.errors.base import ContractBroken
from tests.support.stages import (
    FINAL,
    SITE,
    collected,
    contents_of,
    install,
    new_root,
    pin,
    put,
)

EMPTY = hashlib.sha256(b"").hexdigest()


def test_distribution_lists_files_with_digests(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "Six.Thing", {f"{SITE}/six.py": "", "share/six/x.txt": ""})

    (collection,) = collected(root, "six-thing").distributions

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
        content = (root.path / file.path).read_bytes()
        assert (file.digest, file.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_record_is_rewritten(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/z.py": "", f"{SITE}/b.py": ""}, record="b.py,sha256=AAAA,7\n")

    collection = collected(root, "a")

    rows = contents_of(root, collection)["a-1.0.dist-info/RECORD"].splitlines()
    empty = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU,0"
    assert rows == sorted(rows)
    assert {f"b.py,{empty}", f"z.py,{empty}", "a-1.0.dist-info/RECORD,,"} <= set(rows)
    assert collection.messages == (f"The RECORD of a has wrong hashes: {SITE}/b.py",)


def test_files_that_differ_between_tools_and_runs_are_dropped(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a.py": ""}, INSTALLER="uv")
    info = f"{SITE}/a-1.0.dist-info"
    put(root, {f"{info}/{name}": "" for name in ("REQUESTED", "uv_cache.json", "uv_build.json")})
    put(root, {".lock": "", f"{SITE}/__pycache__/a.cpython-39.pyc": "x"})

    collection = contents_of(root, collected(root, "a"))

    assert sorted(collection) == [
        *(f"a-1.0.dist-info/{name}" for name in ("INSTALLER", "METADATA", "RECORD")),
        "a.py",
    ]
    assert collection["a-1.0.dist-info/INSTALLER"] == "cnb-python\n"


@pytest.mark.parametrize(
    "record", ["../../../../secret,,\n", "../../../bin/../../secret,,\n", "/etc/passwd,,\n"]
)
def test_files_outside_environment_are_not_read(tmp_path: Path, record: str) -> None:
    root = new_root(tmp_path)
    secret = tmp_path / "secret"
    secret.write_text("secret")
    install(root, "a", {f"{SITE}/a.py": ""}, record=f"a.py,,\n{record}")
    (root.path / SITE / "to_secret").symlink_to(secret)
    (root.path / SITE / "to_directory").symlink_to(tmp_path)

    collection = collected(root, "a")

    (each,) = collection.distributions
    assert all(file.digest != hashlib.sha256(b"secret").hexdigest() for file in each.files)
    assert [file.target for file in each.files if file.target] == [str(tmp_path), str(secret)]
    assert secret.read_text() == "secret"
    assert "outside the environment" in collection.messages[0]


def test_modes_are_normalized(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a/x.py": "", f"{SITE}/a/run": ""})
    (root.path / SITE / "a/x.py").chmod(0o600)
    (root.path / SITE / "a/run").chmod(0o4711)
    (root.path / SITE / "a").chmod(0o2700)

    (collection,) = collected(root, "a").distributions

    modes = {file.path: file.is_program for file in collection.files if "/a/" in file.path}
    assert modes == {f"{SITE}/a/run": True, f"{SITE}/a/x.py": False}
    on_disk = [
        (root.path / SITE / name).stat().st_mode & 0o7777 for name in ("a", "a/run", "a/x.py")
    ]
    assert on_disk == [0o755, 0o755, 0o644]


def test_special_files_are_removed(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a.py": ""})
    os.mkfifo(root.path / SITE / "pipe")
    os.mknod(root.path / SITE / "socket", status.S_IFSOCK | 0o600)

    (collection,) = collected(root, "a").distributions

    assert not {f"{SITE}/pipe", f"{SITE}/socket"} & {file.path for file in collection.files}
    assert not (root.path / SITE / "pipe").exists()


def test_files_of_environment_have_no_owner(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    files = {"pyvenv.cfg": "home = /evil", "bin/python3": "#!/evil", f"{SITE}/a.py": ""}
    (root.path / "bin/python3").unlink()
    install(root, "a", files, entry_points__txt="[console_scripts]\npython = a:b\n")

    (collection,) = collected(root, "a").distributions

    assert [file.path for file in collection.files if SITE not in file.path] == []
    assert (root.path / "bin/python").is_symlink()


def test_scripts_start_interpreter_of_image(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(
        root,
        "a",
        {
            "bin/declared": "written by a tool",
            "bin/custom": f"#!{root.path}/bin/python3\nprint()\n",
            "bin/other": "#!/bin/sh\n",
        },
        entry_points__txt="[console_scripts]\ndeclared = a:main\nabsent = a:main\n",
    )

    collection = contents_of(root, collected(root, "a"))

    start = f"#!{FINAL}/bin/python\n"
    assert collection["../../../bin/declared"].startswith(
        f"{start}import sys\nfrom a import main\n"
    )
    assert collection["../../../bin/custom"] == f"{start}print()\n"
    assert collection["../../../bin/other"] == "#!/bin/sh\n"
    assert "from a import main" in collection["../../../bin/absent"]
    for name in ("declared", "absent", "custom", "other"):
        assert os.access(root.path / "bin" / name, os.X_OK), name


def test_dist_info_of_pinned_version_counts(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "Thing", {f"{SITE}/thing.py": ""}, version="1.0")
    install(root, "thing", version="2.0")

    collection = collected(root, "thing")

    assert [each.version for each in collection.distributions] == ["1.0"]


def test_root_without_pinned_distribution_breaks_contract(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "other")

    with pytest.raises(ContractBroken) as raised:
        collected(root, "a")

    assert raised.value.problem == "pinned and not installed: a"


def test_files_that_no_record_lists_belong_to_distribution(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a/x.py": ""}, unlisted={f"{SITE}/stray.py": "1"})

    collection = collected(root, "a")

    assert contents_of(root, collection)["stray.py"] == "1"
    assert collection.messages == ()


@pytest.mark.parametrize("target", ["..", "/"])
def test_no_script_is_written_through_link(tmp_path: Path, target: str) -> None:
    root = new_root(tmp_path)
    shutil.rmtree(root.path / "bin")
    (root.path / "bin").symlink_to(target)
    install(root, "a", entry_points__txt="[console_scripts]\nstray-script = a:main\n")

    (collection,) = collected(root, "a").distributions

    assert [file.path for file in collection.files if file.target] == ["bin"]
    assert not (tmp_path / "stray-script").exists()
    assert not Path("/stray-script").exists()


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
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a.py": ""}, direct_url__json=direct_url)

    collection = collected(root, "a")

    text = contents_of(root, collection).get("a-1.0.dist-info/direct_url.json", "")
    assert bool(text) == is_kept
    assert "secret" not in text
    assert collection.distributions[0].is_cacheable == is_cacheable


def test_pin_that_is_not_cacheable_gives_distribution_that_is_not(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a.py": ""})

    assert not collected(root, pin("a", is_cacheable=False)).distributions[0].is_cacheable


def test_checkout_belongs_to_its_distribution_without_history(
    tmp_path: Path,
) -> None:
    root = new_root(tmp_path)
    checkout = {
        "src/thing/thing.py": "",
        "src/thing/.git/config": "url = https://me:secret@example.org",
        "src/thing/vendored/.git": "gitdir: ../.git/modules/vendored",
        "src/thing/__pycache__/thing.cpython-39.pyc": "",
    }
    install(root, "thing", {f"{SITE}/thing.pth": ""}, direct_url__json=EDITABLE)
    put(root, checkout)

    collection = collected(root, "thing")

    files = contents_of(root, collection)
    assert [path for path in files if "/src/" in path] == ["../../../src/thing/thing.py"]
    assert collection.distributions[0].is_cacheable
    assert not list(root.path.rglob(".git"))


WHEEL_ADDRESS = '{"url": "https://example.org/a-1.0-py3-none-any.whl", "archive_info": {}}'
SDIST_ADDRESS = '{"url": "https://example.org/a-1.0.tar.gz", "archive_info": {}}'


@pytest.mark.parametrize(
    ("information", "may_be_built", "from_source"),
    [
        ({}, False, False),
        ({}, True, True),
        ({"direct_url__json": GIT}, True, True),
        ({"direct_url__json": DIRECTORY}, True, True),
        ({"direct_url__json": SDIST_ADDRESS}, True, True),
        ({"direct_url__json": WHEEL_ADDRESS}, True, False),
    ],
)
def test_what_is_not_from_wheel_is_from_source(
    tmp_path: Path, information: dict[str, str], *, may_be_built: bool, from_source: bool
) -> None:
    root = new_root(tmp_path)
    install(root, "a", None, unlisted=None, record=None, version="1.0", **information)

    (collection,) = collected(root, "a", may_be_built=may_be_built).distributions

    assert collection.from_source == from_source


def test_modules_of_test_suites_are_not_compiled(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    compiled = {
        f"{SITE}/{path}"
        for path in ("a/x.py", "a/test_x.py", "a/tests/runner.py", "a/attests/test_x.py")
    }
    suites = [f"{SITE}/{path}" for path in ("a/tests/test_x.py", "a/test/deep/test_y.py")]
    install(root, "a", dict.fromkeys((*compiled, *suites), ""))

    installed = InstalledPin(pin("a"), root, may_be_built=False)
    package = modules_of(normalize(installed))

    assert {module.path for module in package.modules} == compiled


def test_undecodable_names_are_kept(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a/x.py": ""})
    odd = f'{SITE}/a/caf\udce9, "x"\n.txt'
    (root.path / odd).touch()

    (collection,) = collected(root, "a").distributions

    assert odd in {file.path for file in collection.files}


def test_control_characters_in_messages_are_escaped(tmp_path: Path) -> None:
    root = new_root(tmp_path)
    install(root, "a", {f"{SITE}/a.py": ""}, record="a.py,,\n/\x1b[2J,,\n")

    (message,) = collected(root, "a").messages

    assert message.isprintable()
    assert "[2J" in message
