"""A shop made with Django, from its source to pages, an API and a style sheet."""

import json

import pytest

from tests.support.builds import Builds, Built, fixture
from tools.platforms import distroless


@pytest.fixture(scope="module")
def shop(builds: Builds, flask: Built) -> Built:
    built = builds.image(fixture("pip_django"), flask)
    assert built.code == 0, built.output
    return built


def test_pages_and_static_files_are_served_read_only(shop: Built) -> None:
    with shop.serve() as served:
        page = served.fetch()
        assert "<h1>The bookshop</h1>" in page
        assert 'href="/static/catalog/style.css"' in page
        assert served.fetch("/static/catalog/style.css").startswith("body { font-family: Georgia")
        assert json.loads(served.fetch("/api/books/"))[0]["title"]


def test_compiled_packages_work(shop: Built) -> None:
    with shop.serve() as served:
        health = json.loads(served.fetch("/health"))
    assert health["status"] == "ok"
    assert health["psycopg"] == "binary"


def test_server_stops_gracefully(shop: Built) -> None:
    with shop.serve() as served:
        served.fetch()
        assert served.stop() == 0


def test_log_names_the_server_found_without_procfile(shop: Built) -> None:
    web = shop.documents()["launch.toml"]["processes"][0]
    assert (web["type"], web["default"]) == ("web", True)
    assert "shop.wsgi" in " ".join(web["command"])
    assert "WSGI_APPLICATION" in shop.output
    assert "shop/settings.py" in shop.output


def test_management_commands_run(shop: Built) -> None:
    assert shop.run("python", "manage.py", "check") == (
        "System check identified no issues (0 silenced).\n"
    )


def test_console_scripts_run(shop: Built) -> None:
    assert shop.run("django-admin", "--version").startswith("5.2.")
    assert shop.run("celery", "--version").startswith("5.")


def test_every_process_runs_without_a_shell(shop: Built) -> None:
    bare = distroless.tree()

    with shop.serve(run_rootfs=bare) as served:
        assert json.loads(served.fetch("/health"))["status"] == "ok"
        assert served.stop() == 0
    with shop.serve("console", "-c", "print(6 * 7)", run_rootfs=bare) as served:
        assert (served.process.wait(60), "\n42\n" in f"\n{served.output}") == (0, True)
    # Without a database, the program itself reports it.
    with shop.serve("release", run_rootfs=bare) as served:
        assert served.process.wait(60) == 1
        assert "django.db.utils.OperationalError" in served.output
    with shop.serve("worker", run_rootfs=bare) as served:
        # Its broker is in memory.
        assert served.wrote(" ready.", patience=60)
        assert served.stop() is not None
