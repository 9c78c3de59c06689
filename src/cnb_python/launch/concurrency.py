"""Which processes can be told by WEB_CONCURRENCY to start several workers."""

import re

from cnb_python.launch.processes import Decision, FromProcfile
from cnb_python.launch.procfile import Entry

# Words of a command: `python main.py`, `dumb-init python3.14 -m shop`, `exec bin/python`.
_PYTHON = re.compile(r"(?:^|[\s/\"'])python[\d.]*(?=[\s\"']|$)")
# `gunicorn`, `bin/gunicorn`, `python -m gunicorn.app.wsgiapp`.
_SERVER = re.compile(
    r"(?:^|[\s/\"'])(?:gunicorn|uvicorn|hypercorn|granian|fastapi)(?:\.app\.\w+)?(?=[\s\"']|$)"
)


def single(decision: Decision) -> tuple[str, ...]:
    """Return the types of the processes that are Python programs of the app's own.

    Such a program may serve an object, `uvicorn.run(app)`, and uvicorn ends at once when it finds
    WEB_CONCURRENCY above 1 then: https://github.com/encode/uvicorn/blob/main/uvicorn/main.py
    """
    if not isinstance(decision, FromProcfile):
        return ()  # commands of ours, with servers that we know
    return tuple(entry.type for entry in decision.entries if _is_own_program(entry))


def _is_own_program(entry: Entry) -> bool:
    return bool(_PYTHON.search(entry.command)) and not _SERVER.search(entry.command)
