"""What the user sees. The only module that prints.

In a pipe, which is where most platforms run a buildpack, the log is plain text. On a terminal
titles have colours, and a step that prints nothing for a while shows how long it has run.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from cnb_python.errors.base import Message

    # Loads dataclasses, which detection does not need.
    from cnb_python.system.interface import Output
    from cnb_python.system.status_line import StatusLine

# https://en.wikipedia.org/wiki/ANSI_escape_code#Select_Graphic_Rendition_parameters
_BOLD, _FAINT, _RED, _YELLOW = "1", "2", "1;31", "1;33"


class BuildLog(NamedTuple):
    """Steps and their seconds, in order."""

    output: Output
    clock: Callable[[], float]
    seconds: dict[str, float]

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the title of a step and, when the block ends well, how long it took."""
        self.output.step(title)
        start = self.clock()
        with self.output.progress(title):
            yield
        self.seconds[title] = self.clock() - start
        self.output.line(f"Done in {shown(self.seconds[title])}")


def shown(seconds: float) -> str:
    """Return *seconds* with a unit and as many digits as matter.

    >>> shown(0.123), shown(61.26)
    ('0.12 s', '61.3 s')
    """
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s"


def megabytes(size: int) -> str:
    """Return *size*, in bytes, in megabytes or kilobytes.

    >>> megabytes(12_345_678), megabytes(12_345)
    ('12.3 MB', '13 kB')
    """
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{-(-size // 1000)} kB"


def ended_processes(count: int, program: str) -> str:
    """Return the line about background processes that *program* left.

    >>> ended_processes(2, "bin/post_compile")
    'Ended 2 background processes that bin/post_compile left running'
    """
    processes = "process" if count == 1 else "processes"
    return f"Ended {count} background {processes} that {program} left running"


class Console:
    """Steps, lines below them, a tool's own output below those, warnings and errors.

    With *colour*, each line is coloured on its own, since platforms put a prefix before each.
    """

    def __init__(
        self, stream: TextIO, *, colour: bool = False, status: StatusLine | None = None
    ) -> None:
        self._stream = stream
        self._colour = colour
        self._status = status

    def step(self, title: str) -> None:
        """Start a step of the build."""
        self._print("", self._painted(title, _BOLD))

    def line(self, text: str) -> None:
        """Print one line about the current step."""
        self._print(f"  {text}")

    def detail(self, text: str) -> None:
        """Print a line of a tool's own output."""
        line = f"    {text}".rstrip()
        self._print(self._painted(line, _FAINT) if line else line)

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        """Print what the user should change although the build goes on."""
        self._print("", self._painted(f"[Warning: {title}]", _YELLOW), *body, "")

    def error(self, message: Message, more: str = "") -> None:
        """Print why the phase stops, how to fix it, and the address of *more* about it."""
        self._print("", self._painted(f"[Error: {message.title}]", _RED), "", *message.body)
        if message.fixes or message.steps:
            self._print("", "To fix this:")
            self._print(*_alternatives(message.fixes), *_sequence(message.steps))
        if more:
            self._print("", f"More: {more}")

    def bug(self, title: str, traceback: str) -> None:
        """Print that the buildpack itself failed, and where."""
        self._print("", self._painted(f"[Error: {title}]", _RED), "", traceback.rstrip())

    @contextmanager
    def progress(self, title: str) -> Iterator[None]:
        """Show on a terminal how long the step *title* has run, until the block ends."""
        if self._status is None:
            yield
            return
        with self._status.running(title):
            yield

    def _painted(self, line: str, style: str) -> str:
        return f"\x1b[{style}m{line}\x1b[0m" if self._colour else line

    def _print(self, *lines: str) -> None:
        # One write for all lines: detect phases of a group share the stream.
        text = "".join(f"{line}\n" for line in lines)
        if self._status is not None:
            self._status.print(text)
            return
        self._stream.write(text)
        self._stream.flush()


def _alternatives(fixes: tuple[str, ...]) -> list[str]:
    """Return a line for each fix, where "or" joins those after the first."""
    return [
        f"  - Or {fix[0].lower()}{fix[1:]}" if number else f"  - {fix}"
        for number, fix in enumerate(fixes)
    ]


def _sequence(steps: tuple[str, ...]) -> list[str]:
    if len(steps) == 1:
        return [f"  - {steps[0]}"]
    return [f"  {number}. {step}" for number, step in enumerate(steps, start=1)]
