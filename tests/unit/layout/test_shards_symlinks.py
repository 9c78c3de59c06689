"""Symbolic links of distributions lead where they did, also from inside a share."""

from pathlib import Path

import pytest

from cnb_python.layout.links import venv_entries
from cnb_python.layout.materialize import materialize_links, materialize_shard
from cnb_python.layout.shards import shards_of
from tests.support.installed import SITE, distribution, file, heavy, install, symlink

PACKAGE = f"{SITE}/a"
A = heavy("a", 20)
B = heavy("b", 20)


def target_of(target: str) -> str:
    """Return where `a/link`, made as a link to *target*, leads in the share of `a`."""
    more = distribution("a", [*A.files, f"{PACKAGE}/own/x.py", symlink(f"{PACKAGE}/link", target)])
    shards = {shard.name: shard for shard in shards_of([more, B])}
    return shards["deps-a"].files[f"{PACKAGE}/link"].file.target


@pytest.mark.parametrize(
    "target", ["__init__.py", "./own/../own/x.py", "own", "../a/own/", "/usr/share/zoneinfo"]
)
def test_a_link_to_what_lies_beside_it_stays_as_it_is(target: str) -> None:
    assert target_of(target) == target


@pytest.mark.parametrize(
    ("target", "aim"),
    [
        ("../b/__init__.py", f"{SITE}/b/__init__.py"),
        ("..", SITE),
        ("../../../../bin/python", "bin/python"),
        ("../../../..", ""),
        ("../../../../../python/bin", "../python/bin"),
        ("missing", f"{PACKAGE}/missing"),
    ],
)
def test_a_link_that_leaves_its_share_goes_by_way_of_the_environment(
    target: str, aim: str
) -> None:
    assert target_of(target) == f"../../../../../../venv/{aim}"


def test_a_link_that_is_led_on_has_the_digest_of_its_new_target() -> None:
    outward = distribution("a", [*A.files, symlink(f"{PACKAGE}/link", "../b")])
    (link,) = [
        owned.file
        for shard in shards_of([outward, B])
        for owned in shard.files.values()
        if owned.file.target
    ]
    assert link == symlink(f"{PACKAGE}/link", link.target)._replace(size=link.size)


def test_links_resolve_as_in_an_ordinary_environment(tmp_path: Path) -> None:
    links = {
        f"{PACKAGE}/to_own": "own/x.py",
        f"{PACKAGE}/to_own_directory": "own",
        f"{PACKAGE}/own/to_other": "../../b/__init__.py",
        f"{PACKAGE}/to_other_directory": "../b",
        f"{PACKAGE}/to_another_link": "own/to_other",
        f"{PACKAGE}/through_a_link": "to_other_directory/__init__.py",
        f"{PACKAGE}/to_loose": "../loose.py",
        "bin/to_python": "python",
        "bin/to_module": f"../{SITE}/b/__init__.py",
        "share/doc/to_doc": "a.txt",
    }
    files = [file(path, f"a:{path}") for path in (f"{PACKAGE}/own/x.py", "share/doc/a.txt")]
    files += [symlink(path, target) for path, target in links.items()]
    some = [
        distribution("a", [*A.files, *files]),
        distribution("b", [*B.files, f"{SITE}/loose.py", "share/doc/b.txt"]),
    ]
    plain, venv = tmp_path / "plain", tmp_path / "venv"
    for root in (plain, venv):
        (root / "bin").mkdir(parents=True)
        (root / "bin/python").write_text("ELF")
        (root / "lib/python3.14/site-packages").mkdir(parents=True)
    roots = {one.name: install(one, tmp_path / one.name) for one in some}
    for one in some:
        install(one, plain)

    shards = shards_of(some)
    materialize_links(venv_entries(shards, "3.14"), venv, roots.__getitem__)
    for shard in shards:
        materialize_shard(shard, tmp_path / shard.name, roots.__getitem__)

    for link in links:
        expected, found = plain / link, venv / link
        assert expected.exists(), f"{link} leads nowhere to begin with"
        if expected.is_dir():
            assert sorted(p.name for p in found.iterdir()) == sorted(
                p.name for p in expected.iterdir()
            )
        else:
            assert found.read_bytes()[:200] == expected.read_bytes()[:200]
