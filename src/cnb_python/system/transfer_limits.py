"""Limits for servers: the time until they answer, the time to send, and the size.

A time-out of a connection is for each read: a server that sends a byte now and then never exceeds
it, neither in the headers nor in the content.

Separate from `download`: small downloads need a part of it without an HTTP client.
"""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Timer

# As curl's --speed-time and --speed-limit.
WINDOW_SECONDS = 30.0
SLOWEST = 4_000
"""Bytes per second, in each window."""
LONGEST_SECONDS = 3600.0
"""For all attempts of one download."""


class TransferStopped(Exception):
    """A transfer exceeded a limit: `reason`, and whether another attempt would too."""

    def __init__(self, reason: str, *, is_final: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.is_final = is_final


def limited(
    chunks: Iterator[bytes], largest: int, deadline: float, clock: Callable[[], float]
) -> Iterator[bytes]:
    """Yield *chunks* of at most *largest* bytes in all, until *deadline* of *clock*.

    Raises TransferStopped if they are more, too late or too slow.
    """
    received = in_window = 0
    window = clock()
    for chunk in chunks:
        received += len(chunk)
        in_window += len(chunk)
        now = clock()
        if received > largest:
            raise _too_large(largest)
        if now > deadline:
            reason = f"it took longer than {LONGEST_SECONDS:.0f} s"
            raise TransferStopped(reason, is_final=True)
        if now - window >= WINDOW_SECONDS:
            if in_window < SLOWEST * (now - window):
                reason = f"the server sent less than {SLOWEST // 1000} kB per second"
                raise TransferStopped(reason, is_final=False)
            window, in_window = now, 0
        yield chunk


def check_length(headers: Mapping[str, str], largest: int) -> None:
    """Raise TransferStopped if a response with *headers* says that it is longer than *largest*."""
    length = headers.get("Content-Length", "")
    # Of any number of digits: Python converts at most 4300.
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > largest):
        raise _too_large(largest)


def _too_large(largest: int) -> TransferStopped:
    return TransferStopped(f"it is larger than {largest >> 20} MB", is_final=True)


class Connections:
    """The connections of a download, which are shut down if the answer does not begin in time."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._is_late = False

    def add(self, connection: socket.socket) -> None:
        """Shut *connection* down too, at once if it comes too late."""
        self._sockets.append(connection)
        if self._is_late:
            self._shut_down()

    def trace(self, event: str, info: Mapping[str, object]) -> None:
        """Add a connection that httpcore made: https://www.encode.io/httpcore/extensions/#trace."""
        stream = info.get("return_value")
        if event.endswith((".connect_tcp.complete", ".start_tls.complete")):
            connection = getattr(stream, "get_extra_info", lambda _: None)("socket")
            if isinstance(connection, socket.socket):
                self.add(connection)

    @contextmanager
    def answering_within(self, seconds: float) -> Iterator[None]:
        """Shut all connections down if the block takes longer than *seconds*.

        Raises TransferStopped then.
        """
        self._is_late = False
        timer = Timer(seconds, self._shut_down)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as error:
            if self._is_late:
                reason = f"no answer within {seconds:g} s"
                raise TransferStopped(reason, is_final=False) from error
            raise
        finally:
            timer.cancel()
            timer.join()  # else it might still shut down a connection of the next attempt

    def _shut_down(self) -> None:
        self._is_late = True
        for connection in self._sockets:
            with suppress(OSError):  # it was closed
                # Not SSLSocket's own, which changes its state while another thread reads.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)
