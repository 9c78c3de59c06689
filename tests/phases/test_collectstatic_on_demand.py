"""A run of collectstatic with only those files that it read before equals one with all files."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from cnb_python.provision.on_demand import ReadBefore
from tests.support.django_runs import Machine, Result, machine
from tests.support.on_demand_runs import Mistake, PartialProject
from tests.support.trees import Files

FIXTURES = Path(__file__).parent / "fixtures"
REQUIREMENTS = (
    *("django>=5.2,<5.3", "whitenoise>=6", "sqlparse", "psycopg[binary]>=3.2", "six", "celery"),
    *("zope.event", "zope.interface", "certifi", "djangorestframework", "setuptools"),
)
NEWEST, OLDER = "3.14.6", "3.13.13"
PROJECTS = (("plain", NEWEST), ("split", NEWEST), ("manifest", NEWEST), ("plain", OLDER))
WRITTEN = "It read other files than before, so they were written too"


@pytest.fixture(scope="module")
def machine_with(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Machine]:
    @cache
    def make(version: str) -> Machine:
        return machine(tmp_path_factory.mktemp(f"python-{version}"), version, REQUIREMENTS)

    return make


@pytest.fixture(scope="module")
def python(machine_with: Callable[[str], Machine]) -> Machine:
    return machine_with(NEWEST)


@pytest.fixture(scope="module", params=PROJECTS, ids="-".join)
def project(
    request: pytest.FixtureRequest,
    machine_with: Callable[[str], Machine],
    tmp_path_factory: pytest.TempPathFactory,
) -> PartialProject:
    name, version = request.param
    return PartialProject(machine_with(version), FIXTURES / name, tmp_path_factory.mktemp(name))


@pytest.fixture(scope="module")
def first(project: PartialProject) -> Result:
    return built(project)


def built(project: PartialProject) -> Result:
    result = project.build()
    assert (result.error, result.has_run) == ("", True), result.log
    return result


def exactly(reads: ReadBefore) -> ReadBefore:
    return reads


def nothing(_: ReadBefore) -> ReadBefore:
    return ReadBefore(frozenset(), frozenset(), frozenset())


def every_second(reads: ReadBefore) -> ReadBefore:
    keys, directories = sorted(reads.keys)[::2], sorted(reads.directories)[::2]
    return ReadBefore(frozenset(keys), frozenset(directories), frozenset())


def no_directories(reads: ReadBefore) -> ReadBefore:
    return reads._replace(directories=frozenset(), listed=frozenset())


def settings_file(project: PartialProject) -> str:
    names = [path for path in project.source.rglob("*.py") if "INSTALLED_APPS" in path.read_text()]
    return str(names[0].relative_to(project.source))


def with_line(project: PartialProject, line: str) -> Files:
    path = settings_file(project)
    return {path: f"{(project.source / path).read_text()}\n{line}\n"}


def check(project: PartialProject, first: Result, mistake: Mistake, changes: Files) -> Result:
    """Build *changes* with few files; compare with a clean build with all of them."""
    with project.kept_store():
        partial = project.build_partly(mistake, changes, first.static_files_key)
        assert project.absent > 1000
        clean = project.build(changes)
    assert partial.has_run
    assert partial.error == clean.error, partial.log
    assert partial.files == clean.files
    return partial


def test_changed_settings_need_no_other_files(project: PartialProject, first: Result) -> None:
    result = check(project, first, exactly, with_line(project, "# changed"))

    assert project.requested == ()
    assert WRITTEN not in result.log


@pytest.mark.parametrize("mistake", [nothing, every_second, no_directories])
def test_wrong_record_gives_the_same_files(
    project: PartialProject, first: Result, mistake: Mistake
) -> None:
    check(project, first, mistake, with_line(project, "# changed"))

    assert "django" in project.requested or mistake is no_directories


@pytest.fixture(scope="module")
def plain(python: Machine, tmp_path_factory: pytest.TempPathFactory) -> PartialProject:
    return PartialProject(python, FIXTURES / "plain", tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module")
def first_plain(plain: PartialProject) -> Result:
    return built(plain)


# Each writes what it reads into a static file, whose contents must not depend on what is on disk.
READS = [
    "import celery; VALUE = celery.__version__",
    "import six, six.moves; VALUE = six.moves.range",
    "import importlib.util as u; VALUE = u.find_spec('celery').name",
    "import importlib.util as u; VALUE = u.find_spec('kombu.transport.redis').name",
    "import zope.interface as z; VALUE = sorted(n for n in dir(z) if n[0] != '_')",
    "import pkgutil, celery; VALUE = [m.name for m in pkgutil.iter_modules(celery.__path__)]",
    "import pkgutil, sys; VALUE = sorted(m.name for m in pkgutil.iter_modules([SITE]))",
    "import pkgutil; VALUE = sorted(m.name for m in pkgutil.walk_packages([SITE + '/kombu']))",
    "import os; VALUE = sorted(os.listdir(SITE + '/celery/app'))",
    "import os; VALUE = sorted((e.name, e.is_dir()) for e in os.scandir(SITE))",
    "import os; VALUE = sorted(p[len(SITE):] for p, _, _ in os.walk(SITE, followlinks=True))",
    "import os; VALUE = os.path.exists(SITE + '/celery/app/base.py')",
    "import os; VALUE = os.path.isdir(SITE + '/celery/app'), os.path.isdir(SITE + '/celery/no')",
    "import os; VALUE = os.path.getsize(SITE + '/celery/app/base.py')",
    "import os; VALUE = os.access(SITE + '/six.py', os.R_OK)",
    "from pathlib import Path; VALUE = sorted(p.name for p in Path(SITE, 'celery').iterdir())",
    "from pathlib import Path; VALUE = sorted(map(str, Path(SITE).glob('cel*/**/base.py')))",
    "from pathlib import Path; VALUE = Path(SITE, 'celery/app/base.py').read_text()",
    "from pathlib import Path; VALUE = sorted(map(str, Path(SITE, 'celery').resolve().iterdir()))",
    "import glob; VALUE = sorted(glob.glob(SITE + '/celery/*/base.py'))",
    "from importlib import metadata; VALUE = sorted(map(str, metadata.files('celery')))",
    "from importlib import metadata; VALUE = metadata.version('kombu')",
    (
        "from importlib import metadata; "
        "VALUE = [f.locate().exists() for f in sorted(metadata.files('celery'))]"
    ),
    (
        "from importlib import resources; "
        "VALUE = sorted(p.name for p in resources.files('celery.app').iterdir())"
    ),
    (
        "from importlib import resources; "
        "VALUE = resources.files('certifi').joinpath('cacert.pem').read_text()"
    ),
    (
        "import certifi, ssl; "
        "VALUE = len(ssl.create_default_context(cafile=certifi.where()).get_ca_certs())"
    ),
    (
        "import ctypes, glob; "
        "VALUE = bool(ctypes.CDLL(glob.glob(SITE + '/psycopg_binary.libs/libpq-*')[0]))"
    ),
    (
        "import subprocess, sys; VALUE = subprocess.run([sys.executable, '-c', "
        "'import celery; print(celery.__file__)'], capture_output=True).stdout"
    ),
    "import os; VALUE = os.popen('ls ' + SITE + '/celery').read()",
    "import os; f = os.open(SITE + '/celery/app/base.py', 0); VALUE = os.read(f, 99); os.close(f)",
    "import os; d = os.open(SITE, 0); VALUE = os.open('celery', 0, dir_fd=d) > 0",
    (
        "import threading, importlib as i, sys; "
        "t = [threading.Thread(target=i.import_module, args=(n,)) for n in ('kombu', 'amqp')]; "
        "[x.start() for x in t]; [x.join() for x in t]; VALUE = 'amqp' in sys.modules"
    ),
    "import inspect, celery.app.base as b; VALUE = inspect.getsource(b)",
    "try:\n    import no_such_module\nexcept ImportError as e:\n    VALUE = str(e)",
    "import linecache; VALUE = linecache.getlines(SITE + '/celery/app/base.py')",
    "INSTALLED_APPS += ['rest_framework']; VALUE = ''",
]
PREFIX = "import site; SITE = site.getsitepackages()[0]"
SUFFIX = "(BASE_DIR / 'shop/static/shop/value.txt').write_text(repr(VALUE))"


@pytest.mark.parametrize("line", READS)
def test_every_way_to_read_packages_sees_all_files(
    plain: PartialProject, first_plain: Result, line: str
) -> None:
    changes = with_line(plain, f"{PREFIX}\n{line}\n{SUFFIX}")

    result = check(plain, first_plain, nothing, changes)

    assert result.error == ""
    assert "staticfiles/shop/value.txt" in result.files


@pytest.mark.parametrize("mistake", [exactly, nothing])
def test_older_python_sees_all_files_too(
    machine_with: Callable[[str], Machine], tmp_path: Path, mistake: Mistake
) -> None:
    plain = PartialProject(machine_with(OLDER), FIXTURES / "plain", tmp_path)
    first = built(plain)
    lines = "\n".join(f"{line}\nVALUES.append(VALUE)" for line in READS)
    settings = f"{PREFIX}\nVALUES = []\n{lines}\nVALUE = VALUES\n{SUFFIX}"

    result = check(plain, first, mistake, with_line(plain, settings))

    assert result.error == ""
    assert "staticfiles/shop/value.txt" in result.files
