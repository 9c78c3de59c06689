"""The text of messages, for tests that look for phrases in it."""

from cnb_python.errors.base import BuildpackError, Failure, Message


def text_of(message: Message) -> str:
    """Return the title, the body, the fixes and the steps of *message*, a line each."""
    return "\n".join((message.title, *message.body, *message.fixes, *message.steps))


def explained(error: BuildpackError | None) -> str:
    """Return the text that explains *error*, which must include a fix."""
    assert isinstance(error, Failure)
    message = error.describe()
    assert message.fixes or message.steps, "a message says how to fix it"
    return text_of(message)
