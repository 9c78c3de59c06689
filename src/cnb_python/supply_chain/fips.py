"""Whether the kernel is in FIPS mode, which the app's Python cannot follow.

Separate from `decisions`, which is about the app, not the machine.
"""

from pathlib import Path

from cnb_python.errors.base import Message
from cnb_python.system.interface import System

_FILE = "proc/sys/crypto/fips_enabled"


def is_enabled(root: Path) -> bool:
    """Whether the kernel below *root* is in FIPS mode.

    https://docs.kernel.org/admin-guide/sysctl/crypto.html
    """
    try:
        return (root / _FILE).read_text("ascii").strip() == "1"
    except OSError, UnicodeDecodeError:
        return False


def warn(version: str, system: System) -> None:
    """Print a warning about Python *version* if the kernel is in FIPS mode."""
    if is_enabled(system.root):
        message = warning(version)
        system.output.warning(message.title, message.body)


def warning(version: str) -> Message:
    """Return a warning about Python *version*, which brings its own OpenSSL."""
    return Message(
        "Python does not use validated cryptography",
        (
            (
                "The kernel is in FIPS mode (/proc/sys/crypto/fips_enabled is 1). "
                f"Python {version} of this image contains its own OpenSSL, linked statically: it "
                "cannot load the FIPS provider of OpenSSL or of the base image, and no "
                "certificate covers it. ssl, hashlib and hmac accept algorithms that FIPS 140 "
                "does not approve."
            ),
            (
                "The build goes on, and the image works. If the app has to use validated modules, "
                "terminate TLS in a proxy that has one, or use the Python of a distribution that "
                "has one in place of this buildpack."
            ),
        ),
    )
