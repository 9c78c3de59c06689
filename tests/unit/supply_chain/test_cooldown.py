"""The check of ages: what passes, what stops the build, and what is requested."""

import json
from collections.abc import Mapping
from copy import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cnb_python.config.settings import COOLDOWN, Settings
from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.network import IndexRefused, IndexUnreachable
from cnb_python.errors.supply_chain.cooldown import AgesUnknown, ReleasesTooYoung
from cnb_python.managers.base import PackageIndexes, Pin
from cnb_python.managers.index_config import PUBLIC_INDEX, package_indexes
from cnb_python.supply_chain.cooldown import passed
from cnb_python.supply_chain.cooldown.check import Cooldown
from cnb_python.supply_chain.cooldown.index_pages import ACCEPT
from cnb_python.system.interface import Download, System
from tests.support.fake_system import Log, world
from tests.support.messages import text_of

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
INDEX, SECOND = "https://index.example.org/simple/", "https://second.example.org/simple"
HASH = "a" * 64


def file(name: str, uploaded: str | None, sha256: str = HASH) -> dict[str, object]:
    time = {"upload-time": uploaded} if uploaded else {}
    return {"filename": name, "hashes": {"sha256": sha256}, **time}


def page(*files: Mapping[str, object]) -> str:
    return json.dumps({"meta": {"api-version": "1.4"}, "files": files})


LITELLM = page(
    file("litellm-1.82.8-py3-none-any.whl", "2026-11-28T09:15:00Z"),
    file("litellm-1.82.7-py3-none-any.whl", "2026-11-28T08:00:00Z"),
    file("litellm-1.82.6-py3-none-any.whl", "2026-11-01T00:00:00Z", "b" * 64),
)
LITELLM_PIN = Pin("litellm", "1.82.8", "", "litellm==1.82.8")
TOOLS_PIN = Pin("company-tools", "2.0", "", "company-tools==2.0")


class Index:
    """Answers requests with pages, or with failures, by their addresses."""

    def __init__(self, pages: Mapping[str, str | int]) -> None:
        self.pages = pages
        self.requested: list[Download] = []

    def __call__(self, download: Download, to: Path) -> None:
        self.requested.append(download)
        answer = self.pages.get(download.url, 404)
        if isinstance(answer, int):
            raise DownloadFailed(download.title, download.url, f"status {answer}", 1, answer)
        to.write_text(answer)


def check(
    pages: Mapping[str, str | int],
    *pins: Pin,
    indexes: tuple[tuple[str, ...], ...] = ((INDEX,),),
    now: datetime = NOW,
    **settings: object,
) -> tuple[Cooldown, Index, Log]:
    index = Index(pages)
    fake, _, log = world(lambda _: pytest.fail("nothing runs"))
    system: System = replace(fake, fetch=index, now=now)
    chosen = Settings(**{"cooldown": "7 days", **settings})  # type: ignore[arg-type]  # values of any setting
    cooldown = Cooldown(chosen, "3.14.6", system, "x86_64")
    cooldown.check(pins, pins, lambda: PackageIndexes(lambda _: indexes, {}))
    return cooldown, index, log


def test_young_release_stops_the_build() -> None:
    with pytest.raises(ReleasesTooYoung) as failure:
        check({f"{INDEX}litellm/": LITELLM}, LITELLM_PIN)

    (release,) = failure.value.releases
    assert release == (
        *("litellm", "1.82.8", "2026-11-28 09:15 UTC"),
        *("2026-12-05 09:16 UTC", "1.82.6"),
    )
    message = text_of(failure.value.describe())
    assert "litellm 1.82.8, uploaded 2026-11-28 09:15 UTC; 1.82.6 is old enough" in message
    assert failure.value.setting == COOLDOWN == "BP_PYTHON_COOLDOWN"
    assert "BP_PYTHON_COOLDOWN_EXCEPT=litellm" in message


