"""Names of files in messages."""

from cnb_python.errors.choosing import NoRequirements


def test_file_name_with_line_break_stays_on_one_line() -> None:
    message = NoRequirements((), (), ("a\n[Error: b].py", "\x1b[31m", "ä\udcff.py"), ()).describe()

    assert r"a\n[Error: b].py, \x1b[31m, ä\udcff.py." in message.body[1]


def test_misspelt_name_with_line_break_stays_on_one_line() -> None:
    message = NoRequirements(("requirments.txt\n",), (), (), ()).describe()

    assert message.title == r"No requirements.txt, but requirments.txt\n"
