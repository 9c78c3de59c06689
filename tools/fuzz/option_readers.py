"""Readers of what only some builds read: Debian packages, and what images for tests contain."""

import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from cnb_python.app import read_app
from cnb_python.config.settings import DEFAULTS
from cnb_python.errors.base import AppError, OutsideError
from cnb_python.launch.exec_env.tests import find_test
from cnb_python.managers.registry import fallbacks, managers
from cnb_python.system_packages import control
from cnb_python.system_packages.deb import Deb
from tools.fuzz import seeds
from tools.fuzz.engine import Reader

_FAILURES = (AppError, OutsideError)
_CONTROL = b"""\
Package: libone1
Version: 1.0-1
Depends: libc6 (>= 2.34), default-mta | mail-transport-agent
"""
_POSTINST = b"update-alternatives --install /usr/bin/a a /usr/bin/b 10\n"
_RUNNERS = {"pytest": "9.2.0", "tox": "4.60.0", "nox": "2026.1.1", "django": "5.2.19"}


def readers() -> tuple[Reader, ...]:
    """Return a reader for each kind of file."""
    return (
        Reader("Debian package", (_package(),), _deb, _FAILURES),
        Reader("settings of test runners", (seeds.PYPROJECT, seeds.APP), _tests),
        Reader(
            "groups for development",
            (seeds.PYPROJECT, seeds.PYLOCK, seeds.PIPFILE, seeds.PIPFILE_LOCK),
            _groups,
            _FAILURES,
        ),
    )


def _package() -> bytes:
    """Return a Debian package: an `ar` archive of two tar archives.

    https://manpages.debian.org/bookworm/dpkg-dev/deb.5.en.html
    """
    parts = {
        "debian-binary": b"2.0\n",
        "control.tar": _tar({"./control": _CONTROL, "./postinst": _POSTINST}),
        "data.tar": _tar({"./usr/lib/libone.so.1": b"a library"}),
    }
    headers = (
        (f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode(), content)
        for name, content in parts.items()
    )
    return b"!<arch>\n" + b"".join(
        header + content + b"\n" * (len(content) % 2) for header, content in headers
    )


def _tar(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def _deb(content: bytes, directory: Path) -> None:
    file = directory / "libone1.deb"
    file.write_bytes(content)
    controls = Deb(file).control()
    control.reason_against(controls)
    control.alternatives((controls,))
    control.needed_to_run({"libone1": controls}, ("libone1",))
    for _, read in Deb(file).members():
        read()


def _tests(content: bytes, directory: Path) -> None:
    for name in ("pyproject.toml", "tox.ini", "setup.cfg", "test_app.py", "manage.py"):
        (directory / name).write_bytes(content)
    find_test(read_app(directory), _RUNNERS)


def _groups(content: bytes, directory: Path) -> None:
    """Find what each manager that has files in the app adds for tests."""
    names = ("pyproject.toml", "uv.lock", "pdm.lock", "pylock.toml", "Pipfile", "Pipfile.lock")
    for name in names:
        (directory / name).write_bytes(content)
    app = read_app(directory)
    for manager in (*managers(DEFAULTS), *fallbacks(DEFAULTS)):
        if manager.deciding_files(app):
            try:
                manager.with_development(app)
            except _FAILURES:
                continue
