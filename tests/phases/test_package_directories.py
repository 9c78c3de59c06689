"""Real packages write their files in a read-only container, as a user without an account."""

from pathlib import Path

import pytest

from tests.support.builds import Builds, Built
from tests.support.trees import Files, write_files

REQUIREMENTS = Path(__file__).parent / "data/writing_packages.txt"
# The user's HOME cannot be replaced, so that only variables help.
SECRETS = {"HOME": "/secrets"}
OWN = "/dev/shm/home-12345"

# Each program writes as the package does, and prints where.
PROGRAMS = {
    "astropy": """
        from astropy.utils.data import download_file
        from astropy.config.paths import get_config_dir
        print(download_file("file:///workspace/page.py", cache=True), get_config_dir())
    """,
    "huggingface-hub": """
        from huggingface_hub import _login, constants
        _login._save_token("hf_none", "mine")
        open(constants.HF_STORED_TOKENS_PATH).close()
        print(constants.HF_STORED_TOKENS_PATH)
    """,
    "ipython": """
        from IPython.core.interactiveshell import InteractiveShell
        shell = InteractiveShell.instance()
        shell.run_cell("1 + 1", store_history=True)
        print(shell.history_manager.hist_file)
    """,
    "jupyter-core": """
        from pathlib import Path
        from jupyter_core import paths
        from jupyter_core.migrate import migrate
        migrate()
        Path(paths.jupyter_runtime_dir()).mkdir(parents=True)
        print(*Path(paths.jupyter_config_dir()).iterdir(), paths.jupyter_runtime_dir())
    """,
    "kagglehub": """
        from kagglehub.cache import Cache
        from kagglehub.handle import parse_dataset_handle
        handle = parse_dataset_handle("a/b/versions/1")
        Cache().mark_as_complete(handle, None)
        print(Cache().get_path(handle))
    """,
    "matplotlib": """
        import matplotlib.pyplot
        matplotlib.pyplot.plot([1, 2])
        matplotlib.pyplot.savefig("/dev/shm/figure.png")
        print(matplotlib.get_cachedir(), matplotlib.get_configdir())
    """,
    "nicegui": """
        import asyncio
        from nicegui import app, core
        async def store():
            core.loop = asyncio.get_running_loop()
            app.storage.general["a"] = 1
            await asyncio.sleep(1)
        asyncio.run(store())
        print(*app.storage.path.iterdir())
    """,
    "nltk": """
        import nltk
        print(nltk.downloader.Downloader().default_download_dir())
    """,
    "numba": """
        import compiled
        print(compiled.double(2), compiled.double.stats.cache_path)
    """,
    "platformdirs": """
        import appdirs, platformdirs
        print(platformdirs.user_cache_dir("a", ensure_exists=True),
              platformdirs.user_config_dir("a", ensure_exists=True),
              platformdirs.user_data_dir("a", ensure_exists=True), appdirs.user_cache_dir("a"))
    """,
    "pooch": """
        import pooch
        def download(url, file, _):
            open(file, "w").close()
        print(pooch.retrieve("https://host.invalid/file", None, downloader=download))
    """,
    "pytensor": """
        import pytensor
        print(pytensor.config.compiledir)
    """,
    "scikit-learn": """
        from sklearn.datasets import get_data_home
        print(get_data_home())
    """,
    "seaborn": """
        import seaborn
        print(seaborn.utils.get_data_home())
    """,
    "tldextract": """
        import tldextract
        from tldextract.cache import get_cache_dir
        urls = ("file:///workspace/suffixes",)
        tldextract.TLDExtract(suffix_list_urls=urls, fallback_to_snapshot=False)("a.co.uk")
        print(get_cache_dir())
    """,
}
FILES: Files = {
    "compiled.py": """
import numba

@numba.njit(cache=True)
def double(number):
    return 2 * number
""",
    "suffixes": "// ===BEGIN ICANN DOMAINS===\nco.uk\n// ===END ICANN DOMAINS===\n",
    "page.py": """
import streamlit

@streamlit.cache_data(persist="disk")
def answer():
    return 42

streamlit.text(f"the answer is {answer()}")
""",
    "session.py": """
import sys
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.sync.client import connect

address = f"ws://127.0.0.1:{sys.argv[1]}/_stcore/stream"
with connect(address, subprotocols=["streamlit"], max_size=None) as socket:
    message = BackMsg()
    message.rerun_script.query_string = ""
    socket.send(message.SerializeToString())
    while b"the answer is 42" not in socket.recv(timeout=20):
        pass
print("the answer is 42")
""",
    "metrics.py": """
from prometheus_client import CollectorRegistry, Counter, generate_latest, multiprocess

REQUESTS = Counter("pages", "Requests")

def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] != "/metrics":
        REQUESTS.inc()
        return [b"page"]
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)
    return [generate_latest(registry)]
""",
    "Procfile": "web: gunicorn --workers 3 metrics:app\npage: streamlit run page.py\n",
}


