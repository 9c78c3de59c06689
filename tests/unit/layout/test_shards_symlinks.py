"""Symbolic links of distributions keep their destination inside a shard."""

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
    """Return the target in the shard of `a` of `a/link`, installed as a link to *target*."""
    more = distribution("a", [*A.files, f"{PACKAGE}/own/x.py", symlink(f"{PACKAGE}/link", target)])
    shards = {shard.name: shard for shard in shards_of([more, B])}
    return shards["deps-a"].files[f"{PACKAGE}/link"].file.target


@pytest.mark.parametrize(
    "target", ["__init__.py", "./own/../own/x.py", "own", "../a/own/", "/usr/share/zoneinfo"]
)
def test_link_inside_shard_keeps_target(target: str) -> None:
    assert target_of(target) == target


@pytest.mark.parametrize(
    ("target", "destination"),
    [
        ("../b/__init__.py", f"{SITE}/b/__init__.py"),
        ("..", SITE),
        ("../../../../bin/python", "bin/python"),
        ("../../../..", ""),
        ("../../../../../python/bin", "../python/bin"),
        ("missing", f"{PACKAGE}/missing"),
    ],
)
def test_link_out_of_shard_leads_through_venv(target: str, destination: str) -> None:
    assert target_of(target) == f"../../../../../../venv/{destination}"


def test_retargeted_link_has_digest_of_new_target() -> None:
    distribution_with_link = distribution("a", [*A.files, symlink(f"{PACKAGE}/link", "../b")])
    (link,) = [
        owned.file
        for shard in shards_of([distribution_with_link, B])
        for owned in shard.files.values()
        if owned.file.target
    ]
    assert link == symlink(f"{PACKAGE}/link", link.target)._replace(size=link.size)


def test_links_resolve_as_in_ordinary_environment(tmp_path: Path) -> None:
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
    distributions = [
        distribution("a", [*A.files, *files]),
        distribution("b", [*B.files, f"{SITE}/loose.py", "share/doc/b.txt"]),
    ]
    plain, venv = tmp_path / "plain", tmp_path / "venv"
    for root in (plain, venv):
        (root / "bin").mkdir(parents=True)
        (root / "bin/python").write_text("ELF")
        (root / "lib/python3.14/site-packages").mkdir(parents=True)
    roots = {each.name: install(each, tmp_path / each.name) for each in distributions}
    for each in distributions:
        install(each, plain)

    shards = shards_of(distributions)
    materialize_links(venv_entries(shards, "3.14"), venv, roots.__getitem__)
    for shard in shards:
        materialize_shard(shard, tmp_path / shard.name, roots.__getitem__)

    for link in links:
        expected, actual = plain / link, venv / link
        assert expected.exists(), f"{link} leads nowhere to begin with"
        if expected.is_dir():
            assert sorted(p.name for p in actual.iterdir()) == sorted(
                p.name for p in expected.iterdir()
            )
        else:
            assert actual.read_bytes()[:200] == expected.read_bytes()[:200]
