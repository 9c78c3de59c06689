"""Commands of a Procfile run in a shell only if they need one."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.launch.procfile import OpenQuote, parse_command, without_comment

PLAIN = [
    ("gunicorn app:app", ("gunicorn", "app:app")),
    ("  gunicorn   app:app  ", ("gunicorn", "app:app")),
    ("python -c 'print(1; 2)'", ("python", "-c", "print(1; 2)")),
    ('celery -A "my app" worker', ("celery", "-A", "my app", "worker")),
    (r"celery -A my\ app", ("celery", "-A", "my app")),
    ("celery worker -Q high,low", ("celery", "worker", "-Q", "high,low")),
    ("""gunicorn --log '{"a": 1}' app""", ("gunicorn", "--log", '{"a": 1}', "app")),
    ("gunicorn 'shop:create_app(\"$x\")'", ("gunicorn", 'shop:create_app("$x")')),
    ("python app.py --name=a=b", ("python", "app.py", "--name=a=b")),
    ("python 'it'\"'\"'s.py'", ("python", "it's.py")),
]


@pytest.mark.parametrize(("text", "argv"), PLAIN)
def test_plain_command_runs_without_a_shell(text: str, argv: tuple[str, ...]) -> None:
    assert parse_command(text).argv == argv


REPLACED = [
    ("gunicorn --bind :$PORT app:app", "exec gunicorn --bind :$PORT app:app"),
    ('gunicorn --bind ":$PORT" app:app', 'exec gunicorn --bind ":$PORT" app:app'),
    ("uvicorn main:app --port=${PORT:-8000}", "exec uvicorn main:app --port=${PORT:-8000}"),
    ("gunicorn -w $(nproc) app:app", "exec gunicorn -w $(nproc) app:app"),
    ("gunicorn -w $((2 * $(nproc) + 1)) app", "exec gunicorn -w $((2 * $(nproc) + 1)) app"),
    ("gunicorn -w `nproc` app:app", "exec gunicorn -w `nproc` app:app"),
    ("gunicorn --allow=* app:app", "exec gunicorn --allow=* app:app"),
    ("python ~/run.py", "exec python ~/run.py"),
    ("python run.py > log 2>&1", "exec python run.py > log 2>&1"),
    ("DEBUG=1 A='x y' python run.py", "DEBUG=1 A='x y' exec python run.py"),
    ("waitress-serve --port=$PORT app:app", "exec waitress-serve --port=$PORT app:app"),
    ("python app.py $A # $B", "exec python app.py $A"),
    ("cd shop && gunicorn shop.wsgi", "cd shop && exec gunicorn shop.wsgi"),
    (
        "python manage.py migrate; A=$B gunicorn x",
        "python manage.py migrate; A=$B exec gunicorn x",
    ),
    ("test -f a || python b.py", "test -f a || exec python b.py"),
    ("echo 'a && b' && python x.py", "echo 'a && b' && exec python x.py"),
    ("$SERVER app:app", "exec $SERVER app:app"),
]


@pytest.mark.parametrize(("text", "script"), REPLACED)
def test_shell_is_replaced_by_the_last_command(text: str, script: str) -> None:
    """A shell as process 1 would ignore SIGTERM; the command gets the user's arguments."""
    assert parse_command(text).argv == ("/bin/sh", "-c", f'{script} "$@"', "sh")


KEPT = [
    "gunicorn app:app | tee log",
    "python a.py & python b.py",
    "(cd shop; gunicorn shop.wsgi)",
    "while true; do python poll.py; done",
    "if test -f x; then python a.py; fi",
    "{ python a.py; }",
    "cd shop && exec gunicorn shop.wsgi",
    "python a.py && exit 3",
    "export A=1",
    "python app.py;",
    ">log python app.py",
    "exec -a name python app.py",
    "gunicorn app:app || exit 1",
    "A=1",
    "! python app.py",
]


