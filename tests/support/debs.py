"""Makes `.deb` files, good and hostile ones."""

import gzip
import hashlib
import io
import lzma
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_MAGIC = b"!<arch>\n"


@dataclass(frozen=True)
class DebFile:
    """What a package contains."""

    name: str
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    members: tuple[tarfile.TarInfo, ...] = ()
    """Further members, without content."""
    modes: Mapping[str, int] = field(default_factory=dict)
    """Of files; the others have 644."""

    def content(self) -> bytes:
        """Return the file."""
        fields = {"Package": self.name, "Version": "1.0-1", "Architecture": "amd64", **self.fields}
        control = "".join(f"{name}: {value}\n" for name, value in fields.items())
        data = [_file(f"./{path}", text, self.modes) for path, text in self.files.items()]
        data += [(_link(f"./{path}", target), b"") for path, target in self.links.items()]
        data += [(member, b"") for member in self.members]
        scripts = [_file(f"./{name}", text, {}) for name, text in self.scripts.items()]
        return _MAGIC + b"".join(
            (
                _part("debian-binary", b"2.0\n"),
                _part("control.tar.gz", _tar([_file("./control", control, {}), *scripts], "gz")),
                _part("data.tar.xz", _tar(data, "xz")),
            )
        )

    def write(self, directory: Path) -> Path:
        """Write the file to *directory*; return its path."""
        path = directory / f"{self.name}.deb"
        path.write_bytes(self.content())
        return path

    @property
    def uri(self) -> str:
        """The line that `apt-get --print-uris` prints for it."""
        content = self.content()
        digest = hashlib.sha256(content).hexdigest()
        name = f"{self.name}_1.0-1_amd64.deb"
        return f"'http://deb.example/pool/{name}' {name} {len(content)} SHA256:{digest}"


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """Return a member of a kind such as `tarfile.CHRTYPE`."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def _file(name: str, text: str | bytes, modes: Mapping[str, int]) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    content = text if isinstance(text, bytes) else text.encode()
    info.size, info.mode = len(content), modes.get(name.removeprefix("./"), 0o644)
    return info, content


def _link(name: str, target: str) -> tarfile.TarInfo:
    return member(name, tarfile.SYMTYPE, target)


def _tar(members: list[tuple[tarfile.TarInfo, bytes]], compression: str) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for info, content in members:
            packed.addfile(info, io.BytesIO(content))
    compress = gzip.compress if compression == "gz" else lzma.compress
    return compress(stream.getvalue())


def _part(name: str, content: bytes) -> bytes:
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)
