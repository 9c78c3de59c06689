"""Servers that never end, never answer or send too much: real ones, which the client gives up."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from cnb_python.errors.downloads import DownloadFailed
from cnb_python.system.download import ATTEMPTS, Client
from cnb_python.system.interface import Download
from cnb_python.system.small_download import receive_small
from cnb_python.system.transfer_limits import TransferStopped, limited
from tests.support import raw_server
from tests.support.raw_server import Script, dripping

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
FOUND = OK + b"Content-Length: 5\r\nConnection: close\r\n\r\nhello"
LARGEST = 1 << 20


@pytest.fixture(autouse=True)
def nothing_leaves_the_process() -> None:
    """Replace the guard: connections to servers of this machine are what is tested here."""


class Endless:
    """Bytes to begin with, then others without an end; for any number of clients."""

    def __init__(self, start: bytes, more: bytes) -> None:
        self._start, self._more = start, more

    def __iter__(self) -> Iterator[bytes]:
        return itertools.chain([self._start], itertools.repeat(self._more))


class Dripping:
    """The same, byte by byte."""

    def __init__(self, start: bytes, more: bytes) -> None:
        self._start, self._more = start, more

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        while True:
            yield from dripping(self._more)


def store(chunks: Iterable[bytes]) -> str:
    return str(sum(map(len, chunks)))


def receive(
    *scripts: Script,
    clock: Callable[[], float] = time.monotonic,
    answer_seconds: float = 20,
) -> str:
    with raw_server.running(*scripts) as server:
        client = Client(
            {}, lambda _: None, sleep=lambda _: None, clock=clock, answer_seconds=answer_seconds
        )
        return client.receive(Download(server.url, "", "The table", largest=LARGEST), store)


def failure(
    *scripts: Script,
    clock: Callable[[], float] = time.monotonic,
    answer_seconds: float = 20,
) -> DownloadFailed:
    with pytest.raises(DownloadFailed) as caught:
        receive(*scripts, clock=clock, answer_seconds=answer_seconds)
    return caught.value


def test_content_without_an_end_is_refused_at_the_largest_size() -> None:
    stopped = failure(Endless(CHUNKED, CHUNK))

    assert (stopped.reason, stopped.attempts) == ("it is larger than 1 MB", 1)


@pytest.mark.parametrize("length", [str(LARGEST + 1), "9" * 20])
def test_content_that_is_announced_as_too_large_is_not_received(length: str) -> None:
    stopped = failure([OK, b"Content-Length: ", length.encode(), b"\r\n\r\n"])

    assert (stopped.reason, stopped.attempts) == ("it is larger than 1 MB", 1)


def test_content_that_drips_is_given_up() -> None:
    seconds = itertools.count(step=10.0)

    stopped = failure(Dripping(CHUNKED, b"1\r\nx\r\n"), clock=lambda: next(seconds))

    assert stopped.reason == "the server sent less than 4 kB per second"
    assert stopped.attempts == ATTEMPTS


def test_content_that_takes_hours_is_given_up() -> None:
    seconds = itertools.count(step=100.0)
    chunks = limited(itertools.repeat(b"x" * 1_000_000), 1 << 60, 3600, lambda: next(seconds))

    with pytest.raises(TransferStopped, match="it took longer than 3600 s"):
        store(chunks)


@pytest.mark.parametrize(("start", "more"), [(b"HTTP/1.1 200 ", b"OK"), (OK, b"X-Header: x\r\n")])
def test_headers_that_drip_are_given_up(start: bytes, more: bytes) -> None:
    stopped = failure(Dripping(start, more), answer_seconds=0.2)

    assert stopped.reason == "no answer within 0.2 s"


def test_headers_without_an_end_are_given_up() -> None:
    stopped = failure(Endless(OK, b"X-Header: x\r\n"))

    assert stopped.attempts == ATTEMPTS
    assert len(stopped.reason) < 400


def test_the_content_of_a_redirect_is_not_read() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /here\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert receive(Endless(moved, CHUNK), [FOUND]) == "5"


def test_a_loop_of_redirects_is_left() -> None:
    moved = b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

    stopped = failure([moved])

    assert (stopped.reason, stopped.attempts) == ("more than 20 redirects", 1)


def test_the_words_of_a_server_are_not_printed() -> None:
    stopped = failure([b"HTTP/1.1 404 \x1b[31m::error::x\r\nContent-Length: 0\r\n\r\n"])

    assert stopped.reason == "the server answered 404 Not Found"


def test_compressed_content_is_not_unpacked() -> None:
    bomb = OK + b"Content-Encoding: gzip\r\nContent-Length: 5\r\n\r\n\x1f\x8b..."

    assert receive([bomb]) == "5"


@pytest.mark.parametrize(
    "script",
    [
        Dripping(b"", b"X-Header: x\r\n"),
        Dripping(OK + b"Content-Length: 9999\r\n\r\n", b"x"),
        Endless(OK, b"X-Header: x\r\n"),
        [OK + b"Content-Length: 9999999999\r\n\r\n"],
    ],
)
def test_a_small_download_gives_up_before_the_build_waits(script: Script) -> None:
    with raw_server.running(script) as server:
        download = Download(server.url, "", "The table")

        assert receive_small(download, store, {}, seconds=0.3) is None
