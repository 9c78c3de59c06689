"""Plain projects: a `pyproject.toml` or `setup.py` without lock file, resolved in each build.

Separate from `registry`, since each package manager has its own package.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from cnb_python.app import App
from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, TomlValue
from cnb_python.config.settings import DEFAULTS, Settings
from cnb_python.errors.base import Message
from cnb_python.errors.locks import PoetryProjectWithoutLock, UnknownGroup
from cnb_python.errors.projects import OwnNameRequired
from cnb_python.managers import tool_settings
from cnb_python.managers.base import InstallContext, NeedsResolving, Resolution
from cnb_python.managers.development.groups import with_groups
from cnb_python.managers.lock_manager import InstalledByUv
from cnb_python.managers.requirement_lines import normalized_name
from cnb_python.python.setup_metadata import setup_requirements
from cnb_python.system.interface import Command, Run

PYPROJECT = "pyproject.toml"
SETUP = "setup.py"
EDITABLE = "-e ."
_EXTRAS = "optional-dependencies"
_PACKAGE_MODE = "package-mode"
_NAME = re.compile(r"\s*([\w.-]+)")
# A build backend that is too old for PEP 660.
_NOT_EDITABLE = re.compile(r"has no attribute 'build_editable'")
_HOW_TO_LOCK = {
    PYPROJECT: "Run `uv lock` (or your tool's lock command) and commit the lock file.",
    SETUP: (
        "Move its requirements to a pyproject.toml and run `uv lock`, or pin the packages in a "
        "requirements.txt whose last line is: -e ."
    ),
}


@dataclass(frozen=True, slots=True)
class PlainProject(InstalledByUv):
    """Apps that declare their requirements and have no lock file."""

    settings: Settings = DEFAULTS
    name: str = "project"
    deciding_file: str = PYPROJECT

    def deciding_files(self, app: App) -> tuple[str, ...]:
        """Return the file that declares a project, not one with settings of tools alone."""
        if PYPROJECT in app.files and _declares_project(app.directory / PYPROJECT):
            return (PYPROJECT,)
        return (SETUP,) if SETUP in app.files else ()

    def with_development(self, app: App) -> tuple[PlainProject, tuple[str, ...]]:
        """See `Manager`; what a `setup.py` computes cannot be known."""
        file = app.directory / PYPROJECT
        document = toml.read(file) if file.is_file() else {}
        own = tool_settings.uv_default_groups(document)
        chosen = with_groups(
            self.settings._replace(groups=self.settings.groups or own),
            toml.table_at(document, "dependency-groups"),
            toml.table_at(toml.table_at(document, "project"), _EXTRAS),
        )
        return replace(self, settings=chosen.settings), chosen.added

    def check(self, app: App) -> tuple[Message, ...]:
        """Return a warning with the steps to lock the packages.

        Raises PoetryProjectWithoutLock, OwnNameRequired, and UnknownGroup for a group or an extra
        that pyproject.toml does not have.
        """
        (file,) = self.deciding_files(app)
        groups: tuple[str, ...] = ()
        if file == PYPROJECT:
            document = toml.read(app.directory / PYPROJECT)
            groups = () if self.settings.groups else tool_settings.uv_default_groups(document)
            if reason := _needs_poetry(document, self.settings):
                raise PoetryProjectWithoutLock(reason)
            self._check_names(document)
        _check_own_name(app, self.settings)
        return (
            *((tool_settings.default_groups_used(groups),) if groups else ()),
            Message(
                f"{file} pins nothing",
                (
                    (
                        "Each build takes the newest releases that it allows: two builds of the "
                        f"same commit can differ. {_HOW_TO_LOCK[file]}"
                    ),
                ),
            ),
        )

    def _check_names(self, document: TomlTable) -> None:
        """Raise UnknownGroup: of an extra that does not exist, uv only warns."""
        project = toml.table_at(document, "project")
        dynamic = project.get("dynamic")
        poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
        tables = {"group": toml.table_at(document, "dependency-groups")}
        if poetry and not project:
            tables["extra"] = toml.table_at(poetry, "extras")
        # Otherwise only the build backend knows the extras.
        if project and not (isinstance(dynamic, list) and _EXTRAS in dynamic):
            tables["extra"] = toml.table_at(project, _EXTRAS)
        chosen = {"group": self.settings.groups, "extra": self.settings.extras}
        for kind, table in tables.items():
            present = {normalized_name(name) for name in table}
            for name in chosen[kind]:
                if normalized_name(name) not in present:
                    raise UnknownGroup(PYPROJECT, kind, name, tuple(sorted(table)))

    def resolve_from_files(
        self, app: App, python: str, environ: Mapping[str, str]
    ) -> Resolution | NeedsResolving:
        """Return that uv has to resolve, in every build."""
        del python, environ
        (file,) = self.deciding_files(app)
        return NeedsResolving(
            f"{file} pins nothing", log_line=f"Resolving {file} with uv: it pins nothing"
        )

    def resolve(self, context: InstallContext, run: Run) -> Resolution:
        """Return what uv resolves for the project. Raises uv's failure."""
        from cnb_python.managers import from_source, pylock_file  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv import commands as uv  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv.build_needs import with_needs  # noqa: PLC0415 - heavy
        from cnb_python.managers.uv.required_version import with_required_uv  # noqa: PLC0415 - heavy

        lock = context.scratch / "pylock.toml"
        # uv would keep the releases in it.
        lock.unlink(missing_ok=True)
        self._check_addresses(context)
        uv_context = uv.own_context(context, as_pip=True)
        source, shown, options, overrides = self._source(context)
        command = Command(
            (
                *(str(uv_context.uv), "pip", "compile", "--quiet", "--format", "pylock.toml"),
                *("--no-header", "--generate-hashes", *options, *overrides),
                *("--output-file", str(lock), str(source)),
                *uv.options(uv_context),
            ),
            uv_context.environ,
            uv_context.app_dir,
            shown=" ".join(("uv pip compile", *options, shown)),
        )
        run = with_required_uv(uv_context, run)
        outcome = run(command)
        if outcome.code and shown == EDITABLE and _NOT_EDITABLE.search(outcome.output):
            # The only form in which such a backend installs the project.
            text = source.read_text(encoding="utf-8").removeprefix("-e ")
            source.write_text(text, encoding="utf-8")
            command = replace(command, shown=command.shown.replace(EDITABLE, "."))
            outcome = run(command)
        if outcome.code:
            raise uv.explain(command, outcome, context, run)
        resolution = pylock_file.read_lock(lock, pylock_file.Choice(context.python, ""))
        resolution = from_source.apply(from_source.of_uv(context.environ), resolution)
        return with_needs(resolution, uv_context.environ, context.app_dir)

    def _check_addresses(self, context: InstallContext) -> None:
        """Raise UnsetVariable or UnreplacedVariable for an address that cannot be right."""
        from cnb_python.managers.uv import address_variables  # noqa: PLC0415 - heavy

        file = context.app_dir / PYPROJECT
        if file.is_file():
            document = toml.read(file)
            groups = self.settings.groups or tool_settings.uv_default_groups(document)
            chosen = self.settings._replace(groups=groups)
            address_variables.check_project(document, chosen, context.environ, PYPROJECT)

    def _source(self, context: InstallContext) -> _CompileInput:
        """Return what uv resolves.

        A package is itself installed, editable: its file is a requirements file with that line.
        """
        file = context.app_dir / PYPROJECT
        document = toml.read(file) if file.is_file() else {}
        chosen = self.settings.groups or tool_settings.uv_default_groups(document)
        groups = [word for name in chosen for word in ("--group", name)]
        if _is_package(context.app_dir):
            extras = f"[{','.join(self.settings.extras)}]" if self.settings.extras else ""
            source = context.scratch / "project.in"
            source.write_text(f"-e {context.app_dir}{extras}\n", encoding="utf-8")
            return _CompileInput(source, EDITABLE, groups)
        from cnb_python.managers.pyproject import own_references  # noqa: PLC0415 - heavy

        itself = own_references.find(document, chosen, context.python)
        chosen_extras = dict.fromkeys((*self.settings.extras, *(itself.extras if itself else ())))
        options = [*(word for name in chosen_extras for word in ("--extra", name)), *groups]
        overrides = _overrides(itself.override, context) if itself else ()
        return _CompileInput(file, PYPROJECT, options, overrides)


