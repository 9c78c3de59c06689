"""The proxy of the index, the counter of pushed bytes, and the measuring of memory."""

import http.client
import io
import json
import socket
import threading
from pathlib import Path

import pytest

from tools.bench.index import HTML, JSON, Index, _Handler, _Server, page, part
from tools.bench.memory import Watch, below
from tools.bench.registry import forward

URL = "http://127.0.0.1:1"
PAGE = '<a href="../../files/a-1.whl#sha256=0" data-requires-python="&gt;=3.9">a-1.whl</a>'


def test_links_of_a_page_lead_through_the_proxy() -> None:
    content = page(PAGE.encode(), HTML, "https://index.test/simple/a/", URL).decode()
    assert f'href="{URL}/files/https/index.test/files/a-1.whl#sha256=0"' in content
    assert 'data-requires-python="&gt;=3.9"' in content


def test_files_of_a_json_page_lead_through_the_proxy() -> None:
    source = {"files": [{"url": "https://files.test/a-1.whl", "hashes": {}}], "name": "a"}
    content = json.loads(page(json.dumps(source).encode(), JSON, "https://index.test/a/", URL))
    assert content["files"][0]["url"] == f"{URL}/files/https/files.test/a-1.whl"
    assert content["name"] == "a"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=-", None),
        ("bytes=0-0", (0, 1)),
        ("bytes=90-200", (90, 10)),
        ("bytes=-200", (0, 100)),
        ("bytes=100-", None),
        ("bytes=5-2", None),
        ("lines=1-2", None),
    ],
)
def test_range_header_gives_first_byte_and_length(
    header: str, expected: tuple[int, int] | None
) -> None:
    assert part(header, 100) == expected


def test_path_of_the_proxy_gives_the_address_at_the_index() -> None:
    index = Index("https://index.test/simple", Path())
    assert index.source("/simple/django/") == "https://index.test/simple/django/"
    assert index.source("/files/https/files.test/a/b.whl") == "https://files.test/a/b.whl"


@pytest.fixture
def behind(tmp_path: Path) -> Path:
    """An index of files."""
    folder = tmp_path / "behind"
    folder.mkdir()
    (folder / "a.html").write_text(PAGE)
    (folder / "a-1.whl").write_bytes(bytes(range(100)))
    return folder


@pytest.fixture
def front(behind: Path, tmp_path: Path) -> _Server:
    kept = tmp_path / "kept"
    kept.mkdir()
    server = _Server(behind.as_uri(), kept)
    server.server_close()
    return server


def ask(server: _Server, path: str, **headers: str) -> http.client.HTTPResponse:
    """Return the response of the handler to one request, over a pair of sockets."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        fields = "".join(f"{name.replace('_', '-')}: {text}\r\n" for name, text in headers.items())
        ours.sendall(f"GET {path} HTTP/1.1\r\nConnection: close\r\n{fields}\r\n".encode())
        _Handler(theirs, ("", 0), server)
        theirs.shutdown(socket.SHUT_WR)
        raw = b"".join(iter(lambda: ours.recv(1 << 16), b""))
    return answer_of(raw)


def answer_of(raw: bytes) -> http.client.HTTPResponse:
    class Whole:
        def makefile(self, _: str) -> io.BytesIO:
            return io.BytesIO(raw)

    answer = http.client.HTTPResponse(Whole())  # type: ignore[arg-type]  # all that it needs
    answer.begin()
    return answer


def test_pages_are_cacheable_for_minutes_and_files_for_ever(front: _Server, behind: Path) -> None:
    listed = ask(front, "/simple/a.html")
    assert listed.getheader("Cache-Control") == "max-age=600, public"
    file = ask(front, f"/files/file/{behind}/a-1.whl")
    assert "immutable" in (file.getheader("Cache-Control") or "")
    assert file.read() == bytes(range(100))


def test_unchanged_content_is_not_sent_again(front: _Server) -> None:
    first = ask(front, "/simple/a.html")
    again = ask(front, "/simple/a.html", If_None_Match=first.getheader("ETag") or "")
    assert (first.status, again.status, again.read()) == (200, 304, b"")


def test_part_of_a_file_is_sent(front: _Server, behind: Path) -> None:
    response = ask(front, f"/files/file/{behind}/a-1.whl", Range="bytes=10-19")
    assert (response.status, response.getheader("Content-Range")) == (206, "bytes 10-19/100")
    assert response.read() == bytes(range(10, 20))


def test_index_is_requested_once(front: _Server, behind: Path) -> None:
    first = ask(front, "/simple/a.html").read()
    (behind / "a.html").unlink()
    assert ask(front, "/simple/a.html").read() == first


def test_missing_page_is_refused(front: _Server) -> None:
    assert ask(front, "/simple/b.html").status == 502  # a file system has no 404
    assert ask(front, "/elsewhere").status == 404


def send(client: socket.socket, content: bytes) -> None:
    client.sendall(content)
    client.shutdown(socket.SHUT_WR)


def test_forwarded_bytes_are_counted() -> None:
    (client, source), (target, server) = socket.socketpair(), socket.socketpair()
    counted: list[int] = []
    with client, source, target, server:
        thread = threading.Thread(target=forward, args=(source, target, counted.append))
        thread.start()
        sent = bytes(range(256)) * 8_000
        sender = threading.Thread(target=send, args=(client, sent))
        sender.start()
        received = b"".join(iter(lambda: server.recv(1 << 16), b""))
        thread.join()
        sender.join()
    assert received == sent
    assert sum(counted) == len(sent)


def process(proc: Path, pid: int, parent: int, command: str, kilobytes: int) -> None:
    folder = proc / str(pid)
    folder.mkdir(parents=True)
    (folder / "stat").write_text(f"{pid} (a (b) c) S {parent} 0 0")
    (folder / "cmdline").write_text(command.replace(" ", "\0"))
    (folder / "smaps_rollup").write_text(f"Rss: 9 kB\nPss_Anon:   {kilobytes} kB\nPss: 1 kB\n")


def test_memory_includes_child_processes(tmp_path: Path) -> None:
    process(tmp_path, 1, 0, "/cnb/lifecycle/creator", 50_000)
    process(tmp_path, 7, 1, "/bin/sh /cnb/buildpacks/x/1/bin/build", 100)
    process(tmp_path, 8, 7, "python3 start.py build", 200_000)
    process(tmp_path, 9, 8, "python3 worker", 30_000)
    process(tmp_path, 10, 1, "/bin/sh /elsewhere/bin/build", 5_000)
    beside = tmp_path / "7/root/cnb/buildpacks/x/1/bin/build.timed"
    beside.parent.mkdir(parents=True)
    beside.touch()
    watch = Watch(tmp_path)
    watch.look()
    assert watch.peak == 230_100 * 1024


def test_peak_is_kept_after_the_processes_end(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    watch.peak = 5
    watch.look()
    assert watch.peak == 5


def test_other_processes_are_not_descendants() -> None:
    assert below([3], {1: 0, 2: 1, 3: 1, 4: 3, 5: 4, 6: 2}) == {3, 4, 5}
