"""Has uv make a lock, as a developer would, before the app is built."""

import os
import subprocess
import sys
from pathlib import Path

UV = Path(sys.executable).parent / "uv"


def uv(app: Path, *arguments: str, index: str) -> None:
    """Run uv with *arguments* in *app*, where *index* is the only one."""
    given = {
        "UV_DEFAULT_INDEX": index,
        "UV_PYTHON": sys.executable,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_NO_CACHE": "1",
    }
    own = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
    subprocess.run(
        [UV, *arguments], cwd=app, env={**own, **given}, check=True, capture_output=True
    )
