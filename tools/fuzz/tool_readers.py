"""Readers of outputs of tools and code of the app, and of files in the image and from tools."""

import io
import os
from contextlib import suppress
from functools import partial
from pathlib import Path

from cnb_python import preflight
from cnb_python.app_steps import collectstatic_causes, file_requests, nltk, node_build
from cnb_python.cnb import documents, toml
from cnb_python.config.loading import read_settings
from cnb_python.config.settings import TABLE, Settings
from cnb_python.distributions import native
from cnb_python.distributions.collect import InstalledPin
from cnb_python.distributions.dist_info import DistributionRoot
from cnb_python.distributions.model import Distribution, File
from cnb_python.distributions.system_libraries import SystemLibraries
from cnb_python.errors.base import AppError, BuildpackError, Failure, Message, OutsideError
from cnb_python.explain import inputs
from cnb_python.install import process_env
from cnb_python.install.same_file import is_file_of
from cnb_python.managers import (
    app_as_package,
    build_errors,
    fingerprint,
    from_source,
    project_errors,
)
from cnb_python.managers.base import Pin
from cnb_python.managers.pdm import synchronized
from cnb_python.managers.pip import errors as pip_errors
from cnb_python.managers.pip import index_errors
from cnb_python.managers.uv import address_variables
from cnb_python.managers.uv import errors as uv_errors
from cnb_python.provision.on_demand import OnDemand, ReadBefore
from cnb_python.provision.request import find_build_consumers
from cnb_python.python import mirror
from cnb_python.system import secret_values
from cnb_python.system.output import Console
from cnb_python.system.program_output import ProgramOutput
from cnb_python.system.redaction import redact
from tools.fuzz import seeds, tool_seeds
from tools.fuzz.engine import Reader
from tools.fuzz.package_readers import context_of, elf_file

_FAILURES = (AppError, OutsideError)
_PYTHON, _PROCESSOR = "3.14.6", "x86_64"
_SIX = Pin("six", "1.17.0", "", "six==1.17.0", files=("six-1.17.0-py2.py3-none-any.whl",))
_VARIABLES = (
    *("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TIMEOUT", "PIP_RETRIES", "PIP_PROXY"),
    *("PIP_TRUSTED_HOST", "PIP_FIND_LINKS", "PIP_NO_BINARY", "UV_INDEX", "UV_DEFAULT_INDEX"),
    *("HTTPS_PROXY", "NO_PROXY", "API_TOKEN", "VCAP_SERVICES"),
)


def readers() -> tuple[Reader, ...]:
    """Return a reader for each kind of output and file."""
    return (
        Reader("output of pip", tool_seeds.PIP_OUTPUT, _pip_output),
        Reader("output of uv", tool_seeds.UV_OUTPUT, _uv_output),
        Reader("output of a build", tool_seeds.BUILD_OUTPUT, _build_output),
        Reader("output of pdm", (tool_seeds.PDM_OUTPUT,), _pdm_output, _FAILURES),
        Reader("output of collectstatic", tool_seeds.DJANGO_OUTPUT, _django_output),
        Reader("output of any program", tool_seeds.BUILD_OUTPUT, _any_output),
        Reader("requests of collectstatic", (tool_seeds.FILE_REQUESTS,), _file_requests),
        Reader("message of NLTK", tool_seeds.NLTK, _nltk),
        Reader("WHEEL", (tool_seeds.WHEEL,), _wheel),
        Reader("name of a wheel", (b"six-1.17.0-1-py2.py3-none-any.whl",), _wheel_name),
        Reader("module of a package", (seeds.APP, seeds.SETTINGS), _module),
        Reader("ld.so.conf", (tool_seeds.LINKER,), _linker),
        Reader("launch.toml", (tool_seeds.LAUNCH,), _launch),
        Reader("project.toml", (tool_seeds.PROJECT_TOML,), _project_descriptor),
        Reader("package.json", (tool_seeds.PACKAGE_JSON,), _package_json),
        Reader("label of an image", (tool_seeds.LABEL,), _label, _FAILURES),
        Reader("value of a variable", tool_seeds.VALUES, _variable, _FAILURES),
        Reader("project", (seeds.PYPROJECT, seeds.APP, seeds.PROCFILE), _project),
        Reader("addresses of pyproject.toml", (seeds.PYPROJECT,), _addresses, _FAILURES),
        Reader("installer of poetry.toml", (tool_seeds.POETRY_TOML,), _poetry_settings, _FAILURES),
    )


