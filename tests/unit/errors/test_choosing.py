"""Names of files as messages show them."""

from cnb_python.errors.choosing import NoRequirements


def test_a_name_cannot_begin_a_line_of_its_own() -> None:
    message = NoRequirements((), (), ("a\n[Error: b].py", "\x1b[31m", "ä\udcff.py"), ()).describe()

    assert r"a\n[Error: b].py, \x1b[31m, ä\udcff.py." in message.body[1]


def test_a_misspelt_name_is_shown_so_too() -> None:
    message = NoRequirements(("requirments.txt\n",), (), (), ()).describe()

    assert message.title == r"No requirements.txt, but requirments.txt\n"
