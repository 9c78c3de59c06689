"""An output that keeps what is printed: an explanation takes it as values.

Separate from `explain`, which collects the values.
"""

from contextlib import AbstractContextManager, nullcontext

from cnb_python.explain.explanation import Note


class RecordedOutput:
    """Keeps lines and warnings; drops titles and the output of tools."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.warnings: list[Note] = []

    def step(self, title: str) -> None:
        """Drop *title*."""

    def line(self, text: str) -> None:
        """Keep the line."""
        self.lines.append(text)

    def detail(self, text: str) -> None:
        """Drop *text*."""

    def warning(self, title: str, body: tuple[str, ...]) -> None:
        """Keep the warning."""
        self.warnings.append(Note(title, body))

    def progress(self, title: str) -> AbstractContextManager[None]:
        """Show nothing."""
        del title
        return nullcontext()
