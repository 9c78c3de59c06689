"""Which values are secrets, and that no spelling of them is printed."""

import base64
import json
import re
import shlex
import time
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnb_python.bindings.hidden_values import binding_secrets
from cnb_python.cnb.bindings import read_bindings
from cnb_python.system.redaction import redact
from cnb_python.system.secret_values import as_secrets, named_secrets, secrets_in, secrets_of

SECRET = "s3cr\"et/ 'é\\x+=&"


def test_every_spelling_of_a_secret_is_replaced() -> None:
    in_json = json.dumps(SECRET)[1:-1]
    forms = {
        *(SECRET, repr(SECRET)[1:-1], repr(SECRET.encode())[2:-1]),
        *(in_json, json.dumps(SECRET, ensure_ascii=False)[1:-1], in_json.replace("/", "\\/")),
        *(in_json.replace("\\", "\\\\"), escape(SECRET), shlex.quote(SECRET)[1:-1]),
        *(quote(SECRET, safe=""), quote(SECRET), quote_plus(SECRET)),
        re.sub("%..", lambda code: code[0].lower(), quote(SECRET, safe="")),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode(),
    }
    secrets = secrets_of({"MY_TOKEN": SECRET})

    assert {form: redact(form, secrets) for form in forms if redact(form, secrets) != "****"} == {}
    assert redact(base64.b64encode(f"{SECRET}@host".encode()).decode(), secrets)[:4] == "****"


@pytest.mark.parametrize(
    ("name", "value", "printed"),
    [
        ("PKG_TOKEN", "aB3dE5gH7", "aB3dE5gH7"),
        ("SECRET_KEY", "django-insecure-1x", "django-insecure-1x"),
        ("AWS_SECRET_ACCESS_KEY", "abcd1234/efgh", "abcd1234/efgh"),
        ("MYAPIKEY", "0123456789abcdef", "0123456789abcdef"),
        ("db-password", "correct-horse-battery", "correct-horse-battery"),
        ("ANYTHING", "https://me:hunter2hunter2@host/x", "hunter2hunter2"),
        ("DATABASE_URL", "postgres://app:pA55w0rd@db/x", "pA55w0rd"),
        ("SENTRY_DSN", "https://0a1b2c3d4e@sentry.example/1", "0a1b2c3d4e"),
        ("STORE", "https://x.blob.example/c?sig=AbC%2Fd1f2", "AbC/d1f2"),
        ("VCAP_SERVICES", '{"a": [{"password": "x9x9x9x9x"}]}', "x9x9x9x9x"),
        ("PIP_INDEX_URL", "https://host/T0K3Nab/simple/", "T0K3Nab"),
        ("PIP_INDEX_URL", "https://dl.cloudsmith.io/abcdefgh/o/r/python/simple", "abcdefgh"),
        ("UV_INDEX", "a=https://pypi.fury.io/abcdefgh/me/", "abcdefgh"),
        ("PIP_EXTRA_INDEX_URL", "https://packagecloud.io/priv/abcdefgh/x/pypi/simple", "abcdefgh"),
        ("PIP_INDEX_URL", "https://tokentoken:@packagecloud.io/x/pypi/simple", "tokentoken"),
        ("PIP_INDEX_URL", "https://ghp1x:x-oauth-basic@host/x", "ghp1x"),
        ("BP_PYTHON_MIRROR", "me:s3cret@host/pythons", "s3cret"),
        ("BP_DEPENDENCY_MIRROR_X", "https://host/t/s3cretpart/x", "s3cretpart"),
        ("PRIVATE_KEY", "-----BEGIN X-----\nMIIEvAIBADANBg1\n-----END X-----", "MIIEvAIBADANBg1"),
    ],
)
def test_values_that_are_secrets_are_replaced_wherever_they_stand(
    name: str, value: str, printed: str
) -> None:
    assert redact(f"tried {printed}.", secrets_of({name: value})) == "tried ****."


@pytest.mark.parametrize(
    ("name", "value", "printed"),
    [
        ("POSTGRES_PASSWORD", "postgres", "No module named postgres"),
        ("DATABASE_URL", "postgres://postgres:postgres@db/postgres", "postgres://db/postgres"),
        ("SECRET_VERSION", "production", "production"),
        ("GOOGLE_APPLICATION_CREDENTIALS", "/workspace/key.json", "/workspace/key.json"),
        ("AUTH_USER_MODEL", "accounts.User", "accounts.User"),
        ("PWD", "/workspace/app1x", "/workspace/app1x"),
        ("API_KEY", "2024.1.16", "tzdata 2024.1.16"),
        ("PIP_FIND_LINKS", "/srv/py3k1x/wheels", "/srv/py3k1x/wheels"),
        ("PIP_INDEX_URL", "https://host/artifactory/api/pypi/python3/simple", "python3 simple"),
        ("PIP_INDEX_URL", "https://download.pytorch.org/whl/cu121", "torch+cu121"),
    ],
)
def test_ordinary_words_are_kept(name: str, value: str, printed: str) -> None:
    assert redact(printed, secrets_of({name: value})) == printed