@pytest.mark.parametrize("uploaded", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-12:00"])
def test_latest_possible_upload_time_is_young_or_unknown(uploaded: str) -> None:
    young = page(file("litellm-1.82.8-py3-none-any.whl", uploaded))

    with pytest.raises((ReleasesTooYoung, AgesUnknown)) as failure:
        check({f"{INDEX}litellm/": young}, LITELLM_PIN)

    assert "litellm" in text_of(failure.value.describe())


def test_old_release_passes_and_is_not_requested_again() -> None:
    pin = LITELLM_PIN._replace(version="1.82.6", line="litellm==1.82.6")
    own, index, log = check({f"{INDEX}litellm/": LITELLM}, pin)

    own.check([pin], [pin], lambda: pytest.fail("nothing is requested"))

    assert [each.url for each in index.requested] == [f"{INDEX}litellm/"]
    assert index.requested[0].accept == ACCEPT
    assert log.lines == ["Uploaded at least 7 days ago: 1 package"]


@pytest.mark.parametrize(
    ("now", "age", "stops"),
    [
        (datetime(2026, 12, 5, 9, 14, tzinfo=UTC), "7 days", True),
        (datetime(2026, 12, 5, 9, 15, tzinfo=UTC), "7 days", False),
        (datetime(2026, 11, 29, 9, 15, tzinfo=UTC), "24 hours", False),
        (datetime(2026, 11, 29, 9, 14, tzinfo=UTC), "24 hours", True),
    ],
)
def test_age_is_exact(now: datetime, age: str, *, stops: bool) -> None:
    pages = {f"{INDEX}litellm/": LITELLM}
    if stops:
        with pytest.raises(ReleasesTooYoung):
            check(pages, LITELLM_PIN, now=now, cooldown=age)
    else:
        check(pages, LITELLM_PIN, now=now, cooldown=age)


def test_excepted_package_may_have_any_age() -> None:
    own, index, _ = check({}, LITELLM_PIN, cooldown_except=("LiteLLM",))

    assert index.requested == []
    assert own.unchecked == {"litellm"}


def test_package_of_no_index_is_named_in_the_log() -> None:
    direct = Pin("shop", "", "", "-e /workspace", is_cacheable=False, by_itself=True)
    _, index, log = check({}, direct)

    assert index.requested == []
    assert log.lines == ["Without an upload time, since no index has them: shop"]


LOCK = """\
# pylock.toml
[[packages]]
name = "litellm"
version = "1.82.8"
index = "https://second.example.org/simple"

[[packages.wheels]]
url = "https://files.example.org/litellm-1.82.8-py3-none-any.whl"
hashes = {{sha256 = "{hash}"}}
{time}
"""


def locked(time: str = "") -> Pin:
    return LITELLM_PIN._replace(line=LOCK.format(time=time, hash=HASH))


def test_time_in_a_lock_spares_the_request() -> None:
    _, index, _ = check({}, locked("upload-time = 2026-11-01T00:00:00Z"))

    assert index.requested == []


def test_lock_without_times_names_the_index_to_ask() -> None:
    with pytest.raises(ReleasesTooYoung):
        check({f"{SECOND}/litellm/": LITELLM}, locked())


@pytest.mark.parametrize("pages", [{}, {f"{SECOND}/litellm/": LITELLM}])
def test_young_release_in_a_lock_is_shown_with_an_older_one_if_known(
    pages: Mapping[str, str],
) -> None:
    with pytest.raises(ReleasesTooYoung) as failure:
        check(pages, locked("upload-time = 2026-11-28T09:15:00Z"))

    assert failure.value.releases[0].older == ("1.82.6" if pages else "")


def test_index_without_times_stops_the_build() -> None:
    pages = {f"{INDEX}company-tools/": page(file("company_tools-2.0-py3-none-any.whl", None))}

    with pytest.raises(AgesUnknown) as failure:
        check(pages, TOOLS_PIN)

    assert vars(failure.value) == vars(AgesUnknown.example())
    assert "https://index.example.org/simple/ has no upload times" in str(failure.value)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("<html>", "https://index.example.org/simple/: it does not answer with JSON"),
        (404, "https://index.example.org/simple/ has no file of it that fits"),
        (page(), "https://index.example.org/simple/ has no file of it that fits"),
    ],
)
def test_index_that_does_not_tell_stops_the_build(answer: str | int, reason: str) -> None:
    with pytest.raises(AgesUnknown) as failure:
        check({f"{INDEX}company-tools/": answer}, TOOLS_PIN)

    assert failure.value.releases[0].reason == reason


def test_login_of_an_index_is_not_shown() -> None:
    with pytest.raises(AgesUnknown) as failure:
        check({}, TOOLS_PIN, indexes=(("https://me:secret@index.example.org/simple/",),))

    assert "secret" not in text_of(failure.value.describe())