@pytest.fixture(scope="module")
def writing(builds: Builds, flask: Built, tmp_path_factory: pytest.TempPathFactory) -> Built:
    app = tmp_path_factory.mktemp("writing") / "app"
    programs = {f"write_{name}.py": _dedented(code) for name, code in PROGRAMS.items()}
    write_files(app, {**FILES, **programs, "requirements.txt": REQUIREMENTS.read_text()})
    app.chmod(0o755)
    built = builds.image(app, flask)
    assert built.code == 0, built.output
    return built


def _dedented(code: str) -> str:
    return "\n".join(line.removeprefix(" " * 8) for line in code.splitlines())


@pytest.mark.parametrize("package", PROGRAMS)
def test_package_writes_without_a_home(writing: Built, package: str) -> None:
    output = writing.run("python", f"write_{package}.py", env=SECRETS)

    lines = output.splitlines()
    assert "Traceback" not in output, output
    assert "ermission" not in output, output
    assert "ead-only" not in output, output
    assert "not writable" not in output, output
    directories = [part for part in lines[-1].split() if part.startswith("/")]
    assert directories, output
    assert all(path.startswith(f"{OWN}/") for path in directories), output


@pytest.mark.parametrize("home", [None, "/secrets"])
def test_variables_name_directories_below_the_temporary_one(
    writing: Built, home: str | None
) -> None:
    seen = _variables(writing.run("env", env={"HOME": home} if home else None))

    assert seen["HOME"] == (home or OWN)
    assert seen["MPLCONFIGDIR"] == f"{OWN}/.config/matplotlib"
    assert seen["HF_HOME"] == f"{OWN}/.cache/huggingface"
    assert seen["PYTENSOR_FLAGS"] == f"base_compiledir={OWN}/.pytensor"
    assert "MEM0_DIR" not in seen


def test_writable_home_keeps_the_usual_directories(writing: Built) -> None:
    # As a volume.
    seen = _variables(writing.run("env", env={"HOME": "/dev/shm"}))

    assert seen["NICEGUI_STORAGE_PATH"] == f"{OWN}/.nicegui"
    assert not seen.keys() & {"MPLCONFIGDIR", "HF_HOME", "XDG_CACHE_HOME", "NLTK_DATA"}


def test_variables_of_the_user_take_precedence(writing: Built) -> None:
    own = {"MPLCONFIGDIR": "/somewhere", "HF_HOME": "", "TMPDIR": "/dev/shm/mine"}

    seen = _variables(writing.run("env", env=own))

    assert {name: seen[name] for name in own} == own


def test_workers_share_their_metrics(writing: Built) -> None:
    with writing.serve(env=SECRETS) as served:
        for _ in range(20):
            served.fetch()
        assert "pages_total 20.0" in served.fetch("/metrics")
        assert "PROMETHEUS_MULTIPROC_DIR" in served.output


def test_streamlit_starts_and_caches_on_disk(writing: Built) -> None:
    with writing.serve("page") as served:
        assert served.fetch("/_stcore/health") == "ok"
        assert "<title>Streamlit</title>" in served.fetch()
        # The page is run for a session, which caches its answer in HOME.
        assert writing.run("python", "session.py", str(served.port)) == "the answer is 42\n"
        assert "Traceback" not in served.output
        assert served.stop() == 0


def _variables(output: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in output.splitlines())
