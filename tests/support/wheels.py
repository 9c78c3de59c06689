"""Writes wheels with the standard library alone.

The sdists that `sdists.sdist` makes contain a copy of this file, so it has to run with the oldest
Python that an app may request.
https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

Content = str | bytes

# The earliest time of a zip archive, so that the same input gives the same bytes.
LONG_AGO = (1980, 1, 1, 0, 0, 0)


def wheel(  # noqa: PLR0913 - the properties of a wheel
    into: Path,
    name: str,
    version: str,
    files: Mapping[str, Content],
    *,
    tag: str = "py3-none-any",
    requires: Iterable[str] = (),
    requires_python: str = "",
    scripts: Mapping[str, str] | None = None,
) -> Path:
    """Write the wheel of *files*, by path below site-packages, into *into* and return its path.

    *scripts* are console scripts: `{"hello": "package.module:function"}`.
    """
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    members = {path: _bytes(content) for path, content in files.items()}
    members[f"{info}/METADATA"] = metadata(name, version, requires, requires_python).encode()
    purelib = "true" if tag.endswith("-none-any") else "false"
    tags = "".join(f"Tag: {each}\n" for each in _tags(tag))
    text = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {purelib}\n{tags}"
    members[f"{info}/WHEEL"] = text.encode()
    if scripts:
        lines = "".join(f"{script} = {target}\n" for script, target in scripts.items())
        members[f"{info}/entry_points.txt"] = f"[console_scripts]\n{lines}".encode()
    record = "".join(
        f"{member},{_digest(content)},{len(content)}\n" for member, content in members.items()
    )
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    path = into / f"{stem}-{tag}.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in members.items():
            entry = zipfile.ZipInfo(member, LONG_AGO)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return path


def metadata(name: str, version: str, requires: Iterable[str], requires_python: str) -> str:
    """Return the core metadata of a distribution."""
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    listed = tuple(requires)
    extras = sorted({extra for line in listed for extra in re.findall(r"extra == '(\w+)'", line)})
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    return "\n".join([*lines, *(f"Requires-Dist: {line}" for line in listed), ""])


def _tags(tag: str) -> Iterator[str]:
    """Yield each tag of a compressed one (`cp313-cp313-a.b`)."""
    pythons, abis, platforms = tag.split("-")
    for python in pythons.split("."):
        for abi in abis.split("."):
            for platform in platforms.split("."):
                yield f"{python}-{abi}-{platform}"


def _bytes(content: Content) -> bytes:
    return content.encode() if isinstance(content, str) else content


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
    return f"sha256={digest.decode()}"
