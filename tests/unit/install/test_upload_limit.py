"""The limit on upload times: the earlier of the cooldown's and the user's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cnb_python.install.upload_limit import UploadLimit, pip_time, uv_time

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
LIMIT = UploadLimit(NOW - timedelta(days=7), NOW)
OURS = "2026-11-23T12:00:00Z"


# uv 0.13.8 accepted or rejected each of these; times without an offset are local.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30 days", "2026-10-31T12:00"),
        ("1 week, 2 days", "2026-11-21T12:00"),
        ("1w 2d", "2026-11-21T12:00"),
        ("2 hours 30 min", "2026-11-30T09:30"),
        ("2 weeks ago", "2026-11-16T12:00"),
        ("-7 days", "2026-11-23T12:00"),
        ("7days", "2026-11-23T12:00"),
        ("P1W2D", "2026-11-21T12:00"),
        ("p7d", "2026-11-23T12:00"),
        ("PT36H", "2026-11-29T00:00"),
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00"),
        ("2026-11-01T00:00:00+02:00", "2026-10-31T22:00"),
        ("2026-11-01 10:00:00Z", "2026-11-01T10:00"),
        *((text, "") for text in ("", "false", "P", "PT", "1 month", "P1M", "yesterday", "now")),
        *((text, "") for text in ("9999-12-31T23:59:59-23:00", "999999 weeks", "2026-13-01")),
    ],
)
def test_time_of_uv(text: str, expected: str) -> None:
    time = uv_time(text, NOW)

    assert (f"{time:%Y-%m-%dT%H:%M}" if time else "") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("P7D", "2026-11-23T12:00"),
        ("2026-11-01T00:00:00Z", "2026-11-01T00:00"),
        *((text, "") for text in ("", "7 days", "PT24H", "P9999999D", "tomorrow")),
    ],
)
def test_time_of_pip(text: str, expected: str) -> None:
    time = pip_time(text, NOW)

    assert (f"{time:%Y-%m-%dT%H:%M}" if time else "") == expected


def test_date_of_uv_includes_its_day_and_that_of_pip_does_not() -> None:
    of_pip, of_uv = pip_time("2026-11-01", NOW), uv_time("2026-11-01", NOW)

    assert of_pip
    assert of_uv
    assert of_uv - of_pip == timedelta(days=1)


def test_limit_of_the_cooldown(tmp_path: Path) -> None:
    applied = LIMIT.applied({"PATH": "/bin"}, tmp_path)

    expected = {"PATH": "/bin", "PIP_UPLOADED_PRIOR_TO": OURS, "UV_EXCLUDE_NEWER": OURS}
    assert applied == (expected, OURS, ())


@pytest.mark.parametrize("own", ["2026-11-29T00:00:00Z", "P1D"])
@pytest.mark.parametrize("name", ["PIP_UPLOADED_PRIOR_TO", "PIP_uploaded-prior_to"])
def test_later_limit_of_pip_is_ignored(tmp_path: Path, name: str, own: str) -> None:
    environ, _, notes = LIMIT.applied({name: own}, tmp_path)

    assert environ == {"PIP_UPLOADED_PRIOR_TO": OURS, "UV_EXCLUDE_NEWER": OURS}
    reason = f"(cooldown; PIP_UPLOADED_PRIOR_TO={own} is not earlier)"
    assert notes == (f"pip leaves out releases since {OURS} {reason}",)


@pytest.mark.parametrize("own", ["2026-11-29T00:00:00Z", "1 day", "false", "any\ntext"])
def test_later_limit_of_uv_is_ignored(tmp_path: Path, own: str) -> None:
    environ, _, notes = LIMIT.applied({"UV_EXCLUDE_NEWER": own}, tmp_path)

    assert environ["UV_EXCLUDE_NEWER"] == OURS
    assert len(notes) == 1
    assert "\n" not in notes[0]


def test_earlier_limits_of_the_user_apply(tmp_path: Path) -> None:
    own = {"PIP_UPLOADED_PRIOR_TO": "P30D", "UV_EXCLUDE_NEWER": "2026-11-01T00:00:00Z"}

    environ, latest, notes = LIMIT.applied(own, tmp_path)

    assert environ == {
        "PIP_UPLOADED_PRIOR_TO": "2026-10-31T12:00:00Z",
        "UV_EXCLUDE_NEWER": "2026-11-01T00:00:00Z",
    }
    assert latest == "2026-10-31T12:00:00Z"
    assert notes == (
        (
            "pip leaves out releases since 2026-10-31T12:00:00Z (PIP_UPLOADED_PRIOR_TO=P30D; "
            f"cooldown: {OURS})"
        ),
        (
            "uv leaves out releases since 2026-11-01T00:00:00Z "
            f"(UV_EXCLUDE_NEWER=2026-11-01T00:00:00Z; cooldown: {OURS})"
        ),
    )


def test_limits_in_configuration_files_apply(tmp_path: Path) -> None:
    pip_conf = tmp_path / "pip.conf"
    pip_conf.write_text("[global]\nuploaded-prior-to = P30D\n")
    (tmp_path / "pyproject.toml").write_text('[tool.uv.pip]\nexclude-newer = "60 days"\n')

    environ, _, _ = LIMIT.applied({"PIP_CONFIG_FILE": str(pip_conf)}, tmp_path)

    assert environ["PIP_UPLOADED_PRIOR_TO"] == "2026-10-31T12:00:00Z"
    assert environ["UV_EXCLUDE_NEWER"] == "2026-10-01T12:00:00Z"


def test_toml_date_in_a_file_of_uv_applies(tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("exclude-newer = 2026-11-01T00:00:00Z\n")

    environ, _, _ = LIMIT.applied({}, tmp_path)

    assert environ["UV_EXCLUDE_NEWER"] == "2026-11-01T00:00:00Z"


def test_limit_in_the_first_years_is_written_in_full(tmp_path: Path) -> None:
    environ, _, _ = LIMIT.applied({"UV_EXCLUDE_NEWER": "0020-01-01T00:00:00Z"}, tmp_path)

    assert environ["UV_EXCLUDE_NEWER"] == "0020-01-01T00:00:00Z"


def test_duration_longer_than_any_is_no_time() -> None:
    assert uv_time(" ".join(["999999w"] * 150), NOW) is None