@pytest.mark.parametrize(
    ("status", "kind"), [(401, IndexRefused), (403, IndexRefused), (500, IndexUnreachable)]
)
def test_index_that_fails(status: int, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        check({f"{INDEX}litellm/": status}, LITELLM_PIN)


def test_hash_tells_which_index_has_the_file() -> None:
    """The first index has another file of that release, which would be too young."""
    other = page(file("litellm-1.82.6-py3-none-any.whl", "2026-11-29T00:00:00Z", "c" * 64))
    line = f"litellm==1.82.6 --hash=sha256:{'b' * 64}"
    pin = LITELLM_PIN._replace(version="1.82.6", line=line)
    pages = {f"{INDEX}litellm/": other, f"{SECOND}/litellm/": LITELLM}

    _, index, _ = check(pages, pin, indexes=((INDEX, SECOND, PUBLIC_INDEX),))

    assert [each.url for each in index.requested] == [f"{INDEX}litellm/", f"{SECOND}/litellm/"]


@pytest.mark.parametrize(
    ("answer", "requests"), [(LITELLM, 1), ("<html>", 1), (page(), 2), (404, 2)]
)
def test_other_indexes_do_not_see_the_name_of_a_package(answer: str | int, requests: int) -> None:
    """Unless the index that the lock file names does not have it."""
    pages = {f"{INDEX}litellm/": answer, f"{SECOND}/litellm/": LITELLM}
    index = Index(pages)
    fake, _, _ = world(lambda _: pytest.fail("nothing runs"))
    own = Cooldown(Settings(cooldown="7 days"), "3.14.6", replace(fake, fetch=index, now=NOW))

    with pytest.raises((ReleasesTooYoung, AgesUnknown)):
        own.check(
            [LITELLM_PIN],
            [LITELLM_PIN],
            lambda: PackageIndexes(lambda _: ((INDEX,), (SECOND,)), {}),
        )

    assert len(index.requested) == requests


def test_without_a_hash_each_index_counts() -> None:
    """Any of them may be the one that the file comes from."""
    other = page(file("litellm-1.82.6-py3-none-any.whl", "2026-11-29T00:00:00Z", "c" * 64))
    pin = LITELLM_PIN._replace(version="1.82.6", line="litellm==1.82.6")
    pages = {f"{INDEX}litellm/": LITELLM, f"{SECOND}/litellm/": other}

    with pytest.raises(ReleasesTooYoung):
        check(pages, pin, indexes=((INDEX, SECOND),))


def test_indexes_of_variables() -> None:
    variables = {
        "UV_DEFAULT_INDEX": "https://index.example.org/simple",
        "UV_INDEX": "own=https://own.example.org/simple https://me:x@b.example.org/ /wheels",
        "UV_INDEX_OWN_USERNAME": "me",
        "UV_INDEX_OWN_PASSWORD": "a/b",
    }

    assert package_indexes(variables).of(TOOLS_PIN) == (
        (
            "https://me:a%2Fb@own.example.org/simple",
            "https://me:x@b.example.org/",
            "https://index.example.org/simple",
        ),
    )
    assert package_indexes({}, lambda _: (INDEX,)).of(TOOLS_PIN) == ((INDEX,), (PUBLIC_INDEX,))


@pytest.mark.parametrize(
    ("age", "excepted", "record", "reason"),
    [
        ("", (), "", ""),
        ("7 days", (), "168", ""),
        ("7 days", (), "720", ""),
        ("7 days", (), "24", "BP_PYTHON_COOLDOWN requires 7 days"),
        ("7 days", (), "", "BP_PYTHON_COOLDOWN requires 7 days"),
        ("7 days", (), "damaged", "BP_PYTHON_COOLDOWN requires 7 days"),
        ("7 days", ("A", "b"), "168 a", ""),
        ("7 days", ("b",), "168 a b", "BP_PYTHON_COOLDOWN_EXCEPT no longer names a"),
    ],
)
def test_what_passed_once_stays_passed(
    age: str, excepted: tuple[str, ...], record: str, reason: str
) -> None:
    settings = Settings(cooldown=age, cooldown_except=excepted)

    assert passed.reason_to_check(settings, record) == reason


def test_record_of_a_check() -> None:
    assert passed.recorded(Settings(cooldown="7 days"), {"b", "a"}) == "168 a b"
    assert passed.recorded(Settings(), {"a"}) == ""
