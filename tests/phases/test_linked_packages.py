"""Real packages, linked: imports, programs and servers work as in an ordinary environment.

The same files are materialized twice, as shards with links and as one tree, and compared.
"""

import json
import re
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from cnb_python.errors.base import ContractBroken
from cnb_python.layout.materialize import materialize_shard
from tests.support.linked import SITE, LinkedAndMerged, install_both
from tests.support.odd_wheels import NAMESPACES, odd_wheels

REQUIREMENTS = Path(__file__).parent / "linked_packages/requirements.txt"
# They have the same paths with different contents, so that the second would overwrite the first.
APART = ("opencv-contrib-python-headless", "opencv-python-headless")
REACHES = {"odd-high": (f"{SITE}/odd_low/lib",)}


@pytest.fixture(scope="module")
def env(base: Path) -> LinkedAndMerged:
    where = base / "links"
    where.mkdir()
    lines = REQUIREMENTS.read_text().split()
    apart = [[line] for line in lines if line.partition("==")[0] in APART]
    together = [line for line in lines if [line] not in apart]
    return install_both([[*together, *odd_wheels(where / "wheels")], *apart], REACHES, where)


def test_modules_are_found_as_in_a_merged_environment(env: LinkedAndMerged) -> None:
    code = "import pkgutil; print(*sorted(m.name for m in pkgutil.iter_modules()))"
    names = env.same("-c", code).split()
    assert {"numpy", "six", "cv2", "twisted", "jupyterlab", "google", "odd_near"} & set(names) == {
        *("numpy", "six", "cv2", "twisted", "jupyterlab", "odd_near")
    }


def test_pkgutil_lists_the_same_modules(env: LinkedAndMerged) -> None:
    code = (
        "import pkgutil, PIL, implicit, rest_framework, twisted.plugins\n"
        "for package in (PIL, implicit, rest_framework, twisted.plugins):\n"
        "    found = pkgutil.walk_packages(\n"
        "        package.__path__, package.__name__ + '.', onerror=lambda name: None)\n"
        "    print(package.__name__, sorted(module.name for module in found))\n"
    )
    output = env.same("-W", "ignore", "-c", code)
    assert "'implicit.a', 'implicit.b', 'implicit.c'" in output
    assert "rest_framework.authtoken.migrations" in output
    assert "twisted.plugins.odd_plugin" in output


def test_importlib_metadata_gives_the_same(env: LinkedAndMerged) -> None:
    code = (
        "from importlib.metadata import distributions, entry_points\n"
        "for d in sorted(distributions(), key=lambda d: d.name):\n"
        "    missing = [f for f in d.files if not f.locate().exists()]\n"
        "    print(d.name, d.version, len(d.files), missing)\n"
        "print(*sorted(map(repr, entry_points())), sep='\\n')\n"
    )
    output = env.same("-c", code)
    assert "numpy 2" in output
    assert re.search(r"^Twisted|^twisted", output, re.MULTILINE)


def test_real_namespace_packages_work_together(env: LinkedAndMerged) -> None:
    code = (
        "from google.auth.credentials import AnonymousCredentials\n"
        "from google.cloud import storage\n"
        "from google.protobuf import timestamp_pb2\n"
        "client = storage.Client(project='p', credentials=AnonymousCredentials())\n"
        "print(client.bucket('b').blob('x').path, timestamp_pb2.Timestamp(seconds=7).seconds)\n"
    )
    homes = {env.shard_of(name) for name in ("google-auth", "google-cloud-storage", "protobuf")}
    assert len(homes) > 1
    assert env.same("-c", code) == "/b/b/o/x 7\n"


@pytest.mark.parametrize("style", ["implicit", "spkg", "pkgutil_style"])
def test_namespace_packages_of_every_style_have_all_their_parts(
    env: LinkedAndMerged, style: str
) -> None:
    code = (
        f"from {style} import a, b, c\n"
        "import pickle\n"
        "print(a.NAME, b.NAME, c.NAME)\n"
        f"import pkgutil, {style}\n"
        f"print(sorted(m.name for m in pkgutil.iter_modules({style}.__path__)))\n"
    )
    assert env.same("-c", code).startswith("a b c\n")


def test_distributions_with_the_same_init_are_in_one_shard(env: LinkedAndMerged) -> None:
    assert len({env.shard_of(name) for name in NAMESPACES}) == 1


def test_resources_are_read_from_packages_and_namespaces(env: LinkedAndMerged) -> None:
    code = (
        "from importlib.resources import as_file, files\n"
        "print(sorted(each.name for each in files('implicit.data').iterdir()))\n"
        "print(files('implicit').joinpath('data/b.txt').read_text())\n"
        "print(len(files('certifi').joinpath('cacert.pem').read_bytes()) > 100_000)\n"
        "with as_file(files('django.contrib.admin') / 'static/admin') as path:\n"
        "    print(path.joinpath('css/base.css').is_file())\n"
        "import pkgutil; print(len(pkgutil.get_data('django', 'conf/locale/de/__init__.py')))\n"
    )
    assert env.same("-c", code) == "['a.txt', 'b.txt', 'c.txt']\nb\nTrue\nTrue\n0\n"


