"""Unpacks builds of CPython from Go modules. Uses only the standard library, for `stage0`.

Where the release host cannot be reached, the Go module proxy often can. go-embed-python contains
the files of python-build-standalone's builds, listed in a `files.json`.
"""

import gzip
import json
import subprocess
from pathlib import Path

from tools.processes import Unavailable

# Go's os.FileMode: https://pkg.go.dev/io/fs#FileMode
GO_DIR = 1 << 31


class ModuleMismatch(Unavailable):
    """The proxy does not serve the pinned module."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"The Go module {name} cannot be used: {problem}.")


def download(name: str, pinned_sum: str) -> Path:
    """Return the directory of module *name* (`path@version`), downloaded and verified by `go`."""
    result = subprocess.run(
        ["go", "mod", "download", "-json", name],
        cwd="/",  # not inside a Go module, whose own rules would apply
        check=False,
        capture_output=True,
        text=True,
    )
    facts = json.loads(result.stdout or "{}")
    if "Dir" not in facts:
        raise ModuleMismatch(name, facts.get("Error") or result.stderr.strip())
    if facts["Sum"] != pinned_sum:
        raise ModuleMismatch(name, f"its hash is {facts['Sum']}, pinned is {pinned_sum}")
    return Path(facts["Dir"])


def unpack(data: Path, into: Path) -> None:
    """Write the files that `files.json` in *data* lists below *into*."""
    into.mkdir(parents=True, exist_ok=True)
    for entry in json.loads((data / "files.json").read_text())["files"]:
        target = into / entry["name"]
        if entry.get("symlink"):
            target.symlink_to(entry["symlink"])
        elif entry["perm"] & GO_DIR:
            target.mkdir(exist_ok=True)
        else:
            _write_file(data, entry["name"], target)
            target.chmod(entry["perm"] & 0o777 | 0o644)


def _write_file(data: Path, name: str, target: Path) -> None:
    packed = data / f"{name}.gz"
    content = (
        gzip.decompress(packed.read_bytes()) if packed.exists() else (data / name).read_bytes()
    )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
