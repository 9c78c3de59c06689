"""Each line of a Procfile is a process, or a reported problem."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.errors.config import BadProcfile, ProcfileProblem
from cnb_python.launch import procfile


def commands(text: str) -> dict[str, str]:
    return {entry.type: entry.command for entry in procfile.parse(text)}


def problems(text: str) -> tuple[tuple[int, str, ProcfileProblem], ...]:
    with pytest.raises(BadProcfile) as caught:
        procfile.parse(text)
    return caught.value.problems


def test_process_types_keep_their_order() -> None:
    text = "web: gunicorn app:app\nworker: celery -A shop worker\nrelease: python a.py\n"

    assert list(commands(text)) == ["web", "worker", "release"]
    assert commands(text)["worker"] == "celery -A shop worker"


def test_command_may_contain_colons() -> None:
    assert commands("web: gunicorn --bind [::]:8000 app:app") == {
        "web": "gunicorn --bind [::]:8000 app:app"
    }


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_of_any_system_are_read(end: str) -> None:
    assert commands(end.join(["web: a", "worker: b", ""])) == {"web": "a", "worker": "b"}


def test_comments_blank_lines_and_indentation_are_ignored() -> None:
    text = "# what runs\n\n   \n  web:gunicorn app:app  \n\t# worker: celery\n"

    assert commands(text) == {"web": "gunicorn app:app"}


def test_other_separators_do_not_end_a_line() -> None:
    """`str.splitlines` also splits at characters that editors do not show as line ends."""
    assert commands("web: echo a\u2028b") == {"web": "echo a\u2028b"}


def test_empty_procfile_has_no_process() -> None:
    assert procfile.parse("# nothing yet\n") == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("gunicorn app", "no colon"),
        ("web", "no colon"),
        ("we b: gunicorn", "type"),
        ("wéb: gunicorn", "type"),
        (": gunicorn", "type"),
        ("../web: gunicorn", "type"),
        ("..: gunicorn", "type"),
        ("-web: gunicorn", "type"),
        ("web:", "no command"),
        ("web: # gunicorn app:app", "no command"),
        ("web: gunicorn 'app", "open quote"),
        ("web: gunicorn\0app", "control character"),
    ],
)
def test_invalid_line_is_reported(line: str, problem: str) -> None:
    assert problems(f"good: a\n{line}\n") == ((2, line, problem),)


def test_every_invalid_line_is_reported() -> None:
    text = "web: a\nweb: b\nnothing\nworker:\n"

    assert [(number, kind) for number, _, kind in problems(text)] == [
        (2, "twice"),
        (3, "no colon"),
        (4, "no command"),
    ]


def test_utf16_without_bom_is_refused() -> None:
    text = "web: gunicorn app:app\n".encode("utf-16-le").decode()

    assert {kind for _, _, kind in problems(text)} == {"control character"}


def test_message_shows_the_lines_and_the_format() -> None:
    message = BadProcfile(((3, "web gunicorn\x07 " + "x" * 100, "no colon"),)).describe()

    assert message.title == "The Procfile is not valid"
    _, line, expected = message.body
    assert line.startswith("  line 3: no colon")
    assert "web gunicorn\N{REPLACEMENT CHARACTER} xxx" in line
    assert len(line) < 150
    assert "web: gunicorn --bind 0.0.0.0:$PORT app:app" in expected


@pytest.mark.parametrize(
    ("types", "default"),
    [
        (["worker", "web"], "web"),
        (["bot"], "bot"),
        (["a", "b"], ""),
        ([], ""),
        (["release", "worker"], "worker"),
        (["release"], "release"),
        (["release", "a", "b"], ""),
    ],
)
def test_web_or_the_only_type_is_the_default(types: list[str], default: str) -> None:
    assert procfile.default_type(types) == default


def test_misnamed_procfile_is_recognized() -> None:
    names = {"procfile", "Procfile.txt", "Procfile", "Procfile.dev", "Procfile.windows", "app.py"}

    assert procfile.misnamed(names) == ("Procfile.txt", "procfile")


@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    entries: tuple[procfile.ProcfileEntry, ...] = ()
    refused: list[int] = []
    try:
        entries = procfile.parse(text)
    except BadProcfile as error:
        refused = [number for number, _, _ in error.problems]
        assert len(error.describe().body) == len(refused) + 2 > 2  # noqa: PT017 - either may happen
    assert len({entry.type for entry in entries}) == len(entries)
    assert all(entry.launch.argv for entry in entries)
    assert all(number >= 1 for number in refused)
