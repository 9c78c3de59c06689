"""A small inventory for tests."""

from datetime import date

from cnb_python.cnb.context import Target
from cnb_python.python.releases import FREETHREADED, PLAIN, Inventory, Release, ReleaseLine

TODAY = date(2026, 11, 21)
AMD64 = Target("linux", "amd64", "", "debian", "12")
ARM64 = Target("linux", "arm64", "", "debian", "12")


def release(version: str, arch: str = "amd64", flavour: str = PLAIN) -> Release:
    """Return a release with a URL and a hash of its own."""
    name = f"{version}-{arch}-{flavour}"
    return Release(version, arch, flavour, f"https://x/{name}.tar.gz", name.encode().hex()[:64])


INVENTORY = Inventory(
    origin="https://mirror.example/python.toml",
    default="3.13",
    lines=(
        ReleaseLine("3.9", date(2020, 10, 5), date(2025, 10, 31), date(2026, 1, 31)),
        ReleaseLine("3.10", date(2021, 10, 4), date(2026, 10, 31), date(2027, 1, 31)),
        ReleaseLine("3.11", date(2022, 10, 24), date(2027, 10, 31), date(2028, 1, 31)),
        ReleaseLine("3.13", date(2024, 10, 7), date(2029, 10, 31), date(2030, 1, 31)),
    ),
    releases=(
        release("3.10.2"),
        release("3.11.9"),
        release("3.11.10"),
        release("3.13.2"),
        release("3.13.10"),
        release("3.13.9"),
        release("3.13.9", "arm64"),
        release("3.13.8", "arm64"),
        release("3.13.10", flavour=FREETHREADED),
    ),
)
