"""NLTK's data is in the image, downloaded once from a server on this machine.

The app is one directory of a repository, with static files of Django's and scripts of its own.
NLTK 3.9.1: later releases refuse to fetch from private addresses, which a test's server has.
"""

import hashlib
import re
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.build_variants import layers_of, without_cache, without_image
from tests.support.builds import Builds, Built, fixture
from tests.support.trees import App, Files, write_files

# With all dependencies, since pip would resolve in every build otherwise.
REQUIREMENTS = """nltk==3.9.1
click==8.5.1
cloudpickle==3.1.2
joblib==1.6.0
regex==2026.11.15
tqdm==4.70.1
"""
GALLERY = fixture("pip_django_static")
# Files of the repository outside the app, which no step may use.
OTHERS: Files = {
    "manage.py": "import django\nraise SystemExit('the wrong one')\n",
    "nltk.txt": "wrong\n",
    "bin/pre_compile": "#!/bin/sh\nexit 1\n",
    "bin/post_compile": "#!/bin/sh\nexit 1\n",
}
BEFORE = "#!/bin/sh\npwd > before.txt\n"
WORDS = "from nltk.corpus import stopwords; print(stopwords.words('english'))"
RUNS = "Running `python -m nltk.downloader stopwords`"
AFTER = f'#!/bin/sh\npython -c "{WORDS}" > words.txt\n'
INDEX = """<?xml version="1.0"?>
<nltk_data><packages><package id="stopwords" name="Stopwords" subdir="corpora" unzip="1"
size="{size}" unzipped_size="6" checksum="{md5}" url="{url}/stopwords.zip"/></packages>
<collections/></nltk_data>
"""


@dataclass
class Server:
    """Serves NLTK data, and records the requests."""

    url: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        return {"NLTK_DOWNLOAD_URL": f"{self.url}/index.xml", "BP_PYTHON_PROJECT": "shop"}


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, server: Server, *args: object, directory: Path) -> None:
        self.remembered = server
        super().__init__(*args, directory=str(directory))  # type: ignore[arg-type]  # the server's own

    def log_request(self, *_: object) -> None:
        self.remembered.asked.append(self.path)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("nltk")
    nltk_server = Server()
    handler = partial(_Handler, nltk_server, directory=directory)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        nltk_server.url = f"http://127.0.0.1:{http.server_port}"
        archive = directory / "stopwords.zip"
        with zipfile.ZipFile(archive, "w") as packed:
            packed.writestr("stopwords/english", "the\na\n")
        content = archive.read_bytes()
        md5 = hashlib.md5(content).hexdigest()
        index = INDEX.format(size=len(content), md5=md5, url=nltk_server.url)
        write_files(directory, {"index.xml": index, "no_index.html": "<p>"})
        thread = threading.Thread(target=http.serve_forever, args=(0.05,))
        thread.start()
        yield nltk_server
        http.shutdown()
        thread.join()


def files(names: str = "stopwords", after: str = "") -> Files:
    gallery = {
        f"shop/{path.relative_to(GALLERY)}": path.read_bytes()
        for path in GALLERY.rglob("*")
        if path.is_file()
    }
    django = (GALLERY / "requirements.txt").read_text()
    return {
        **OTHERS,
        **gallery,
        "shop/requirements.txt": REQUIREMENTS + django,
        "shop/nltk.txt": names,
        "shop/bin/pre_compile": BEFORE,
        **({"shop/bin/post_compile": after} if after else {}),
    }


def executable(directory: Path) -> Path:
    for script in directory.glob("**/bin/*"):
        script.chmod(0o755)
    return directory


def ours(built: Built) -> dict[str, str]:
    return {title: sha for title, sha in layers_of(built).items() if "/python:" in title}


