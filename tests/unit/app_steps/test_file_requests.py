"""Files are written while another process waits to read them."""

import os
import sys
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from cnb_python.app_steps import file_requests
from cnb_python.app_steps.read_record import ReadRecord, Reads
from cnb_python.errors.base import ContractBroken
from cnb_python.errors.machine import DamagedStore, DiskFull
from cnb_python.provision.on_demand import OnDemand, ReadBefore
from tests.support.installed import SITE, distribution
from tests.support.on_demand_runs import layers_of

ONE = distribution("one", [f"{SITE}/one.py", f"{SITE}/one-1.dist-info/METADATA"])
TWO = distribution("two", [f"{SITE}/two/__init__.py"])


def on_demand(write: Callable[[str, Collection[str]], None]) -> OnDemand:
    made = OnDemand(ReadBefore(frozenset(), frozenset(), frozenset()))
    made.choose(layers_of((ONE, TWO)), ("one", "two"))
    made.begin(write)
    return made


def ask(pipes: tuple[str, str], *lines: bytes) -> bytes:
    requests, answers = (os.open(path, os.O_RDWR) for path in pipes)
    try:
        os.write(requests, b"".join(line + b"\n" for line in lines))
        return b"".join(os.read(answers, 1) for _ in lines)
    finally:
        os.close(requests)
        os.close(answers)


def test_each_request_gets_an_answer_after_writing(tmp_path: Path) -> None:
    written: list[str] = []
    demand = on_demand(lambda name, paths: written.append(f"{name} {sorted(paths)}"))
    site = f"{tmp_path}/deps-00/tree/{SITE}"

    with file_requests.answering(demand, tmp_path) as pipes:
        answers = ask(
            pipes,
            f'["path", "{site}/one.py"]'.encode(),
            f'["path", "{site}/one.py"]'.encode(),
            f'["module", "{tmp_path}/venv/{SITE}", "three"]'.encode(),
            b'["path", "/elsewhere"]',
            f'["native", "{tmp_path}/python/lib/x.so"]'.encode(),
            f'["module", "{tmp_path}/venv/{SITE}", "two"]'.encode(),
        )

    assert answers == b"100001"
    assert written == [f"one ['{SITE}/one.py']", f"two ['{SITE}/two/__init__.py']"]
    assert not Path(pipes[0]).exists()


@pytest.mark.parametrize("request_line", [b'["all"]', b'["native", "/opt/unknown.so"]'])
def test_unknown_reads_write_everything(tmp_path: Path, request_line: bytes) -> None:
    demand = on_demand(lambda *_: None)

    with file_requests.answering(demand, tmp_path) as pipes:
        assert ask(pipes, request_line) == b"1"

    assert demand.absent == {}


@pytest.mark.parametrize(
    ("error", "expected"),
    [(DamagedStore("it is gone"), ContractBroken), (DiskFull("x"), DiskFull)],
)
def test_failure_to_write_is_answered_and_raised(
    tmp_path: Path, error: Exception, expected: type[Exception]
) -> None:
    def fail(*_: object) -> None:
        raise error

    def run() -> None:
        with file_requests.answering(on_demand(fail), tmp_path) as pipes:
            assert ask(pipes, b'["all"]', b'["all"]') == b"22"
            raise RuntimeError  # as the process ended

    with pytest.raises(expected):
        run()


@pytest.mark.parametrize(
    "line",
    [b"no JSON", b"[" * 50_000, b"{}", b"[]", b"[1]", b'["path", null]', b'["a","b","c","d"]'],
)
def test_nonsense_from_code_of_the_app_gets_every_file(tmp_path: Path, line: bytes) -> None:
    demand = on_demand(lambda *_: None)

    with file_requests.answering(demand, tmp_path) as pipes:
        assert ask(pipes, line) == b"1"

    assert demand.absent == {}


def test_answering_ends_after_half_a_request(tmp_path: Path) -> None:
    with file_requests.answering(on_demand(lambda *_: None), tmp_path) as pipes:
        requests = os.open(pipes[0], os.O_WRONLY)
        os.write(requests, b'["path", "/x')
        os.close(requests)


def test_answering_ends_although_nothing_reads_the_answers(tmp_path: Path) -> None:
    request = b'["path", "/elsewhere"]\n'
    with file_requests.answering(on_demand(lambda *_: None), tmp_path) as pipes:
        requests = os.open(pipes[0], os.O_WRONLY)
        for _ in range(700):
            os.write(requests, request * 100)
        os.close(requests)


def test_incomplete_record_needs_every_file() -> None:
    assert file_requests.read_before(record("starts a program")) is None


def test_record_names_modules_and_directories() -> None:
    before = file_requests.read_before(record(""))

    assert before is not None
    assert set(before.keys) >= {(SITE, "one"), (SITE, "two"), (f"{SITE}/two", "__init__")}
    assert before.listed == {f"{SITE}/x", f"{SITE}/y"}
    assert set(before.directories) >= {SITE, f"{SITE}/x", f"{SITE}/z"}


def record(unknown: str) -> ReadRecord:
    reads = Reads(
        contents=(f"{SITE}/one.py",),
        kinds=(f"{SITE}/z",),
        listed=(f"{SITE}/x",),
        entries=(f"{SITE}/y",),
        modules={SITE: ("two",)},
    )
    return ReadRecord(unknown, Reads(), reads, Reads(), None, ())


def test_client_asks_for_what_does_not_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(Path(file_requests.__file__).parent))
    import missing_files  # type: ignore[import-not-found]  # noqa: PLC0415 - a program's module

    site = tmp_path / "deps-00/tree" / SITE
    link = tmp_path / "venv" / SITE
    site.mkdir(parents=True)
    link.mkdir(parents=True)
    (link / "one.py").symlink_to(site / "one.py")
    tree = tmp_path / "deps-00/tree"

    def write(_: str, paths: Collection[str]) -> None:
        for path in paths:
            (tree / path).parent.mkdir(exist_ok=True)
            (tree / path).touch()

    demand = on_demand(write)

    with file_requests.answering(demand, tmp_path) as pipes:
        client = missing_files.MissingFiles(str(tmp_path), *pipes)
        client.need_module(str(link), "sys")
        assert demand.requested == []
        client.need_module(str(link), "one")
        assert demand.requested == ["one"]
        assert not client.need_path("/elsewhere/x")
        assert not client.need_path(str(site / "one.py"))
        client.need_everything()
        assert not client.need_listing(str(site))

    assert sorted(demand.requested) == ["one", "two"]
    sys.modules.pop("missing_files")
