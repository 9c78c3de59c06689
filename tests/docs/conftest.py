"""The documentation, built once and served to one browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.browser import Browser, chromium
from tests.support import file_server
from tools.docs import site


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Serve the site; yield its address."""
    with file_server.running(site.build()) as server:
        yield server.url


@pytest.fixture(scope="session")
def browser(base: Path) -> Iterator[Browser]:
    """Chromium, for all tests; it ends before `base` looks for processes that are left."""
    home = base / "chromium"
    home.mkdir()
    with chromium(home) as tab:
        yield tab
