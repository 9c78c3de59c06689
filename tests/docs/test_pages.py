"""Every page of the documentation shows without an error, on a desktop and on a phone."""

import pytest

from tests.docs.browser import Browser
from tools.docs import site

PICTURES = site.ROOT / "build/docs-screenshots"
PAGES = sorted(str(path.relative_to(site.DOCS)) for path in site.DOCS.rglob("*.md"))


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("page", PAGES)
def test_page_shows_without_an_error(
    page: str, width: int, address: str, browser: Browser
) -> None:
    name = page.removesuffix(".md")

    problems = browser.open(f"{address}/{name}.html", width)
    browser.picture(PICTURES / str(width) / f"{name.replace('/', '-')}.png", width)

    assert problems == ()