class _CompileInput(NamedTuple):
    """What uv resolves."""

    file: Path
    shown: str
    """Its name in the log."""
    options: Sequence[str]
    overrides: Sequence[str] = ()
    """Options that the log does not show."""


def _overrides(line: str, context: InstallContext) -> Sequence[str]:
    """Return options for a file of overrides with *line*, and for the user's files.

    Options replace the variable.
    https://docs.astral.sh/uv/reference/environment/#uv_override
    """
    file = context.scratch / "overrides.txt"
    file.write_text(f"{line}\n", encoding="utf-8")
    files = (*context.environ.get("UV_OVERRIDE", "").split(), str(file))
    return [word for each in files for word in ("--override", each)]


def _declares_project(file: Path) -> bool:
    """Whether *file* declares a project. Raises UnreadableToml."""
    document = toml.read(file)
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    return bool(toml.table_at(document, "project") or "build-system" in document or poetry)


def _is_package(directory: Path) -> bool:
    """Whether the project in *directory* is itself installed, by uv's and Poetry's own rules.

    https://docs.astral.sh/uv/concepts/projects/config/#project-packaging
    https://python-poetry.org/docs/basic-usage/#operating-modes
    """
    file = directory / PYPROJECT
    document = toml.read(file) if file.is_file() else {}
    tool = toml.table_at(document, "tool")
    package = toml.table_at(tool, "uv").get("package")
    if package is None and toml.table_at(tool, "poetry").get(_PACKAGE_MODE) is False:
        return False
    has_backend = "build-system" in document or not toml.table_at(document, "project")
    return package is True or (package is not False and has_backend)