def test_a_word_that_is_a_secret_is_replaced_beside_its_name() -> None:
    environ = {"DB_PASSWORD": "swordfish"}
    secrets = secrets_of(environ)

    for printed in (f"{environ}", json.dumps(environ), "DB_PASSWORD=swordfish"):
        assert "swordfish" not in redact(printed, secrets)


def test_variables_in_addresses_of_the_apps_files_are_secrets() -> None:
    text = "--extra-index-url https://me:${ARTIFACTORY}@host/simple\n"
    secrets = secrets_in(text, {"ARTIFACTORY": "swordfish"})
    header = base64.b64encode(b"me:swordfish").decode()

    assert redact(f"ARTIFACTORY=swordfish; Basic {header}", secrets) == (
        "ARTIFACTORY=****; Basic ****"
    )
    assert redact("Write https://${ARTIFACTORY}@HOST", secrets_in(text, {})) == (
        "Write https://${ARTIFACTORY}@HOST"
    )


def test_digests_in_addresses_of_files_are_no_secrets() -> None:
    text = f'url = "https://host/packages/ab/cd/{"0a" * 30}/x-1-py3-none-any.whl"'

    assert secrets_in(text) == ()


def test_values_of_bindings_are_secrets(tmp_path: Path) -> None:
    values = {
        "db": {"type": "postgresql", "host": "db.example.org", "password": "swordfish"},
        "sas": {"type": "storage", "sas-uri": "https://h/?sig=aB3dE5gH7", "blob": "zY8xW7vU6"},
        "ca": {"type": "ca-certificates", "ca.pem": "-----BEGIN CERTIFICATE-----\nMIIDabcd1\n"},
        "pip": {"type": "pip", "pip.conf": "index-url = https://me:inPipConf@h/\n"},
    }
    for name, files in values.items():
        (tmp_path / name).mkdir()
        for key, value in files.items():
            (tmp_path / name / key).write_text(f"{value}\n", encoding="utf-8")
    secrets = binding_secrets(read_bindings(tmp_path))

    assert redact("swordfish aB3dE5gH7 zY8xW7vU6 inPipConf", secrets) == "**** **** **** ****"
    assert redact("db.example.org MIIDabcd1", secrets) == "db.example.org MIIDabcd1"


def test_large_values_of_bindings_do_not_slow_the_log_down() -> None:
    lines = [f"MIID{number:08}abcd" for number in range(100_000)]
    public = "-----BEGIN CERTIFICATE-----\n" + "\n".join(lines) + "\n-----END CERTIFICATE-----\n"
    key = "-----BEGIN PRIVATE KEY-----\nMIIEvAIBADANBg1\n-----END PRIVATE KEY-----"

    assert named_secrets({"ca.crt": public, "bundle": public * 2}) == ()
    assert redact("MIIEvAIBADANBg1", named_secrets({"tls.pem": public + key})) == "****"
    assert 0 < len(named_secrets({"truststore.jks": "\n".join(lines)})) < 10_000


def test_overlapping_secrets_leave_nothing() -> None:
    assert redact("abcdefghij", ("abcdef", "defghij", "cde")) == "****"


@given(st.binary(min_size=1, max_size=40))
def test_values_that_are_no_text_are_accepted(value: bytes) -> None:
    text = value.decode(errors="surrogateescape")

    assert as_secrets([text]) is not None
    assert secrets_of({"X_TOKEN": text, "PIP_INDEX_URL": f"https://me:{text}@host"}) is not None


LONG = 300_000


@pytest.mark.parametrize(
    "part",
    [
        "a",
        "a.",
        "http://",
        "://",
        "?a",
        "//a/",
        "//t/",
        " ",
        "x@",
        "https://a?",
        "a/t/",
        "\n",
        "@",
    ],
)
def test_any_text_is_redacted_in_linear_time(part: str) -> None:
    """In quadratic time each of these takes a minute or more."""
    start = time.process_time()

    redact(part * (LONG // len(part)), ("aaaaaaaab", "x@x@x@x/"))

    assert time.process_time() - start < 2
