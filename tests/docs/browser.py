"""Drives headless Chromium over a pipe, by the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

import base64
import fcntl
import json
import os
import select
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.leftovers import processes_of
from tools.platforms import debian_packages

# The file descriptors of --remote-debugging-pipe for commands and answers.
_COMMANDS, _ANSWERS = 3, 4
_FIRST_FREE = 10
_PATIENCE = 30
_LONGEST_PICTURE = 4000
_OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # root, as in a container, has none
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    # A page that needs another host fails here, as it would without a network.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
_SETTLED = """
document.fonts.ready.then(() => new Promise(
    done => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))))
"""
# Elements that stick out on the right and are not in a box that scrolls by itself.
_TOO_WIDE = """
(() => {
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= width) return [];
  const scrolls = e => e && (/auto|scroll|hidden/.test(getComputedStyle(e).overflowX)
                             || scrolls(e.parentElement));
  return [...document.body.querySelectorAll("*")]
    .filter(e => e.getBoundingClientRect().right > width + 1 && !scrolls(e.parentElement))
    .map(e => e.outerHTML.slice(0, 120));
})()
"""
_HEIGHT = "document.documentElement.scrollHeight"

type Message = dict[str, Any]


class Browser:
    """One tab of a browser."""

    def __init__(self, commands: int, answers: int) -> None:
        """*commands* and *answers* are the ends of the browser's pipes that are ours."""
        self._commands = commands
        self._answers = answers
        self._unread = b""
        self._number = 0
        self._events: list[Message] = []
        self._session: str | None = None
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        attached = self._call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self._call(f"{domain}.enable")

    def open(self, address: str, width: int, height: int = 900) -> tuple[str, ...]:
        """Show *address* in a window of that size; return a sentence for each problem."""
        mobile = width < 600
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )
        self._events.clear()
        self._call("Page.navigate", url=address)
        while not any(event["method"] == "Page.loadEventFired" for event in self._events):
            self._events.append(self._read())
        self._value(_SETTLED)
        wide = self._value(_TOO_WIDE)
        problems = [text for event in self._events for text in problems_of(event)]
        return (*problems, *(f"wider than {width} px: {element}" for element in wide))

    def picture(self, path: Path, width: int) -> None:
        """Write what is shown to *path*, from the top and at most 4000 px high."""
        height = min(int(self._value(_HEIGHT)), _LONGEST_PICTURE)
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = self._call("Page.captureScreenshot", clip=clip, captureBeyondViewport=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def _value(self, expression: str) -> Any:  # noqa: ANN401 - whatever JSON can express
        answer = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def _call(self, method: str, **parameters: object) -> Message:
        self._number += 1
        command: Message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        os.write(self._commands, json.dumps(command).encode() + b"\0")
        while True:
            message = self._read()
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                result: Message = message["result"]
                return result
            self._events.append(message)

    def _read(self) -> Message:
        end = time.monotonic() + _PATIENCE
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], max(0, end - time.monotonic()))
            received = os.read(self._answers, 1 << 20) if ready else b""
            assert received, "Chromium does not answer"
            self._unread += received
        text, _, self._unread = self._unread.partition(b"\0")
        message: Message = json.loads(text)
        return message


def problems_of(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each error that an event reports."""
    values = event.get("params", {})
    match event.get("method"):
        case "Runtime.exceptionThrown":
            yield f"exception: {values['exceptionDetails']}"
        case "Runtime.consoleAPICalled" if values["type"] in {"error", "warning", "assert"}:
            yield f"console: {values['args']}"
        case "Log.entryAdded" if values["entry"]["level"] in {"error", "warning"}:
            yield f"log: {values['entry']['text']} {values['entry'].get('url', '')}"
        case "Network.loadingFailed" if not values.get("canceled"):
            yield f"request failed: {values['errorText']}"
        case "Network.responseReceived" if values["response"]["status"] >= 400:
            yield f"{values['response']['status']}: {values['response']['url']}"


@contextmanager
def chromium(home: Path) -> Iterator[Browser]:
    """Start Chromium with its profile in *home*; install it if it is missing."""
    program = debian_packages.program("chromium", "chromium", "fonts-liberation")
    their_commands, our_commands = _pipe()
    our_answers, their_answers = _pipe()
    child = os.posix_spawn(
        program,
        [str(program), *_OPTIONS, f"--user-data-dir={home}", "about:blank"],
        {**os.environ, "HOME": str(home)},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, str(home / "chromium.log"), os.O_WRONLY | os.O_CREAT, 0o600),
            (os.POSIX_SPAWN_DUP2, their_commands, _COMMANDS),
            (os.POSIX_SPAWN_DUP2, their_answers, _ANSWERS),
        ],
        setpgroup=0,
    )
    os.close(their_commands)
    os.close(their_answers)
    try:
        yield Browser(our_commands, our_answers)
    finally:
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        _end_crash_handlers(home)
        os.close(our_commands)
        os.close(our_answers)


def _end_crash_handlers(home: Path) -> None:
    """End the processes that report a crash of Chromium: they are in sessions of their own."""
    for process in processes_of(home):
        with suppress(ProcessLookupError):
            os.kill(int(process.partition(":")[0]), signal.SIGKILL)


def _pipe() -> tuple[int, int]:
    """Return the ends of a pipe, neither of which has a number that the child needs."""
    ends = os.pipe()
    moved = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for end in ends)
    for end in ends:
        os.close(end)
    return moved[0], moved[1]
