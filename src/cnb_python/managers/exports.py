"""What several tools write in their exports and nobody needs: extras, which are resolved by then.

A tool may list a release twice, with an extra and without.
"""

import re

_EXTRAS = re.compile(r"^([A-Za-z0-9][\w.-]*)\[[^]\n]*\](?=\s*==)", re.MULTILINE)


def plain(text: str) -> str:
    """Return the exported *text* with releases alone.

    >>> plain("uvicorn[standard]==0.54.0; python_version >= '3.10'")
    "uvicorn==0.54.0; python_version >= '3.10'"
    """
    return _EXTRAS.sub(r"\1", text)
