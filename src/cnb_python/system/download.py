"""Downloads over HTTP: limits, attempts, redirects, proxies, certificates and logins."""

import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from cnb_python.errors.downloads import DownloadFailed
from cnb_python.errors.network import UntrustedCertificate
from cnb_python.system.connections import HEADERS, proxy_for, tls_context
from cnb_python.system.interface import Download
from cnb_python.system.redaction import redact, shown
from cnb_python.system.transfer_limits import (
    LONGEST_SECONDS,
    Connections,
    TransferStopped,
    check_length,
    limited,
)

ATTEMPTS = 5
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
PROGRESS_SECONDS = 10.0
# Until the headers of a response are complete.
ANSWER_SECONDS = 60.0
_MAX_REDIRECTS = 20
# Of an error, which may quote what a server sent.
_LONGEST_REASON = 300
# Connecting: enough for a slow name server. Reading: a server that is silent for longer has
# failed.
_TIMEOUT = httpx.Timeout(30.0, connect=15.0)
# Statuses for which another attempt may succeed; any other 4xx is final.
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_MB = 1_000_000


@dataclass(frozen=True, slots=True)
class _FailedAttempt:
    """A failed attempt to download."""

    reason: str
    status: int | None = None
    pause: float = 0.0
    """Seconds to wait, as the server requests."""
    is_final: bool = False


class _Session(NamedTuple):
    """The network state of a download. A later download may use it."""

    environ: Mapping[str, str]
    """Variables for proxies, certificates and logins."""
    client: httpx.Client
    connections: Connections
    """Those of *client*."""


@dataclass(frozen=True, slots=True)
class Client:
    """Downloads files; its method `receive` is a `fetch.Receive`."""

    environ: Mapping[str, str]
    """Variables for proxies (HTTPS_PROXY, ...), certificates (SSL_*) and logins (NETRC)."""
    report: Callable[[str], None]
    """Prints the progress of long downloads, and why an attempt is repeated."""
    transport: httpx.BaseTransport | None = None
    """In place of the network."""
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    answer_seconds: float = ANSWER_SECONDS
    idle: list[_Session] | None = None
    """Sessions of earlier downloads; None: a download closes its connections."""

    @contextmanager
    def keeping_connections(self) -> Iterator[Client]:
        """Yield a client that keeps its connections for the next downloads, until the block ends.

        Several threads may use it, since each download has its own connection.
        """
        idle: list[_Session] = []
        try:
            yield replace(self, idle=idle)
        finally:
            for session in idle:
                session.client.close()

    def receive(self, download: Download, store: Callable[[Iterable[bytes]], str]) -> str:
        """Pass the content to *store*, once for each attempt; return what it returned.

        Raises DownloadFailed after the last attempt, or at once if another one cannot help, and
        UntrustedCertificate.
        """
        attempt, deadline = 0, self.clock() + LONGEST_SECONDS
        with self._session(download) as session:
            while True:
                attempt += 1
                outcome = self._attempt(session, download, store, deadline)
                if isinstance(outcome, str):
                    return outcome
                if outcome.is_final or attempt == ATTEMPTS:
                    raise DownloadFailed(
                        download.title,
                        shown(download.url),
                        outcome.reason,
                        attempt,
                        outcome.status,
                    )
                self._wait(download, attempt, outcome)

    @contextmanager
    def _session(self, download: Download) -> Iterator[_Session]:
        """Yield a session for *download*: an idle one if there is one, else a new one."""
        environ = {**self.environ, **download.network}
        try:
            session = self.idle.pop() if self.idle else None
        except IndexError:  # another thread took the last one in between
            session = None
        if session and session.environ != environ:
            session.client.close()
            session = None
        session = session or _Session(environ, self._connected(download, environ), Connections())
        try:
            yield session
        finally:
            if self.idle is None:
                session.client.close()
            else:
                self.idle.append(session)

    def _connected(self, download: Download, environ: Mapping[str, str]) -> httpx.Client:
        # trust_env would read the variables of this process in place of `environ`.
        try:
            transport = self.transport or _Routes(environ, tls_context(environ))
            return httpx.Client(
                transport=transport, trust_env=False, timeout=_TIMEOUT, headers=HEADERS
            )
        except OSError as error:
            raise UntrustedCertificate(
                shown(download.url),
                f"SSL_CERT_FILE, SSL_CERT_DIR or SSL_CLIENT_CERT cannot be read ({error})",
            ) from error

    def _attempt(
        self,
        session: _Session,
        download: Download,
        store: Callable[[Iterable[bytes]], str],
        deadline: float,
    ) -> str | _FailedAttempt:
        try:
            with self._answer(session, download) as answer:
                if not answer.is_success:
                    return _refusal(answer)
                check_length(answer.headers, download.largest)
                chunks = limited(answer.iter_raw(), download.largest, deadline, self.clock)
                return store(self._reported(chunks, download))
        except TransferStopped as stopped:
            return _FailedAttempt(stopped.reason, is_final=stopped.is_final)
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            return _FailedAttempt(_reason_of(error), is_final=True)
        except httpx.TransportError as error:
            if _is_untrusted(error):
                raise UntrustedCertificate(shown(download.url), _reason_of(error)) from error
            return _FailedAttempt(_reason_of(error))

    @contextmanager
    def _answer(self, session: _Session, download: Download) -> Iterator[httpx.Response]:
        """Yield the response behind all redirects, whose own content is not read.

        Raises TransferStopped, also if a redirect leaves HTTPS and no hash protects the file.
        """
        client, connections = session.client, session.connections
        request = client.build_request(
            "GET",
            download.url,
            headers={"Accept": download.accept} if download.accept else None,
            extensions={"trace": connections.trace},
        )
        with connections.answering_within(self.answer_seconds):
            login = _login(download.url, session.environ)
            answer = client.send(request, stream=True, auth=login)
            for _ in range(_MAX_REDIRECTS):
                if answer.next_request is None:
                    break
                answer.close()
                _check_redirect(answer.next_request, download)
                # The login for the first host has been removed from it, if this is another.
                answer = client.send(answer.next_request, stream=True, auth=None)
        try:
            if answer.next_request is not None:
                reason = f"more than {_MAX_REDIRECTS} redirects"
                raise TransferStopped(reason, is_final=True)
            yield answer
        finally:
            answer.close()

    def _wait(self, download: Download, attempt: int, failure: _FailedAttempt) -> None:
        pause = min(max(failure.pause, FIRST_PAUSE * 2 ** (attempt - 1)), LONGEST_PAUSE)
        self.report(f"Downloading {download.title}: {failure.reason}; retrying in {pause:g} s")
        self.sleep(pause)

    def _reported(self, chunks: Iterator[bytes], download: Download) -> Iterator[bytes]:
        """Yield *chunks*, and print the progress: platforms stop builds without output."""
        received, last = 0, self.clock()
        for chunk in chunks:
            received += len(chunk)
            if self.clock() - last >= PROGRESS_SECONDS:
                last = self.clock()
                self.report(f"Downloading {download.title}: {received / _MB:.0f} MB so far")
            yield chunk


