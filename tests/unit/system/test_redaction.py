"""Credentials are removed from all output."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.system import redaction
from cnb_python.system.program_output import LONGEST_LINE, ProgramOutput
from cnb_python.system.redaction import redact
from cnb_python.system.secret_values import as_secrets, secrets_of


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host/simple", "https://****@host/simple"),
        ("https://token@host/simple", "https://****@host/simple"),
        ("https://${USER}:secret@host", "https://****@host"),
        ("https://dl.cloudsmith.io/T/org/x", "https://dl.cloudsmith.io/****/org/x"),
        ("https://dl.cloudsmith.io/public/org/x", "https://dl.cloudsmith.io/public/org/x"),
        ("https://u:p@dl.cloudsmith.io/basic/o", "https://****@dl.cloudsmith.io/basic/o"),
        ("https://pypi.fury.io/T/me/", "https://pypi.fury.io/****/me/"),
        ("https://packagecloud.io/priv/T/x", "https://packagecloud.io/priv/****/x"),
        ("https://pypi.anaconda.org/t/T/x", "https://pypi.anaconda.org/t/****/x"),
        ("broken by 'x': /a-1.whl?sig=T&se=1", "broken by 'x': /a-1.whl?****"),
        ("https://user:p@ss@host/", "https://****@host/"),
        ("git+ssh://git@host/x.git", "git+ssh://****@host/x.git"),
        ("two: http://a:b@c http://d:e@f", "two: http://****@c http://****@f"),
        ("'https://a:b@host'", "'https://****@host'"),
        ("https://user:****@host", "https://****@host"),
        ("https://host/simple?token=T0K", "https://host/simple?****"),
        ("https://host/a?t=1,2, http://b?c#d", "https://host/a?****, http://b?****#d"),
        ("(from https://host/x/?t=1) (new)", "(from https://host/x/?****) (new)"),
        ("[https://a:b@host/?k=v]", "[https://****@host/?****]"),
    ],
)
def test_credentials_are_replaced(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://host/simple",
        "pkg @ https://host/a/b.whl",
        "https://host/@scope/name",
        "https://${USER}:${TOKEN}@HOST/simple, https://${TOKEN}@HOST, https://USER:TOKEN@HOST/",
        "mail me@example.org",
        "https://docs.djangoproject.com/en/5.2/topics/auth/default/",
        "https://example.readthedocs.io/en/latest/auth/oauth2",
        "https://github.com/example/shop/blob/main/docs/auth/login.md#section",
        "file:///srv/auth/wheels",
        "",
    ],
)
def test_other_text_is_not_changed(text: str) -> None:
    assert redact(text) == text


@given(st.from_regex(r"[a-zA-Z0-9:.%!$&*+=~-]{1,30}", fullmatch=True))
def test_no_credentials_survive(secret: str) -> None:
    assert redact(f"Looking in https://{secret}@host/simple") == (
        "Looking in https://****@host/simple"
    )


SAID = "Looking in indexes: {}, {}, {}"


def test_pips_output_about_odd_urls_has_no_secret() -> None:
    indexes = (
        "http://127.0.0.1/simple?token=T0KENQ",
        "http://user:pa/S3C@127.0.0.1/simple",
        "user:N0SCHEME@host/simple",
    )
    environ = {"PIP_INDEX_URL": indexes[0], "PIP_EXTRA_INDEX_URL": " ".join(indexes[1:])}

    assert redact(SAID.format(*indexes), secrets_of(environ)) == SAID.format(
        "http://127.0.0.1/simple?****", "http://****@127.0.0.1/simple", "****@host/simple"
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("PIP_INDEX_URL", "https://me:s3cr%21t@host/", "s3cr!t"),
        ("PIP_INDEX_URL", "https://me:s3cr!t@host/", "s3cr%21t"),
        ("PIP_index-url", "https://t0ken@host/", "t0ken"),
        ("PIP_FIND_LINKS", "/srv/wheels https://host/?key=s3cret&a=b", "s3cret"),
        ("PIP_FIND_LINKS", "https://host/?key=s3c%2Fret", "s3c/ret"),
        ("PIP_PROXY", "me:s3cret@proxy:3128", "s3cret"),
        ("https_proxy", "http://me:s3#cret@proxy:3128", "s3#cret"),
        ("UV_INDEX", "mine=https://me:s3cret@host/", "s3cret"),
        ("UV_INDEX_MINE_PASSWORD", "s3cret", "s3cret"),
    ],
)
def test_secrets_of_variables_are_replaced(name: str, value: str, shown: str) -> None:
    assert redact(f"tried {shown}.", secrets_of({name: value})) == "tried ****."


@pytest.mark.parametrize(
    "environ",
    [
        {"PIP_INDEX_URL": "https://me:abc@host/simple?a=b"},
        {"PIP_INDEX_URL": "https://package:s3cret@host/simple"},
        {"PIP_INDEX_URL": "https://host:8080/@scope/simple"},
        {"PIP_FIND_LINKS": "/simple/package@1 file:///simple/@host"},
        {"HTTP_PROXY": "http://host:3128", "NO_PROXY": "host,package"},
        {"UV_INDEX_STRATEGY": "package", "MESSAGE": "https://x:package@host"},
        {},
    ],
)
def test_words_are_not_taken_for_secrets(environ: dict[str, str]) -> None:
    text = "No package abc at https://host/simple, https://host:8080/@scope/simple (host)"

    assert redact(text, secrets_of(environ)) == text


@given(st.text(min_size=1), st.dictionaries(st.sampled_from(["PIP_INDEX_URL", "X"]), st.text()))
def test_any_variable_and_any_text_are_accepted(text: str, environ: dict[str, str]) -> None:
    secrets = secrets_of(environ)

    assert not any(len(secret) < 4 for secret in secrets)
    assert secrets or redact(text, secrets) == redact(text)


SOURCES = sorted(Path(redaction.__file__).parents[1].rglob("*.py"))


def test_no_link_in_our_own_messages_is_masked() -> None:
    urls = {
        url
        for source in SOURCES
        for url in re.findall(r"https?://[\w.-]+/[\w./#-]*", source.read_text(encoding="utf-8"))
    }

    assert len(urls) > 50
    assert [url for url in urls if redact(url) != url] == []


SECRET = "s3cr\u00e4t words " * 1500
"""Longer than a line that is kept, with spaces and with characters of two bytes."""
DASHES = SECRET.replace(" ", "-")


@pytest.mark.parametrize("secret", [SECRET, DASHES, DASHES[:600]])
@pytest.mark.parametrize("before", [0, 1, 5000, *range(LONGEST_LINE - 620, LONGEST_LINE + 10, 7)])
def test_no_part_of_a_secret_is_left_where_a_line_of_a_program_is_cut(
    secret: str, before: int
) -> None:
    lines: list[str] = []
    output = ProgramOutput(lines.append)
    output.add(f"{'x' * before}{secret} {'y' * 9000}\n".encode())
    kept = output.finish()

    secrets = as_secrets([secret])
    for text in {*lines, kept}:
        shown = redact(text, secrets)
        assert "s3cr" not in shown
        assert "words" not in shown


@pytest.mark.parametrize("before", range(LONGEST_LINE - 60, LONGEST_LINE + 10))
def test_no_credentials_are_left_where_a_line_of_a_program_is_cut(before: int) -> None:
    output = ProgramOutput(None)
    output.add(f"{'x' * before} https://me:s3cret-s3cret@example.org/\n".encode() + b"y" * 9000)
    output.add(f"{'x' * before}'https://me:s3cret-s3cret@example.org/{'y' * 9000}".encode())

    assert "s3c" not in redact(output.finish())


def test_end_of_a_secret_in_an_endless_line_is_not_kept() -> None:
    output = ProgramOutput(None)
    output.add(b"s3cret-" * 500_000)

    assert output.finish() == "[a line of more than 1,048,576 bytes]"


def test_beginning_of_a_secret_is_replaced_only_where_text_was_cut() -> None:
    secrets = ("swordfish-9",)

    assert redact("the swordfish… and swordfish", secrets) == "the ****… and swordfish"
    assert (
        redact("swor [and 1,234 more bytes] sword", secrets) == "**** [and 1,234 more bytes] sword"
    )
    assert redact("swo…", secrets) == "swo…"
