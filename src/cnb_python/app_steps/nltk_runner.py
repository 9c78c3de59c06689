"""Downloads NLTK data as `python -m nltk.downloader` does. A program for the app's Python.

`nltk_runner.py INTO FAILURE NAME...` downloads the data NAME into the directory INTO. If one
fails, it writes its name and the reason to FAILURE, as a list in JSON, and exits with code 1.
NLTK's own program always exits with code 0.
"""

# mypy: ignore-errors
# It uses the app's NLTK, which is not installed here.

import json
import os
import sys
from pathlib import Path


def main(into: str, failure: str, *names: str) -> int:
    """Download each of *names*; return the exit code."""
    # The working directory may contain modules that shadow installed ones.
    sys.path[:1] = []
    from nltk.downloader import Downloader

    downloader = Downloader(os.environ.get("NLTK_DOWNLOAD_URL") or None)
    for name in names:
        try:
            downloader.download(name, download_dir=into, raise_on_error=True)
        except Exception as error:  # noqa: BLE001 - an XML parser's, the network's, or NLTK's own
            message = f"{type(error).__name__}: {error}"
            Path(failure).write_text(json.dumps([name, message]), encoding="utf-8")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