def _described(*found: object) -> None:
    """Print each of *found* that is an error, as a build does."""
    for each in found:
        if isinstance(each, Failure):
            Console(io.StringIO()).error(each.describe())
        elif isinstance(each, Message):
            Console(io.StringIO()).error(each)


def _kept(content: bytes) -> str:
    output = ProgramOutput(None)
    for start in range(0, len(content), 65_536):
        output.add(content[start : start + 65_536])
    return output.finish()


def _pip_output(content: bytes, _: Path) -> None:
    text = _kept(content)
    unmatched = index_errors.unmatched(text)
    _described(
        pip_errors.recognize(text, _PYTHON),
        pip_errors.pointer_of_git_lfs(text),
        index_errors.index_failure(text),
        index_errors.unsupported_wheel(text, _PYTHON, _PROCESSOR),
        unmatched and index_errors.nothing_found(unmatched, text, _PYTHON, _PROCESSOR),
    )


def _uv_output(content: bytes, _: Path) -> None:
    text = _kept(content)
    _described(uv_errors.recognize(text, _PYTHON), uv_errors.recognize_resolution(text, _PYTHON))


def _build_output(content: bytes, _: Path) -> None:
    text = _kept(content)
    failure = build_errors.build_failure(text, _PYTHON)
    _described(
        failure,
        build_errors.machine_failure(1, text, "pip"),
        build_errors.git_failure(text),
    )
    build_errors.source_version("six", text)
    package = build_errors.build_of(text)
    build_errors.source_version(package, text)
    project_errors.local_project(package, text)


def _pdm_output(content: bytes, directory: Path) -> None:
    (directory / "pdm.lock").write_bytes(seeds.PDM_LOCK)
    lock = toml.read(directory / "pdm.lock")
    for _ in synchronized.lines_of(_kept(content), lock, "pdm.lock"):
        pass


def _django_output(content: bytes, directory: Path) -> None:
    text = _kept(content)
    collectstatic_causes.cause(text, lambda _: text)
    module = collectstatic_causes.settings_module({}, text)
    with suppress(OSError, ValueError):  # as Django's own import of that module fails
        collectstatic_causes.settings_for_production(module, directory)


def _any_output(content: bytes, _: Path) -> None:
    stream = io.StringIO()
    console = Console(stream)
    secrets = secret_values.secrets_of({"API_TOKEN": "s3cret-s3cret-s3cret"})
    console.mask_with(partial(redact, secrets=secrets))
    output = ProgramOutput(console.detail)
    output.add(content)
    text = output.finish()
    console.line(text)
    console.step(text)
    console.warning(text, (text,))
    console.error(Message(text, (text,), (text,), (text,)))
    console.bug(text, text)
    if "s3cret-s3cret" in stream.getvalue():
        raise ValueError(stream.getvalue())


def _file_requests(content: bytes, directory: Path) -> None:
    demand = OnDemand(ReadBefore(frozenset(), frozenset(), frozenset()))
    demand.begin(lambda *_: None)
    with suppress(BuildpackError), file_requests.answering(demand, directory) as pipes:
        requests = os.open(pipes[0], os.O_WRONLY)
        os.write(requests, content)
        os.close(requests)


def _nltk(content: bytes, _: Path) -> None:
    text = content.decode("utf-8", "replace")
    nltk.cause(text)
    nltk.short_reason(text[:1000], text)


def _root(directory: Path) -> DistributionRoot:
    return DistributionRoot(directory, Path("/layers/x/venv"), "3.14")


def _wheel(content: bytes, directory: Path) -> None:
    root = _root(directory)
    information = root.site_packages / "six-1.17.0.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "WHEEL").write_bytes(content)
    is_file_of(InstalledPin(_SIX, root, may_be_built=False), _SIX)


