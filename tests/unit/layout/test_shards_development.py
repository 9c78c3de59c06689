"""The shard of what only tests and development need, beside unchanged shards of production."""

import pytest

from cnb_python.distributions.model import Distribution
from cnb_python.layout.conflicts import conflict_messages, owners_of
from cnb_python.layout.links import venv_entries
from cnb_python.layout.shards import shard_of_each, shards_of
from tests.support.installed import MEGABYTE, SITE, distribution, file, heavy, module, symlink

DEVELOPMENT = frozenset({"pytest", "plugin"})
PYTEST, PLUGIN = module("pytest"), module("plugin")
INIT = f"{SITE}/django/__init__.py"


def digests(*distributions: Distribution) -> dict[str, str]:
    shards = shards_of(distributions, development=DEVELOPMENT)
    return {shard.name: shard.digest for shard in shards}


@pytest.mark.parametrize(
    ("production", "development"),
    [
        ([module("django"), module("six")], [PYTEST]),
        # Together they are too large for one shard.
        ([module("django"), heavy("a", 20)], [heavy("pytest", 20), PLUGIN]),
        ([heavy("a", 40), module("six")], [PYTEST, heavy("plugin", 100)]),
        # The same path, with other contents.
        (
            [distribution("django", [file(INIT, "production")])],
            [distribution("pytest", [file(INIT, "development")])],
        ),
        # Bytecode of a module that production has, which has none itself.
        (
            [distribution("django", [file(f"{SITE}/m.py", "production")])],
            [
                distribution(
                    "pytest",
                    [
                        file(f"{SITE}/m.py", "development"),
                        file(f"{SITE}/__pycache__/m.cpython-314.pyc", "development"),
                    ],
                )
            ],
        ),
        # A file in a package of production.
        (
            [distribution("django", [file(INIT, "a")]), heavy("a", 40)],
            [distribution("pytest", [file(f"{SITE}/django/more.py", "b")])],
        ),
        # A link to a directory that has files for development too.
        (
            [
                distribution(
                    "django", [file(f"{SITE}/django/x", "a"), symlink("share/x", "../d")]
                ),
                distribution("six", [file("d/a", "a")]),
            ],
            [distribution("pytest", [file("d/b", "b")])],
        ),
    ],
)
def test_shards_of_production_do_not_change(
    production: list[Distribution], development: list[Distribution]
) -> None:
    alone, together = digests(*production), digests(*production, *development)

    assert {name: together.pop(name) for name in alone} == alone
    assert together.keys() <= {"deps-dev"}
    assert alone == {each.name: each.digest for each in shards_of(production)}


def test_shard_for_development_has_the_added_files_and_its_links_reach_production() -> None:
    linking = distribution("pytest", [symlink("share/x", f"../{INIT}"), file("share/y", "y")])
    django = distribution("django", [file(INIT, "a")])

    *_, shard = shards_of([linking, django], development=DEVELOPMENT)

    assert shard.name == "deps-dev"
    assert shard.distributions == ("pytest",)
    assert shard.files["share/x"].file.target == f"../../../venv/{INIT}"


def test_production_wins_a_path_whatever_the_names() -> None:
    production = distribution("a", [file(INIT, "production")])
    development = distribution("pytest", [file(INIT, "development")])

    assert owners_of([development, production], DEVELOPMENT).files[INIT].owner == "a"
    assert conflict_messages([development, production], DEVELOPMENT) == [
        f"{INIT} is in pytest and a; using a's copy"
    ]


def test_environment_links_to_both() -> None:
    shards = shards_of([module("django"), PYTEST], development=DEVELOPMENT)

    targets = {entry.shard for entry in venv_entries(shards, "3.14")}

    assert targets == {"deps-00", "deps-dev"}


def test_merged_layout_has_all_in_one_layer() -> None:
    (shard,) = shards_of([module("django"), PYTEST], merged=True, development=DEVELOPMENT)

    assert shard.distributions == ("django", "pytest")


def test_large_distribution_named_dev_has_another_layer() -> None:
    sizes = {each.name: each.size for each in (module("dev", size=40 * MEGABYTE), module("six"))}
    names = shard_of_each([module(name, size=size) for name, size in sizes.items()])

    assert names["dev"] != "deps-dev"
