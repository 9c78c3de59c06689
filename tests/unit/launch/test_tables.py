"""The tables of frameworks and tools agree with each other."""

from cnb_python.launch.tables.background import BACKGROUND_TOOLS
from cnb_python.launch.tables.frameworks import FRAMEWORKS
from cnb_python.launch.tables.tried import TRIED
from cnb_python.launch.tables.web_programs import WEB_PROGRAMS


def test_releases_that_were_tried_are_of_rows_of_the_tables() -> None:
    titles = {each.title for each in FRAMEWORKS}
    titles |= {each.title for each in WEB_PROGRAMS}
    titles |= {each.title for each in BACKGROUND_TOOLS}

    assert TRIED.keys() - titles == set()
    assert [*TRIED] == sorted(TRIED, key=str.lower)
