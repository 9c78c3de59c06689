"""Downloads data of NLTK, as `python -m nltk.downloader` does. A program for the app's Python.

`nltk_runner.py INTO FAILURE NAME...` puts the data into the directory INTO. Of the first that
cannot be downloaded it writes name and reason to FAILURE, as a list in JSON, and exits with 1:
NLTK's own program exits with 0 whatever happens.
"""

# mypy: ignore-errors
# It speaks with the app's NLTK, which is nowhere else.

import json
import os
import sys
from pathlib import Path


def main(into: str, failure: str, *names: str) -> int:
    """Download each of *names*; return the exit code."""
    # In the working directory may lie anything.
    sys.path[:1] = []
    from nltk.downloader import Downloader

    downloader = Downloader(os.environ.get("NLTK_DOWNLOAD_URL") or None)
    for name in names:
        try:
            downloader.download(name, download_dir=into, raise_on_error=True)
        except Exception as error:  # noqa: BLE001 - a parser's, a server's, NLTK's own
            said = f"{type(error).__name__}: {error}"
            Path(failure).write_text(json.dumps([name, said]), encoding="utf-8")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