def test_both_opencv_distributions_work(env: LinkedAndMerged) -> None:
    code = (
        "import cv2, numpy\n"
        "picture = numpy.full((8, 8, 3), 200, numpy.uint8)\n"
        "done, data = cv2.imencode('.png', picture)\n"
        "print(done, (cv2.imdecode(data, 1) == picture).all(), cv2.__version__)\n"
    )
    assert env.shard_of(APART[0]) == env.shard_of(APART[1])
    assert env.same("-c", code).startswith("True True ")


def test_native_libraries_beside_packages_are_loaded_from_the_shard(env: LinkedAndMerged) -> None:
    code = (
        "import io, numpy\n"
        "from PIL import Image\n"
        "print(numpy.linalg.inv(numpy.eye(3) * 2)[0, 0])\n"
        "Image.new('RGB', (8, 8)).save(io.BytesIO(), 'JPEG')\n"
        "print(open('/proc/self/maps').read())\n"
    )
    output = env.linked.run("-c", code)
    assert output.startswith("0.5\n")
    for name, library in (("numpy", "numpy.libs/lib"), ("pillow", "pillow.libs/libjpeg")):
        assert f"/{env.shard_of(name)}/tree/{SITE}/{library}" in output


def test_native_libraries_of_two_distributions_find_each_other(env: LinkedAndMerged) -> None:
    assert env.shard_of("odd-high") == env.shard_of("odd-low")
    assert env.same("-c", "import odd_high; print(odd_high.use())") == "43\n"


def test_executable_path_files_are_executed(env: LinkedAndMerged) -> None:
    # distutils-precedence.pth of setuptools, then one that reads a variable.
    code = "import distutils; print('setuptools' in distutils.__file__)"
    assert env.same("-c", code) == "True\n"
    code = "import logging; print([type(h).__name__ for h in logging.getLogger().handlers])"
    output = env.linked.run("-c", code, COLOREDLOGS_AUTO_INSTALL="true")
    assert output == "['StandardErrorHandler']\n"


def test_path_files_are_relative_to_the_environment(env: LinkedAndMerged) -> None:
    code = "import sys, odd_near, odd_far; print(sys.odd, odd_near.__file__, odd_far.__file__)"
    venv = env.linked.directory
    assert env.same("-c", code).split() == [
        str(venv / SITE),
        str(venv / SITE / "odd_modules/odd_near.py"),
        str(venv / "share/odd/modules/odd_far.py"),
    ]


def test_files_of_every_wheel_scheme_are_installed(env: LinkedAndMerged) -> None:
    code = (
        "import glob, pathlib, sys\n"
        "import odd_pure, odd_plat\n"
        "prefix = pathlib.Path(sys.prefix)\n"
        "for name in ('share/odd/deep/x.txt', 'etc/odd.conf', 'odd/x.txt'):\n"
        "    print((prefix / name).read_text())\n"
        "print(odd_pure.NAME, odd_plat.NAME)\n"
        "print(*glob.glob('include/**/odd.h', root_dir=prefix, recursive=True))\n"
    )
    header = "include/site/python3.14/odd-schemes/odd.h"
    assert env.same("-c", code) == f"share\netc\ntop\npure plat\n{header}\n"


@pytest.mark.parametrize(
    ("script", "says"),
    [("odd-script", "odd {prefix}"), ("odd-entry", "entry point"), ("odd-large", "large")],
)
def test_scripts_run(env: LinkedAndMerged, script: str, says: str) -> None:
    program = env.linked.directory / "bin" / script
    done = subprocess.run([program], check=True, env=env.linked.environ, stdout=subprocess.PIPE)
    assert done.stdout.decode().strip() == says.format(prefix=env.linked.directory)
    assert program.is_symlink() == (script == "odd-large")


@pytest.mark.parametrize(
    "command",
    ["django --version", "pygments -V", "numpy.f2py -v", "IPython --version"],
)
def test_modules_run_as_programs(env: LinkedAndMerged, command: str) -> None:
    assert re.search(r"\d+\.\d+", env.same("-m", *command.split()))


DJANGO = """\
import sys
from django.conf import settings
settings.configure(
    INSTALLED_APPS=["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                    "django.contrib.messages", "django.contrib.staticfiles", "rest_framework"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True,
                "OPTIONS": {"context_processors": []}}],
    STATIC_URL="static/", STATIC_ROOT=sys.argv[1])
import django
django.setup()
from django.apps import apps
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands
from django.template.loader import get_template
print([each.path for each in apps.get_app_configs()])
print(sorted(get_commands().items()))
print(sorted(path for finder in get_finders() for path, _ in finder.list([])))
print(get_template("rest_framework/base.html").origin)
call_command("collectstatic", verbosity=0, interactive=False)
"""