@pytest.fixture(scope="module")
def words(
    builds: Builds, flask: Built, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Built:
    directory = write_files(tmp_path_factory.mktemp("words") / "app", files())
    directory.chmod(0o755)
    built = builds.image(executable(directory), flask, env=server.env)
    assert built.code == 0, built.output
    return built


def test_app_finds_its_data(words: Built) -> None:
    assert RUNS in words.output
    assert words.run("python", "-c", WORDS) == "['the', 'a']\n"


def test_steps_run_in_the_project_directory(words: Built) -> None:
    assert "Running `python manage.py collectstatic --noinput` in `shop`" in words.output
    assert words.run("sh", "-c", "pwd; ls; cat shop/before.txt") == (
        "/workspace\nbin\nmanage.py\nnltk.txt\nshop\n/workspace/shop\n"
    )
    with words.serve() as served:
        assert re.search(r"/static/gallery/style\.[0-9a-f]{12}\.css", served.fetch())


def test_data_is_downloaded_once(builds: Builds, words: Built, server: Server, app: App) -> None:
    server.asked.clear()
    again = builds.image(executable(app(files())), words, env=server.env)
    assert again.code == 0, again.output
    assert "Nothing changed: reusing 9 packages from the previous image" in again.output
    assert "from the cache (nothing that collectstatic reads has changed)" in again.output
    assert re.findall(r"Running `(.*)`", again.output) == ["bin/pre_compile"]
    assert layers_of(again) == layers_of(words)
    assert server.asked == []


def test_data_without_image_comes_from_the_store(
    builds: Builds, words: Built, server: Server, app: App, tmp_path: Path
) -> None:
    server.asked.clear()
    before = without_image(words, tmp_path / "w")
    built = builds.image(executable(app(files())), before, env=server.env)
    assert built.code == 0, built.output
    assert layers_of(built) == layers_of(words)
    assert server.asked == []


def test_data_without_cache_stays_in_the_image(
    builds: Builds, words: Built, server: Server, app: App, tmp_path: Path
) -> None:
    server.asked.clear()
    # No app step may run that needs the data, since the store is gone.
    env = {**server.env, "DISABLE_COLLECTSTATIC": "1"}
    before = without_cache(words, tmp_path / "w")
    built = builds.image(executable(app(files())), before, env=env)
    assert built.code == 0, built.output
    assert ours(built) == ours(words)
    assert server.asked == []


def test_hooks_find_the_data_and_leave_the_layer_equal(
    builds: Builds, words: Built, server: Server, app: App
) -> None:
    server.asked.clear()
    built = builds.image(executable(app(files(after=AFTER))), words, env=server.env)
    assert built.code == 0, built.output
    assert built.run("cat", "shop/words.txt") == "['the', 'a']\n"
    assert ours(built).items() >= ours(words).items()
    assert server.asked == []


@pytest.mark.parametrize(
    ("names", "url", "words_of_it"),
    [
        ("stopword", "index.xml", "NLTK's index has no stopword."),
        ("stopwords", "gone.xml", "The download is not an index of NLTK."),
        ("stopwords", "no_index.html", "The download is not an index of NLTK."),
    ],
)
def test_unknown_data_fails_the_build(  # noqa: PLR0913 - fixtures
    builds: Builds,
    words: Built,
    server: Server,
    app: App,
    *,
    names: str,
    url: str,
    words_of_it: str,
) -> None:
    listed = executable(app(files(f"{names} other")))
    env = {**server.env, "NLTK_DOWNLOAD_URL": f"{server.url}/{url}"}
    built = builds.phases(listed, words, env=env)
    assert built.code
    assert f"The NLTK data {names} could not be downloaded" in built.error
    assert words_of_it in built.error


def test_unreachable_server_is_a_network_error(
    builds: Builds, words: Built, server: Server, app: App
) -> None:
    env = {**server.env, "NLTK_DOWNLOAD_URL": "http://127.0.0.1:9/index.xml"}
    built = builds.phases(executable(app(files("stopwords other"))), words, env=env)
    assert built.code
    assert "The server of NLTK's data could not be reached." in built.error
    assert "Connection refused" in built.error