def _wheel_name(content: bytes, directory: Path) -> None:
    root = _root(directory)
    information = root.site_packages / "six-1.17.0.dist-info"
    information.mkdir(parents=True, exist_ok=True)
    (information / "WHEEL").write_bytes(tool_seeds.WHEEL)
    pin = _SIX._replace(files=(content.decode("utf-8", "replace"),))
    is_file_of(InstalledPin(_SIX, root, may_be_built=False), pin)


def _module(content: bytes, directory: Path) -> None:
    (directory / "lib").mkdir(exist_ok=True)
    (directory / "lib/one.py").write_bytes(content)
    paths = ("one.py", "_native.so")
    files = tuple(File(f"{_root(directory).site}/{path}", "a" * 64, 1) for path in paths)
    site = _root(directory).site_packages
    site.mkdir(parents=True, exist_ok=True)
    (site / "one.py").write_bytes(content)
    (site / "_native.so").write_bytes(elf_file())
    distribution = Distribution("one", "1", "", files)
    native.users_of("libpython3.14.so.1.0", distribution, directory)


def _linker(content: bytes, directory: Path) -> None:
    (directory / "etc").mkdir(exist_ok=True)
    (directory / "etc/ld.so.conf").write_bytes(content)
    SystemLibraries(directory).find("libGL.so.1")


def _launch(content: bytes, directory: Path) -> None:
    (directory / "other").mkdir(exist_ok=True)
    (directory / "other/launch.toml").write_bytes(content)
    documents.earlier_process_types(directory / "own")


def _project_descriptor(content: bytes, directory: Path) -> None:
    (directory / "project.toml").write_bytes(content)
    find_build_consumers(context_of(directory, ()), Settings())


def _package_json(content: bytes, directory: Path) -> None:
    (directory / "package.json").write_bytes(content)
    node_build.missing_script(context_of(directory, ()), directory)


def _label(content: bytes, directory: Path) -> None:
    (directory / "label.json").write_bytes(content)
    inputs.restore_metadata(directory / "label.json", "cnb-python/python", directory)


def _variable(content: bytes, directory: Path) -> None:
    """Give each variable that the build reads the value *content*."""
    value = content.decode("utf-8", "surrogateescape").replace("\0", "")
    for setting in TABLE:
        with suppress(*_FAILURES):
            read_settings({setting.variable: value}, directory)
    for name in _VARIABLES:
        secret_values.secrets_of({name: value})
        list(fingerprint.variables({name: value}, "PIP_", "UV_", "HTTPS_"))
        process_env.manager_environ({name: value}, directory, directory, directory, ())
    with suppress(*_FAILURES):
        preflight.check_environment({"PIP_TARGET": value, "PIP_USER": value})
    with suppress(*_FAILURES):
        release = mirror.own_inventory().releases[0]
        mirror.download_url(release, (), {"BP_DEPENDENCY_MIRROR": value})
    redact(value, secret_values.secrets_in(value, {"USER": value}))


def _project(content: bytes, directory: Path) -> None:
    """Digest the project, and find what needs it as a package."""
    (directory / "app").mkdir(exist_ok=True)
    (directory / "app/pyproject.toml").write_bytes(content)
    (directory / "app/Procfile").write_bytes(content)
    (directory / "app/main.py").write_bytes(content)
    for is_editable in (True, False):
        fingerprint.project_digest(directory / "app", is_editable=is_editable)
    list(fingerprint.files(directory / "app", ("pyproject.toml",)))
    app_as_package.needed_by(directory / "app", "six", ("gunicorn",))


def _addresses(content: bytes, directory: Path) -> None:
    (directory / "pyproject.toml").write_bytes(content)
    document = toml.read(directory / "pyproject.toml")
    settings = Settings(groups=("dev",), extras=("extra",))
    address_variables.check_project(document, settings, {"USER": "me"}, "pyproject.toml")


def _poetry_settings(content: bytes, directory: Path) -> None:
    (directory / "poetry.toml").write_bytes(content)
    from_source.of_poetry({}, directory)
