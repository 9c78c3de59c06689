"""Only the indexes that the user named are asked, by every manager and installer.

The public index has the same names: the same release with other contents, and a newer one. What
asks it is recorded.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from cnb_python.config.settings import Settings
from cnb_python.errors.locks import UnreplacedVariable, UnsetVariable
from cnb_python.managers.pdm.manager import Pdm
from cnb_python.managers.pip.manager import Pip
from cnb_python.managers.pipenv.manager import Pipenv
from cnb_python.managers.poetry.manager import Poetry
from cnb_python.managers.pylock.manager import Pylock
from cnb_python.managers.pyproject.manager import PlainProject
from cnb_python.managers.uv.manager import UvProject
from tests.support import company_codec, index, public_index
from tests.support.builds import Builds, Built
from tests.support.index import Index
from tests.support.manager_cases import (
    Case,
    decide_and_install,
    locked_by,
    locked_by_uv,
    modules,
    prepare,
)
from tests.support.public_index import PublicIndex
from tests.support.trees import App, write_files
from tests.support.wheels import wheel

# uv closes connections early, which pypiserver's files do not survive tidily.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
PROJECT = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.14,<4"
dependencies = ["company-tools", "company-codec"]
"""
RANGES, EXACT = "company-tools\ncompany-codec\n", "company-tools==1.0\ncompany-codec==1.0\n"
SOURCE = '[[source]]\nname = "ours"\nurl = "{}"\nverify_ssl = true\n'
PIPFILE = f'{SOURCE}[packages]\ncompany-tools = "*"\ncompany-codec = "*"\n'
BY_UV = Settings(installer="uv")


def pack(directory: Path, kind: str, versions: tuple[str, ...]) -> Path:
    """Write the packages of one index, which differ by *kind*."""
    directory.mkdir()
    for version in versions:
        tools = {"company_tools.py": f"V = '{kind} {version}'\n"}
        wheel(directory, "company-tools", version, tools)
        company_codec.add_backend(directory, version, kind)
    company_codec.add_sdist(directory)
    return directory


@dataclass(frozen=True)
class Indexes:
    """The index of a company, and the public one."""

    private: Index
    public: PublicIndex


@pytest.fixture(scope="module")
def indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexes]:
    directory = tmp_path_factory.mktemp("indexes")
    directory.chmod(0o755)
    private = pack(directory / "private", "private", ("1.0",))
    public = pack(directory / "public", "public", ("1.0", "2.0"))
    with (
        index.running(private) as private_index,
        public_index.running(public, directory / "authority") as asked,
    ):
        yield Indexes(private_index, asked)


