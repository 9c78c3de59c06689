"""Service bindings as files, and certificates for them."""

from pathlib import Path

import certifi

from cnb_python.cnb.bindings import Binding, read_bindings

_END = "-----END CERTIFICATE-----\n"


def bound(root: Path, **bindings: dict[str, str]) -> tuple[Binding, ...]:
    """Write *bindings*, by their names, below *root*; return them as a phase reads them."""
    for name, keys in bindings.items():
        directory = root / "bindings" / name
        directory.mkdir(parents=True)
        for key, value in keys.items():
            (directory / key).write_text(value)
    return read_bindings(root / "bindings")


def certificates(number: int, after: int = 0) -> str:
    """Return *number* of certifi's authorities, as PEM."""
    texts = Path(certifi.where()).read_text().split(_END)[after : after + number]
    return "".join(text + _END for text in texts)