@pytest.mark.parametrize("text", KEPT)
def test_command_that_exec_would_change_stays_in_the_shell(text: str) -> None:
    assert parse_command(text).argv == ("/bin/sh", "-c", text, "sh")


@pytest.mark.parametrize(
    "text",
    [
        "[[ -f x ]] && python a.py",
        "source env.sh && python a.py",
        "python a.py &> log",
        "python a.py <<< text",
        "diff <(ls a) <(ls b)",
        "python ${FILE//a/b}",
        "python ./run-{a,b}.py",
        "python $'a\\tb'",
        "time python a.py",
        "cd shop && time python a.py",
    ],
)
def test_bash_syntax_runs_in_bash(text: str) -> None:
    assert parse_command(text).argv[:2] == ("/bin/bash", "-c")


DIRECT = [
    "gunicorn app:app",
    "bin/uvicorn main:app --port $PORT",
    "exec gunicorn app:app",
    "A=1 celery -A shop worker",
    "cd shop && export A=1 && gunicorn --bind :$PORT shop.wsgi",
    "tini -- python app.py",
    "gunicorn app:app # in production",
]
UNDER_INIT = [
    *KEPT,
    "flask run",
    "python main.py",
    "waitress-serve --port=$PORT app:app",
    "env A=1 waitress-serve app:app",
    "bash run.sh",
    "sh -c 'gunicorn app:app'",
    "bin/start",
    # SIGTERM could come during the migration.
    "python manage.py migrate && gunicorn shop.wsgi",
    "cd shop && python manage.py migrate; gunicorn shop.wsgi",
    "time gunicorn app:app",
    "$SERVER app:app",
]


@pytest.mark.parametrize("text", DIRECT)
def test_server_that_handles_sigterm_is_process_1(text: str) -> None:
    assert not parse_command(text).needs_init


@pytest.mark.parametrize("text", UNDER_INIT)
def test_other_commands_need_an_init(text: str) -> None:
    assert parse_command(text).needs_init


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("python app.py # a comment", "python app.py"),
        ("gunicorn app:app  #don't", "gunicorn app:app"),
        ("gunicorn --bind :$PORT app:app # $(x", "gunicorn --bind :$PORT app:app"),
        ("celery -A a#b worker -Q '# c' \"# d\"", "celery -A a#b worker -Q '# c' \"# d\""),
        ("a && b;# c", "a && b;"),
        ("echo $# ${x# y}", "echo $# ${x# y}"),
        ("echo \\# a", "echo \\# a"),
        ("# only", ""),
    ],
)
def test_comment_at_the_end_is_cut(text: str, command: str) -> None:
    assert without_comment(text) == command


def test_redundant_exec_needs_no_shell() -> None:
    assert parse_command("exec gunicorn app:app").argv == ("gunicorn", "app:app")


@pytest.mark.parametrize("text", ["python 'a", 'python "a', "a\\", "it's", "a 'b' \""])
def test_open_quote_is_refused(text: str) -> None:
    with pytest.raises(OpenQuote):
        parse_command(text)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("gunicorn app:app", "gunicorn"),
        ("cd shop && gunicorn --bind :$PORT app:app", "gunicorn"),
        ("A=1 uvicorn main:app", "uvicorn"),
        ("gunicorn app:app | tee log", ""),
    ],
)
def test_program_is_the_last_command_if_known(text: str, program: str) -> None:
    assert parse_command(text).program == program


@given(st.lists(st.text(st.characters(exclude_characters="\0\r\n")), max_size=5))
def test_quoted_arguments_are_unchanged(arguments: list[str]) -> None:
    assert parse_command(shlex.join(["python", *arguments])).argv == ("python", *arguments)


@given(st.text(st.sampled_from("abc $&|;<>()'\"\\`*~#={}[]!-1"), min_size=1))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        argv = parse_command(text).argv
    except OpenQuote:
        return
    assert argv
    assert len(argv) != 4 or argv[0] != "/bin/sh" or argv[1] == "-c"