MODULES = ("company_tools", "company_codec")
PIP = {"PIP_INDEX_URL": "{}"}
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "{packages}"}
CONF = {"PIP_CONFIG_FILE": "pip.conf"}
EXTRA = {"PIP_INDEX_URL": "file:///nowhere", "PIP_EXTRA_INDEX_URL": "{}"}
UV_EXTRA = {"PIP_INDEX_URL": "{}", "UV_INDEX": "{}"}
CONF_FILE = {"pip.conf": "[global]\nindex-url = {}\n"}
IN_FILE = "--index-url {}\n"
PRIMARY = (
    '[tool.poetry]\npackage-mode = false\n[[tool.poetry.source]]\nname = "ours"\nurl = "{}"\n'
)
OF_POETRY = """\
[project]
name = "company-codec"
version = "1.0"
requires-python = ">=3.14,<4"
[tool.poetry]
[tool.poetry.build]
script = "script.py"
[build-system]
requires = ["company-backend"]
build-backend = "company_backend"
"""
WITH_SCRIPT = {"company_codec.py": "", "script.py": "import company_backend\n"}
OF_PDM = "[tool.pdm]\ndistribution = false\n"
OF_UV = '[[tool.uv.index]]\nname = "ours"\nurl = "{}"\ndefault = true\n'
CASES = (
    *(
        Case(f"pip-{what}-{how}", Pip(), {"requirements.txt": text, **CONF_FILE}, settings)
        for what, text in (("exact", EXACT), ("range", RANGES))
        for how, settings in (("variable", PIP), ("file", CONF), ("offline", OFFLINE))
    ),
    *(
        Case(f"uv-{what}-{how}", Pip(BY_UV), {"requirements.txt": text, **CONF_FILE}, settings)
        for what, text in (("exact", EXACT), ("range", RANGES))
        for how, settings in (
            *(("variable", PIP), ("file", CONF), ("offline", OFFLINE), ("extra", UV_EXTRA)),
        )
    ),
    Case(
        "uv-line",
        Pip(BY_UV),
        {"requirements.txt": IN_FILE + RANGES},
        {"PIP_INDEX_URL": "https://other"},
    ),
    Case("uv-toml", Pip(BY_UV), {"requirements.txt": RANGES, "uv.toml": 'index-url = "{}"\n'}),
    *(
        Case(f"project-{how}", PlainProject(), {"pyproject.toml": PROJECT, **CONF_FILE}, settings)
        for how, settings in (("variable", PIP), ("file", CONF), ("offline", OFFLINE))
    ),
    Case(
        "project-uv",
        PlainProject(),
        {"pyproject.toml": PROJECT + OF_UV},
        {"PIP_INDEX_URL": "https://other"},
    ),
    Case("uv-lock", UvProject(), {"pyproject.toml": PROJECT + OF_UV}, lock=locked_by_uv("lock")),
    Case(
        "uv-lock-variable",
        UvProject(),
        {"pyproject.toml": PROJECT},
        {"UV_DEFAULT_INDEX": "{}"},
        locked_by_uv("lock"),
    ),
    Case(
        "pylock",
        Pylock(),
        {"requirements.in": RANGES},
        PIP,
        locked_by_uv(
            "pip", "compile", "--format=pylock.toml", "-qo", "pylock.toml", "requirements.in"
        ),
    ),
    Case("poetry", Poetry(), {"pyproject.toml": PROJECT + PRIMARY}, lock=locked_by("poetry")),
    Case(
        "pdm-toml",
        Pdm(),
        {"pyproject.toml": PROJECT + OF_PDM, "pdm.toml": '[pypi]\nurl = "{}"\n'},
        lock=locked_by("pdm"),
    ),
    Case(
        "pdm-variable",
        Pdm(),
        {"pyproject.toml": PROJECT + OF_PDM},
        PIP,
        locked_by("pdm", "PDM_PYPI_URL"),
    ),
    Case("pipenv", Pipenv(), {"Pipfile": PIPFILE}, lock=locked_by("pipenv")),
    Case("pipenv-without-lock", Pipenv(), {"Pipfile": PIPFILE}),
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_public_index_is_not_asked(case: Case, indexes: Indexes, tmp_path: Path) -> None:
    context = prepare(case, indexes.private, tmp_path, indexes.public.variables())
    indexes.public.asked.clear()

    resolution = decide_and_install(case, context)

    assert indexes.public.asked == []
    assert {pin.version for pin in resolution.pins} == {"1.0"}
    assert modules(context, *MODULES) == {
        "V = 'private 1.0'\n",
        "V = 'built with the private backend'\n",
    }


TOKEN_URL = "https://me:${PKG_TOKEN}@packages.example.org/simple/"
EXPLICIT = (
    f'[[tool.uv.index]]\nname = "ours"\nurl = "{TOKEN_URL}"\nexplicit = true\n'
    '[tool.uv.sources]\ncompany-tools = { index = "ours" }\n'
)
FILE = TOKEN_URL.replace("simple/", "company_tools-1.0-py3-none-any.whl")
AT_URL = f'[tool.uv.sources]\ncompany-tools = {{ url = "{FILE}" }}\n'
AT_GIT = f'[tool.uv.sources]\ncompany-tools = {{ git = "{TOKEN_URL}" }}\n'
ALONE = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.14"\n'
DIRECT = f'{ALONE}dependencies = ["company-tools @ {FILE}"]\n'
PRIVATE_SOURCE = f'[tool.poetry]\n[[tool.poetry.source]]\nname = "ours"\nurl = "{TOKEN_URL}"\n'
PYLOCK = (
    'lock-version = "1.0"\ncreated-by = "uv"\n[[packages]]\n'
    'name = "company-tools"\nversion = "1.0"\n'
    f'wheels = [{{ url = "{FILE}", hashes = {{ sha256 = "{"0" * 64}" }} }}]\n'
)
WITHOUT_TOKEN = (
    Case("requirements", Pip(), {"requirements.txt": f"-i {TOKEN_URL}\n{RANGES}"}, {}),
    Case("requirements-uv", Pip(BY_UV), {"requirements.txt": f"company-tools @ {FILE}\n"}, {}),
    Case("variable", Pip(), {"requirements.txt": RANGES}, {"PIP_EXTRA_INDEX_URL": TOKEN_URL}),
    Case("explicit", PlainProject(), {"pyproject.toml": PROJECT + EXPLICIT}, {}),
    Case("url", PlainProject(), {"pyproject.toml": PROJECT + AT_URL}, {}),
    Case("git", PlainProject(), {"pyproject.toml": PROJECT + AT_GIT}, {}),
    Case("direct", PlainProject(), {"pyproject.toml": DIRECT}, {}),
    Case(
        "login",
        PlainProject(),
        {"pyproject.toml": PROJECT},
        {"UV_INDEX_OURS_PASSWORD": "${PKG_TOKEN}"},
    ),
    Case("lock", UvProject(), {"pyproject.toml": PROJECT + EXPLICIT, "uv.lock": ""}, {}),
    Case("lock-direct", UvProject(), {"pyproject.toml": DIRECT, "uv.lock": ""}, {}),
    Case("pylock", Pylock(), {"pylock.toml": PYLOCK}, {}),
    Case("poetry", Poetry(), {"pyproject.toml": ALONE + PRIVATE_SOURCE, "poetry.lock": ""}, {}),
    Case(
        "pipfile",
        Pipenv(),
        {"Pipfile": SOURCE.format(TOKEN_URL) + '[packages]\nflask = "*"\n'},
        {},
    ),
)


@pytest.mark.parametrize("case", WITHOUT_TOKEN, ids=str)
def test_variable_that_is_not_replaced_is_named(
    case: Case, indexes: Indexes, tmp_path: Path
) -> None:
    context = prepare(case, indexes.private, tmp_path, indexes.public.variables())
    indexes.public.asked.clear()

    with pytest.raises((UnsetVariable, UnreplacedVariable), match=r"'PKG_TOKEN',"):
        decide_and_install(case, context)

    assert indexes.public.asked == []


@pytest.mark.parametrize(
    ("source", "settings"),
    [
        *(("", settings) for settings in (PIP, CONF, OFFLINE, {"UV_DEFAULT_INDEX": "{}"})),
        (PRIMARY.partition("false\n")[2], {}),
        (PRIMARY.partition("false\n")[2] + 'priority = "supplemental"\n', EXTRA),
    ],
    ids=["variable", "file", "offline", "uv", "primary", "supplemental"],
)
def test_build_script_of_poetry_does_not_ask_public_index(
    source: str, settings: dict[str, str], indexes: Indexes, tmp_path: Path
) -> None:
    files = {"pyproject.toml": OF_POETRY + source, **WITH_SCRIPT, **CONF_FILE}
    case = Case("script", Poetry(), files, settings, locked_by("poetry"))
    context = prepare(case, indexes.private, tmp_path, indexes.public.variables())
    indexes.public.asked.clear()

    decide_and_install(case, context)

    assert indexes.public.asked == []
    assert "V = 'built with the private backend'\n" in modules(context, "company_codec")


@pytest.mark.parametrize("manager", [Pip(), Pip(BY_UV)], ids=["pip", "uv"])
def test_public_index_is_asked_without_settings(
    manager: Pip, indexes: Indexes, tmp_path: Path
) -> None:
    """So the test above can fail."""
    case = Case("public", manager, {"requirements.txt": RANGES})
    context = prepare(case, indexes.private, tmp_path, indexes.public.variables())
    indexes.public.asked.clear()

    decide_and_install(case, context)

    assert "pypi.org:443" in indexes.public.asked
    assert "V = 'public 2.0'\n" in modules(context, *MODULES)


def test_builds_with_uv_ask_the_named_index_alone(
    builds: Builds, flask: Built, app: App, indexes: Indexes
) -> None:
    certificate = indexes.public.certificate.read_text()
    bindings = write_files(
        indexes.private.packages.parent / "bindings",
        {"ca/type": "ca-certificates", "ca/ca.pem": certificate},
    )
    proxies = {k: v for k, v in indexes.public.variables().items() if "PROXY" in k.upper()}
    env = {**proxies, "BP_PYTHON_INSTALLER": "uv", "PIP_INDEX_URL": indexes.private.url}
    indexes.public.asked.clear()

    first = builds.image(app({"requirements.txt": RANGES}), flask, env=env, bindings=bindings)
    assert first.code == 0, first.output
    later = builds.phases(
        app({"requirements.txt": EXACT + "# changed\n"}), first, env=env, bindings=bindings
    )
    assert later.code == 0, later.output

    assert indexes.public.asked == []
    assert "company-tools 1.0" in first.output
