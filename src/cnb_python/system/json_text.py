"""Parses JSON that other programs or people wrote: everything wrong with it is one exception.

`json` is loaded when it is used: most builds of apps with a requirements.txt do without it.
"""

import re

type JsonValue = str | int | float | bool | list[JsonValue] | dict[str, JsonValue] | None

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_HALF = "it has half of a character, such as \\ud800 alone"
_TOO_DEEP = "it is nested too deeply"


class InvalidJson(ValueError):
    """A text is not JSON: `line` (from 1) and `reason`."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


def parse(text: str | bytes) -> JsonValue:
    """Return the document in *text*; bytes are UTF-8, UTF-16 or UTF-32 (RFC 4627, section 3).

    Raises InvalidJson, also for numbers of thousands of digits, which Python does not read, and
    for arrays in arrays in ... that are nested too deeply for it.
    """
    import json  # noqa: PLC0415 - see above

    try:
        document: JsonValue = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidJson(error.lineno, error.msg) from error
    except UnicodeDecodeError as error:
        raise InvalidJson(1, "it is not UTF-8 text") from error
    except ValueError as error:
        raise InvalidJson(1, str(error)) from error
    except RecursionError as error:
        raise InvalidJson(1, _TOO_DEEP) from error
    return document


def parse_file(text: str) -> JsonValue:
    """Return the document in *text*, whose strings can be written as UTF-8 again.

    Documents of this buildpack may have other strings: paths that are not UTF-8. Raises what
    `parse` raises.
    """
    document = parse(text)
    if _SURROGATE.search(text):
        import json  # noqa: PLC0415 - see above

        try:
            json.dumps(document, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise InvalidJson(1, _HALF) from error
    return document
