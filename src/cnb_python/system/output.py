"""What the user sees. The only module that prints.

In a pipe, which is where most platforms run a buildpack, the log is plain text. On a terminal
titles have colours, and a step that prints nothing for a while shows how long it has run.

Names, values of settings, metadata and output of tools come from code that is not trusted. So
every line, whatever its source, is printed without secrets, without control of the terminal, and
without commands to the CI service that runs the build.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from cnb_python.errors.base import Message

    # Loads dataclasses, which detection does not need.
    from cnb_python.system.interface import Output
    from cnb_python.system.status_line import StatusLine

# https://en.wikipedia.org/wiki/ANSI_escape_code#Select_Graphic_Rendition_parameters
_BOLD, _FAINT, _RED, _YELLOW = "1", "2", "1;31", "1;33"
# More than a line of a program can have: that is cut already.
_LONGEST_LINE = 10_000
# Colours of tools are dropped; other control characters are shown, as are those that change the
# order or direction of text (https://www.unicode.org/reports/tr9/) and bytes that are no text.
_COLOURS = re.compile(r"\x1b\[[0-9;:]{0,99}m")
_CONTROL = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
    "\U000e0000-\U000e007f]"
)
# GitHub reads commands at the start of a line, also of an indented one; Azure Pipelines (##vso[,
# ##[) and TeamCity (##teamcity[) read them anywhere.
# https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
_WORKFLOW_COMMAND = re.compile(r"^(\s*):(?=:[A-Za-z])")
_LOGGING_COMMAND = re.compile(r"##(?=\w*\[)")


class StepTimes:
    """When the steps of a build began, and how long they took, by their titles in order."""

    __slots__ = ("begin", "clock", "seconds", "started")

    def __init__(self, clock: Callable[[], float], begin: float | None = None) -> None:
        """Begin now, or at *begin*, on *clock* in seconds."""
        self.clock = clock
        self.begin = clock() if begin is None else begin
        self.started: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        """Of the steps that ended well."""


class BuildLog(NamedTuple):
    """Steps and their times."""

    output: Output
    times: StepTimes

    @property
    def seconds(self) -> dict[str, float]:
        """The seconds of each step, in order."""
        return self.times.seconds

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Print the title of a step and, when the block ends well, how long it took."""
        self.output.step(title)
        clock = self.times.clock
        start = self.times.started[title] = clock()
        with self.output.progress(title):
            yield
        self.seconds[title] = clock() - start
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


def printable(text: str) -> str:
    r"""Return *text*, one line, in which nothing controls the terminal or the CI service.

    >>> print(printable("  ::add-mask::\x1b]8;;x\x07"))
      : :add-mask::\x1b]8;;x\x07
    """
    if len(text) > _LONGEST_LINE:
        text = f"{text[:_LONGEST_LINE]} [and {len(text) - _LONGEST_LINE:,} more characters]"
    if not text.isprintable():
        text = _CONTROL.sub(_escaped, text)
    if "##" in text:
        text = _LOGGING_COMMAND.sub("## ", text)
    return _WORKFLOW_COMMAND.sub(r"\1: ", text) if "::" in text else text


def _escaped(character: re.Match[str]) -> str:
    return character[0].encode("unicode_escape").decode("ascii")


class _Styled(NamedTuple):
    """A line with a colour."""

    text: str
    style: str


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
        self._mask: Callable[[str], str] = str

    def mask_with(self, mask: Callable[[str], str]) -> None:
        """Pass all that is printed from now on through *mask*, which replaces secrets."""
        self._mask = mask

    def step(self, title: str) -> None:
        """Start a step of the build."""
        self._print("", _Styled(_in_one_line(title), _BOLD))

    def line(self, text: str) -> None:
        """Print one line about the current step."""
        self._print(f"  {_in_one_line(text)}")

    def detail(self, text: str) -> None:
        """Print a line of a tool's own output."""
        self._print(_Styled(f"    {_in_one_line(text)}".rstrip(), _FAINT))

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        """Print what the user should change although the build goes on."""
        self._print("", _Styled(f"[Warning: {self._title(title)}]", _YELLOW))
        self._print(*self._shortened(body), "")

    def error(self, message: Message, more: str = "") -> None:
        """Print why the phase stops, how to fix it, and the address of *more* about it."""
        self._title_of_error(self._title(message.title))
        self._print(*self._shortened(message.body))
        if message.fixes or message.steps:
            self._print("", "To fix this:")
            self._print(*self._shortened(_alternatives(message.fixes)))
            self._print(*self._shortened(_sequence(message.steps)))
        if more:
            self._print("", f"More: {more}")

    def document(self, text: str) -> None:
        """Print *text* as it is: ASCII without secrets and control characters."""
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def masked(self, text: str) -> str:
        """Return *text* without secrets."""
        return self._mask(text)

    def bug(self, title: str, traceback: str) -> None:
        """Print that the buildpack itself failed, and where."""
        self._title_of_error(title)
        self._print(traceback.rstrip())

    @contextmanager
    def progress(self, title: str) -> Iterator[None]:
        """Show on a terminal how long the step *title* has run, until the block ends."""
        if self._status is None:
            yield
            return
        with self._status.running(self._printable(_in_one_line(title))):
            yield

    def _title_of_error(self, title: str) -> None:
        self._print("", _Styled(f"[Error: {title}]", _RED), "")

    def _title(self, title: str) -> str:
        (line,) = self._shortened([_in_one_line(title)])
        return line

    def _shortened(self, texts: Iterable[str]) -> list[str]:
        """Return the lines of *texts*, of a message, without secrets; long ones are shortened."""
        from cnb_python.errors.base import Whole  # noqa: PLC0415 - few builds have any
        from cnb_python.errors.long_messages import MOST_ITEMS, MOST_OWN, shortened  # noqa: PLC0415

        shown = list[str]()
        for is_whole, group in groupby(texts, lambda text: isinstance(text, Whole)):
            lines = [self._mask(line) for text in group for line in text.split("\n")]
            shown += shortened(lines, MOST_OWN if is_whole else MOST_ITEMS)
        return shown

    def _print(self, *texts: str | _Styled) -> None:
        # One write for all lines: detect phases of a group share the stream.
        text = "".join(f"{line}\n" for each in texts for line in self._lines(each))
        if self._status is not None:
            self._status.print(text)
            return
        self._stream.write(text)
        self._stream.flush()

    def _lines(self, text: str | _Styled) -> Iterator[str]:
        if isinstance(text, str):
            yield from map(self._printable, text.split("\n"))
            return
        line = self._printable(text.text)
        yield f"\x1b[{text.style}m{line}\x1b[0m" if self._colour and line else line

    def _printable(self, line: str) -> str:
        # Colours first: a secret may have one in its middle.
        return printable(self._mask(_COLOURS.sub("", line) if "\x1b" in line else line))


def _in_one_line(text: str) -> str:
    return text.replace("\n", "\\n")


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
