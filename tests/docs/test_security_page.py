"""The page about security names tests and attacks that exist."""

import re

from tests.support.attacks import ATTACKS
from tools.docs.site import DOCS, ROOT

PAGE = (DOCS / "security.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("| promise | tests |")[2].partition("\n\n")[0]


def test_every_file_on_the_page_exists() -> None:
    paths = re.findall(r"`(tests/[\w/.]+)`", PAGE)

    assert len(paths) > 10
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def test_every_promise_has_a_test() -> None:
    promises = re.findall(r"^(\d+)\. \*\*", PAGE, re.MULTILINE)
    rows = re.findall(r"^\| (\d+) \| .*`tests/|^\| (\d+) \| .*attack", TABLE, re.MULTILINE)

    assert len(promises) == 12
    assert [first or second for first, second in rows] == promises


def test_every_attack_in_the_table_exists() -> None:
    named = set(re.findall(r"`([a-z_]+)`", TABLE))

    assert named
    assert named <= ATTACKS.keys()