def _login(url: str, environ: Mapping[str, str]) -> httpx.Auth | None:
    """Return the login for *url* in NETRC; None if the URL has one, or NETRC has not."""
    file = environ.get("NETRC")
    if not file or "@" in urlsplit(url).netloc:
        return None
    from netrc import NetrcParseError  # noqa: PLC0415 - few have one

    try:
        return httpx.NetRCAuth(file)
    except OSError, UnicodeDecodeError, NetrcParseError:
        return None  # other tools ignore such a file too


class _Routes(httpx.BaseTransport):
    """Sends each request, redirected ones included, directly or through its own proxy."""

    def __init__(self, environ: Mapping[str, str], context: ssl.SSLContext) -> None:
        self._environ = environ
        self._context = context
        self._transports: dict[str | None, httpx.HTTPTransport] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        proxy = proxy_for(str(request.url), self._environ)
        if proxy not in self._transports:
            self._transports[proxy] = self._transport(proxy)
        return self._transports[proxy].handle_request(request)

    def close(self) -> None:
        for transport in self._transports.values():
            transport.close()

    def _transport(self, proxy: str | None) -> httpx.HTTPTransport:
        try:
            return httpx.HTTPTransport(verify=self._context, proxy=proxy)
        except (ValueError, ImportError) as error:
            # ImportError: SOCKS needs a package that is not bundled.
            reason = f"{shown(proxy or '')} cannot be used as a proxy: http:// or https:// only"
            raise httpx.UnsupportedProtocol(reason) from error


def _check_redirect(request: httpx.Request, download: Download) -> None:
    is_left = urlsplit(download.url).scheme == "https" and request.url.scheme != "https"
    if is_left and not download.sha256:
        reason = f"it redirects to {shown(str(request.url))}, which is not https"
        raise TransferStopped(reason, is_final=True)


def _refusal(answer: httpx.Response) -> _FailedAttempt:
    return _FailedAttempt(
        # The standard's own words, not those of the server, which may be anything.
        f"the server answered {answer.status_code} {_phrase(answer.status_code)}".rstrip(),
        answer.status_code,
        _seconds(answer.headers.get("Retry-After", "")),
        is_final=answer.status_code not in _TEMPORARY,
    )


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _seconds(retry_after: str) -> float:
    # The other form is a date, for which both clocks would have to agree.
    return float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0


def _is_untrusted(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _reason_of(error: Exception) -> str:
    match error:
        case httpx.ConnectTimeout():
            return "no connection in time"
        case httpx.TimeoutException():
            return "the server stopped sending"
        case _:
            return redact(str(error))[:_LONGEST_REASON] or type(error).__name__
