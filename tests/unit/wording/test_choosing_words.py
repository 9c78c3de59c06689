"""Names of files as messages show them."""

from cnb_python.errors.choosing import NoRequirements
from cnb_python.messages import describe


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    message = describe(NoRequirements((), (), ("a\n[Error: b].py", "\x1b[31m", "ä\udcff.py"), ()))

    assert r"a\n[Error: b].py, \x1b[31m, ä\udcff.py." in message.body[1]


def test_a_misspelt_name_is_shown_so_too() -> None:
    message = describe(NoRequirements(("requirments.txt\n",), (), (), ()))

    assert message.title == r"No requirements.txt, but requirments.txt\n"
