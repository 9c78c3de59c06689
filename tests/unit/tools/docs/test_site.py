"""What makes the documentation fail to build."""

from pathlib import Path

from tools.docs.site import link_problems, links_of, navigation_problems


def _site(directory: Path, **pages: str) -> Path:
    for name, body in pages.items():
        (directory / f"{name}.html").write_text(f"<html><body>{body}</body></html>")
    return directory


def _docs(directory: Path, *names: str) -> Path:
    for name in names:
        path = directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("# Page")
    return directory


def test_page_outside_the_navigation_is_a_problem(tmp_path: Path) -> None:
    docs = _docs(tmp_path, "index.md", "managers/pip.md")

    assert navigation_problems(["index.md"], docs) == [
        "docs/managers/pip.md is not in the navigation"
    ]


def test_missing_page_in_the_navigation_is_a_problem(tmp_path: Path) -> None:
    docs = _docs(tmp_path, "index.md")

    assert navigation_problems(["index.md", "gone.md"], docs) == [
        "the navigation names docs/gone.md, which does not exist"
    ]


def test_page_that_is_twice_in_the_navigation_is_a_problem(tmp_path: Path) -> None:
    docs = _docs(tmp_path, "index.md")

    assert navigation_problems(["index.md", "index.md"], docs) == [
        "the navigation names docs/index.md twice"
    ]


def test_address_in_the_navigation_is_no_page(tmp_path: Path) -> None:
    docs = _docs(tmp_path, "index.md")

    assert navigation_problems(["index.md", "https://example.com/"], docs) == []


def test_links_anchors_and_fetched_files_are_read() -> None:
    html = (
        '<h1 id="top">T</h1><a href="b.html#x">b</a><a name="old">o</a><img src="c.png">'
        '<link rel="stylesheet" href="d.css"><link rel="next" href="e.html">'
    )

    links = links_of(html)

    assert links.anchors == {"top", "old"}
    assert links.links == ("b.html#x",)
    assert links.fetched == ("c.png", "d.css")


def test_working_links_are_no_problem(tmp_path: Path) -> None:
    site = _site(
        tmp_path,
        index='<a href="page.html#deep">p</a><a href="https://example.com/gone">e</a>',
        page='<h2 id="deep">D</h2><a href="index.html">i</a><a href="#deep">d</a><a href="">t</a>',
    )

    assert link_problems(site) == []


def test_dead_links_are_problems(tmp_path: Path) -> None:
    site = _site(tmp_path, index='<a href="gone.html">g</a><a href="#gone">g</a><img src="x.png">')

    assert link_problems(site) == [
        "index.html: gone.html does not exist",
        "index.html: #gone: no such heading",
        "index.html: x.png does not exist",
    ]


def test_file_from_another_host_is_a_problem(tmp_path: Path) -> None:
    site = _site(tmp_path, index='<script src="https://cdn.example.com/x.js"></script>')

    assert link_problems(site) == [
        "index.html: fetches https://cdn.example.com/x.js from another host"
    ]