def test_django_finds_its_apps_commands_templates_and_static_files(env: LinkedAndMerged) -> None:
    linked, merged = env.linked.work / "static", env.linked.work / "static-merged"
    output = env.linked.run("-c", DJANGO, str(linked))
    plain = env.merged.run("-c", DJANGO, str(merged))
    assert output == plain.replace(str(env.merged.directory), str(env.linked.directory))
    assert "collectstatic" in output
    names = sorted(path.relative_to(linked) for path in linked.rglob("*"))
    assert names == sorted(path.relative_to(merged) for path in merged.rglob("*"))
    assert len(names) > 100
    assert (linked / "admin/css/base.css").read_text().startswith("/*")


SPAWN = """\
import multiprocessing
import numpy
from google.protobuf.timestamp_pb2 import Timestamp

def work(stamp):
    return numpy.arange(stamp.seconds).sum()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print([int(each) for each in pool.map(work, [Timestamp(seconds=n) for n in (3, 4)])])
"""


def test_multiprocessing_spawns_processes(env: LinkedAndMerged) -> None:
    program = env.linked.work / "spawn.py"
    program.write_text(SPAWN)
    assert env.same(str(program)) == "[3, 6]\n"


def test_pickles_are_read_in_both_environments(env: LinkedAndMerged) -> None:
    data = env.linked.work / "data.pickle"
    write = (
        "import pickle, sys, numpy, attr, implicit.b, PIL.Image\n"
        "image = PIL.Image.new('L', (2, 2))\n"
        "one = [numpy.arange(3), attr.Factory(list), image, attr.make_class]\n"
        "open(sys.argv[1], 'wb').write(pickle.dumps(one))\n"
    )
    read = (
        "import pickle, sys\n"
        "array, factory, image, function = pickle.load(open(sys.argv[1], 'rb'))\n"
        "print(array.sum(), factory.factory(), image.size, function.__module__)\n"
    )
    for writer, reader in ((env.linked, env.merged), (env.merged, env.linked)):
        writer.run("-c", write, str(data))
        assert reader.run("-c", read, str(data)) == "3 [] (2, 2) attr._make\n"


def test_twisted_finds_plugins_of_other_distributions_and_writes_beside_itself(
    env: LinkedAndMerged,
) -> None:
    assert env.shard_of("odd-plugin") == env.shard_of("twisted")
    for _ in range(2):  # the second time with the cache that it wrote
        assert "an odd service" in env.linked.run("-m", "twisted", "--help")
    venv, shard = env.linked.directory, env.shards[env.shard_of("twisted")]
    written = venv / SITE / "twisted/plugins/dropin.cache"
    assert written.resolve().is_relative_to(venv.with_name(shard.name) / "tree")
    # A shard that a program wrote to does not pass the check that follows materializing.
    directory = venv.with_name(shard.name)
    with pytest.raises(ContractBroken, match=r"dropin\.cache"):
        materialize_shard(shard, directory, lambda _: directory / "tree")
    written.unlink()


@pytest.fixture(scope="module")
def jupyter(env: LinkedAndMerged) -> Iterator[str]:
    """Return the address of a running JupyterLab."""
    program = env.linked.directory / "bin/jupyter-lab"
    options = ("--no-browser", "--allow-root", "--port=0", "--ip=127.0.0.1")
    command = (program, *options, "--IdentityProvider.token=", "--ServerApp.password=")
    runtime = env.linked.work / "runtime"
    environ = {**env.linked.environ, "JUPYTER_RUNTIME_DIR": str(runtime)}
    log = env.linked.work / "jupyter.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, cwd=env.linked.work, env=environ, stdout=output, stderr=subprocess.STDOUT
        ) as process,
    ):
        try:
            yield _address(runtime, process, log)
        finally:
            process.terminate()


def _address(runtime: Path, process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + 45
    while time.monotonic() < end and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            text = path.read_text()
            if text.endswith("}"):
                return str(json.loads(text)["url"])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:
        content = answer.read()
        assert isinstance(content, bytes)
        return content


def test_jupyterlab_serves_files_of_share(env: LinkedAndMerged, jupyter: str) -> None:
    page = _get(f"{jupyter}lab").decode()
    scripts = re.findall(r'src="/(static/lab/[^"]+\.js)[^"]*"', page)
    assert scripts
    static = env.linked.directory / "share/jupyter/lab"
    for script in scripts:
        name = script.removeprefix("static/lab/")
        assert _get(f"{jupyter}{script}") == (static / "static" / name).read_bytes()
    theme = "lab/api/themes/@jupyterlab/theme-light-extension/index.css"
    assert _get(f"{jupyter}{theme}")
    schemas = json.loads(_get(f"{jupyter}lab/api/settings"))
    assert len(schemas["settings"]) > 20


def test_jupyter_serves_package_files_and_lists_kernels(jupyter: str) -> None:
    assert _get(f"{jupyter}static/favicon.ico")
    kernels = json.loads(_get(f"{jupyter}api/kernelspecs"))["kernelspecs"]
    assert "python3" in kernels
    logo = kernels["python3"]["resources"]["logo-svg"].lstrip("/")
    assert b"<svg" in _get(f"{jupyter}{logo}")