def _needs_poetry(document: TomlTable, settings: Settings) -> str:
    """Return what of the project only Poetry reads, as a phrase; empty: nothing.

    Without it, the image would lack these packages. Poetry's own backend reads the dependencies
    of a package, and Poetry alone those of its groups and of a project that is no package.
    https://python-poetry.org/docs/pyproject/
    """
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    groups = {normalized_name(name) for name in toml.table_at(poetry, "group")}
    standard = {normalized_name(name) for name in toml.table_at(document, "dependency-groups")}
    for name in settings.groups:
        if normalized_name(name) in groups - standard:
            return f"the packages of [tool.poetry.group.{name}]"
    tables = {
        f"[tool.poetry.{path}]": table.keys() - {"python"}
        for path, table in (
            ("dependencies", toml.table_at(poetry, "dependencies")),
            # Poetry installs this group by default, as the dependencies.
            ("group.main.dependencies", _group_of_poetry(poetry, "main")),
        )
    }
    where = next((name for name, named in tables.items() if named), "")
    if not where or toml.table_at(document, "project").get("dependencies"):
        return ""
    backend = toml.table_at(document, "build-system").get("build-backend")
    is_read = isinstance(backend, str) and backend.startswith("poetry.")
    is_package = poetry.get(_PACKAGE_MODE) is not False
    return "" if is_read and is_package else f"the packages of {where}"


def _group_of_poetry(poetry: TomlTable, name: str) -> TomlTable:
    return toml.table_at(toml.table_at(toml.table_at(poetry, "group"), name), "dependencies")


def _check_own_name(app: App, settings: Settings) -> None:
    """Raise OwnNameRequired if the project requires its own name: uv takes it for the project.

    With extras, a project refers to itself on purpose, and in a group it may be itself that is
    meant. https://docs.astral.sh/uv/reference/cli/#uv-add
    """
    document = toml.read(app.directory / PYPROJECT) if PYPROJECT in app.files else {}
    project = toml.table_at(document, "project")
    if project:
        optional = toml.table_at(project, _EXTRAS)
        chosen = {normalized_name(extra) for extra in settings.extras}
        lists = [project.get("dependencies")]
        lists += (value for name, value in optional.items() if normalized_name(name) in chosen)
        texts = [each for value in lists if isinstance(value, list) for each in value]
        _check_requirements(PYPROJECT, project.get("name"), texts)
        dynamic = project.get("dynamic")
        if not isinstance(dynamic, list) or "dependencies" not in dynamic:
            return  # setuptools ignores those in its own files
    poetry = toml.table_at(toml.table_at(document, "tool"), "poetry")
    _check_requirements(PYPROJECT, poetry.get("name"), toml.table_at(poetry, "dependencies"))
    for each in setup_requirements(app):
        name = project.get("name") or each.name
        _check_requirements(app.shown(each.file), name, each.requirements)


def _check_requirements(file: str, name: TomlValue | None, texts: Iterable[TomlValue]) -> None:
    if not isinstance(name, str) or not name:
        return
    for text in texts:
        match = _NAME.match(text) if isinstance(text, str) else None
        is_own = match and normalized_name(match[1]) == normalized_name(name)
        if match and is_own and not match.string[match.end() :].lstrip().startswith("["):
            raise OwnNameRequired(file, name, match.string.strip())
