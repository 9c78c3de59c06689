"""Builds the documentation in `docs/` as a site into `build/docs`, and refuses what is broken.

Zensical checks the links between pages and their anchors. It ignores other links, pages that the
navigation does not name and files from other hosts, so `problems` checks those.
"""

import shutil
import sys
import tomllib
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from tools import cache, stage0
from tools.processes import Unavailable, run, say

ROOT = stage0.ROOT
CONFIG = ROOT / "zensical.toml"
LOCK = ROOT / "requirements/docs.txt"
DOCS = ROOT / "docs"
SITE = ROOT / "build/docs"

# What makes a browser fetch something when it opens the page: attributes, relations of `<link>`.
_FETCHED = {"src", "srcset", "poster", "data"}
_FETCHED_RELATIONS = {"stylesheet", "icon", "manifest", "preload", "modulepreload", "prefetch"}


def build() -> Path:
    """Build the site, and return its directory.

    Raises `Unavailable` with what is broken, or where Zensical cannot be installed.
    """
    path = {"PYTHONPATH": str(programs()), "NO_COLOR": "1"}
    shutil.rmtree(SITE, ignore_errors=True)
    command = ("-m", "zensical", "build", "--clean", "--strict", "--config-file", CONFIG)
    run(sys.executable, *command, env=path, cwd=ROOT)
    wrong = [*navigation_problems(_pages_of_navigation(), DOCS), *link_problems(SITE)]
    if wrong:
        raise Unavailable("\n  ".join(["The documentation is broken:", *wrong]))
    return SITE


def programs() -> Path:
    """Return a directory with Zensical and check-jsonschema, installed the first time."""
    pins = cache.digest(LOCK.read_bytes(), sys.version)
    return cache.entry("docs", pins, "Installing Zensical and check-jsonschema", _install)


def _install(into: Path) -> None:
    options = ("--quiet", "--no-input", "--disable-pip-version-check", "--root-user-action=ignore")
    pinned = ("--require-hashes", "--only-binary=:all:", "--requirement", LOCK)
    run(sys.executable, "-I", "-m", "pip", "install", *options, *pinned, "--target", into)


def _pages_of_navigation() -> list[str]:
    return list(_leaves(tomllib.loads(CONFIG.read_text(encoding="utf-8"))["project"]["nav"]))


type _Navigation = str | list[_Navigation] | dict[str, _Navigation]


def _leaves(node: _Navigation) -> Iterator[str]:
    match node:
        case str():
            yield node
        case dict():
            for child in node.values():
                yield from _leaves(child)
        case list():
            for child in node:
                yield from _leaves(child)


def navigation_problems(pages: list[str], docs: Path) -> list[str]:
    """Return a sentence for each page that is missing in the navigation, or that only it has."""
    named = [page for page in pages if not urlsplit(page).scheme]
    existing = {str(path.relative_to(docs)) for path in docs.rglob("*.md")}
    return [
        *(f"docs/{page} is not in the navigation" for page in sorted(existing - set(named))),
        *(
            f"the navigation names docs/{page}, which does not exist"
            for page in named
            if page not in existing
        ),
        *(
            f"the navigation names docs/{page} twice"
            for page in sorted(set(named))
            if named.count(page) > 1
        ),
    ]


class Links(NamedTuple):
    """What an HTML page refers to."""

    anchors: frozenset[str]
    """Its own: every `id`, and `name` of `<a>`."""
    links: tuple[str, ...]
    """Addresses that a reader can follow."""
    fetched: tuple[str, ...]
    """Addresses that a browser fetches by itself."""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.anchors = set[str]()
        self.links: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value is not None}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a":
            self.anchors.update({values["name"]} if "name" in values else ())
            self.links.extend([values["href"]] if "href" in values else ())
        elif tag == "link" and _FETCHED_RELATIONS & set(values.get("rel", "").split()):
            self.fetched.append(values["href"])
        self.fetched.extend(values[name] for name in sorted(_FETCHED & values.keys()))


def links_of(html: str) -> Links:
    """Return what the page *html* refers to."""
    reader = _Reader()
    reader.feed(html)
    return Links(frozenset(reader.anchors), tuple(reader.links), tuple(reader.fetched))


def link_problems(site: Path) -> list[str]:
    """Return a sentence for each dead link of *site*, and for each file from another host."""
    pages = {
        path: links_of(path.read_text(encoding="utf-8")) for path in sorted(site.rglob("*.html"))
    }
    # A server shows 404.html at any address, so its links are not relative.
    return [
        f"{path.relative_to(site)}: {problem}"
        for path, page in pages.items()
        if path.name != "404.html"
        for problem in (*_from_other_hosts(page), *_dead(path, page, pages))
    ]


def _from_other_hosts(page: Links) -> Iterator[str]:
    for address in page.fetched:
        if urlsplit(address).netloc:
            yield f"fetches {address} from another host"


def _dead(path: Path, page: Links, pages: dict[Path, Links]) -> Iterator[str]:
    for address in (*page.links, *page.fetched):
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        anchors = pages[target].anchors if target in pages else frozenset[str]()
        if not target.is_file():
            yield f"{address} does not exist"
        elif parts.fragment and unquote(parts.fragment) not in anchors:
            yield f"{address}: no such heading"


if __name__ == "__main__":
    try:
        say(f"The documentation is in {build().relative_to(ROOT)}/index.html")
    except Unavailable as error:
        sys.exit(str(error))
