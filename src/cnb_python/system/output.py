"""What the user sees. The only module that prints.

Plain text: a buildpack's output always goes through the platform, which prefixes, stores and
forwards it, and never tells whether a terminal is at the end.
"""

from typing import NamedTuple, TextIO


class Console(NamedTuple):
    """Steps, lines below them, a tool's own output below those, and warnings."""

    stream: TextIO

    def step(self, title: str) -> None:
        """Start a step of the build."""
        self._print("", title)

    def line(self, text: str) -> None:
        """Say one thing about the current step."""
        self._print(f"  {text}")

    def detail(self, text: str) -> None:
        """Pass on a line of a tool's own output."""
        self._print(f"    {text}".rstrip())

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        """Say what the user should change although the build goes on."""
        self._print("", f"[Warning: {title}]", *body, "")

    def error(self, title: str, body: tuple[str, ...], steps: tuple[str, ...] = ()) -> None:
        """Say why the phase stops and what mends it."""
        self._print("", f"[Error: {title}]", "", *body)
        if steps:
            self._print("", "What to do:")
            self._print(*(f"  {number}. {step}" for number, step in enumerate(steps, start=1)))

    def bug(self, title: str, traceback: str) -> None:
        """Say that the fault is ours, and show where."""
        self._print("", f"[Error: {title}]", "", traceback.rstrip())

    def _print(self, *lines: str) -> None:
        # One write for all lines: detect phases of a group share the stream.
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()
