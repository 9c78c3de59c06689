"""Finds the apps that a server can serve by parsing the code, never by importing it.

A Django project is found from manage.py and its settings, other apps from the objects that their
modules create.

Separate from `processes`, which prefers a Procfile to it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from cnb_python.errors.base import Message
from cnb_python.launch.code.definitions import (
    AppDefinition,
    Module,
    find_definitions,
    is_served,
)
from cnb_python.launch.code.source_files import SOURCE, ModuleFile, SourceFiles, read_source_files
from cnb_python.launch.code.tracer import USUAL_NAMES, Traced
from cnb_python.launch.django_project import DjangoProject, find_django_projects
from cnb_python.launch.tables.frameworks import (
    FRAMEWORKS,
    AppObject,
    DetectedApp,
    Framework,
    Interface,
)

_ENTRY_POINTS = frozenset({"wsgi", "asgi"})
# Code that may make an application without naming a framework: it calls a factory elsewhere.
_HINTS = (
    # Each begins with a fixed string, which makes the search fast.
    *(rb"_app(?:lication)?\b", rb"start_response", rb"scope, ?receive", rb"uvicorn\.run"),
    *(rb"\napp(?:lication)?\b[^\n=]*=", rb"\napi\b[^\n=]*=", rb"\nserver\b[^\n=]*="),
)
# Code that imports an application and starts it.
_STARTS = re.compile(rb"\.run(?:_\w+)?\(")
# Code that gives a Dash application its pages.
_LAYOUT = re.compile(rb"\.layout\b[^\n=]*=")
_IMPORTS_APP = re.compile(rb"\bimport\b[^\n]*\b(?:app|application|api|server)\b")
# Names of programs that start an app with other settings than in production.
_FOR_DEVELOPMENT = re.compile(r"(?:^|_)(?:debug|dev|development|local|profile|profiler)(?:_|$)")
# Tools whose documentation puts a module of the same name into the app's package.
_NAMESAKES = frozenset({"celery", "huey"})
_FLASK_APP = re.compile(r"^\s*(?:export\s+)?FLASK_APP\s*=\s*[\"']?([\w./:]+)", re.MULTILINE)
_FLASKENV = ".flaskenv"
_MAX_PARSED = 150
_MAX_DEPTH = 3


def find(app_dir: Path, installed: Mapping[str, str]) -> tuple[DetectedApp, ...]:
    """Return the apps in *app_dir* that can be served, the most likely first.

    *installed* maps the normalized names of the installed distributions to versions. Code that
    uses a framework which is not installed is an example, unused, or another app.
    """
    files = read_source_files(app_dir)
    return find_apps(files, find_django_projects(files, installed), installed)


def find_apps(
    files: SourceFiles, projects: Iterable[DjangoProject], installed: Mapping[str, str]
) -> tuple[DetectedApp, ...]:
    """Return the apps among *files* that can be served: the Django *projects*, then others."""
    django = (project.app for project in projects if project.app)
    candidates = [*django, *_objects(files, installed)]
    # One app is often found twice: in Django's settings, and in the wsgi.py that they name.
    apps: list[DetectedApp] = []
    for candidate in candidates:
        if not any(_covers(app, candidate) for app in apps):
            apps.append(candidate)
    return tuple(apps)


def _covers(app: DetectedApp, other: DetectedApp) -> bool:
    """Whether *app* is *other*, or is served from the module that *other* was found in."""
    directory = f"{app.directory}/" if app.directory else ""
    files = {f"{directory}{target.module.replace('.', '/')}.py" for target in app.targets}
    if app.framework == other.framework and other.file in files:
        return True
    return app.directory == other.directory and {str(target) for target in other.targets} <= {
        str(target) for target in app.targets
    }


def _objects(files: SourceFiles, installed: Mapping[str, str]) -> list[DetectedApp]:
    index = AppIndex(files, installed)
    named = _named_by_flaskenv(files.directory)
    apps: list[tuple[bool, DetectedApp]] = []
    starters: list[tuple[DetectedApp, str]] = []
    hidden: set[str] = set()
    for file in islice(index.candidates(), _MAX_PARSED):
        if not file.stem.isidentifier():
            continue
        module = index.module(file)
        for definition in module.definitions if module else ():
            app = index.detected_app(file, definition)
            if app:
                apps.append((definition.is_part or not _is_named(app, named), app))
                break
        else:
            starters += index.starters(file)
            hidden.add(index.completed_by_program(file))
    apps = [each for each in apps if each[1].file not in hidden]
    ordered = [app for _, app in (sorted(apps, key=lambda entry: entry[0]) if named else apps)]
    for starter, creator in starters:
        ordered.insert(_place(starter, creator, ordered, named), starter)
    return ordered


def _place(starter: DetectedApp, creator: str, ordered: list[DetectedApp], named: str) -> int:
    """Return where *starter* comes among the *ordered* apps: before the one of *creator*.

    But after those of the module *named* by `.flaskenv`, which the app's author chose.
    """
    depth = starter.file.count("/")
    deeper = (
        at
        for at, app in enumerate(ordered)
        if not _is_named(app, named) and (app.file == creator or app.file.count("/") > depth)
    )
    return 0 if _is_named(starter, named) else next(deeper, len(ordered))


def only_started(path: str, files: SourceFiles, installed: Mapping[str, str]) -> frozenset[str]:
    """Return the files whose apps the program *path* imports and starts, if it does no more.

    A server can start them too.
    """
    index, file = AppIndex(files, installed), files.at(path)
    module = index.module(file) if file else None
    if file is None or module is None:
        return frozenset()
    return index.only_started(module, file)


class AppIndex:
    """What each module of the app exports, read when another module imports from it."""

    def __init__(self, files: SourceFiles, installed: Mapping[str, str]) -> None:
        self._files = files
        self._installed = installed
        self._modules: dict[str, Module | None] = {}
        self._depth = 0
        present = [each for each in FRAMEWORKS if each.distribution in installed]
        self.installed_frameworks = tuple(present)
        names = (
            name.rpartition(".")[2].encode() + rb"\b"
            for each in present
            for name in (*each.constructors, *each.methods)
        )
        patterns = dict.fromkeys((*names, *_HINTS))
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def candidates(self) -> Iterator[ModuleFile]:
        """Yield the files that may create an application, and those that are written for servers.

        Parsing is slow, and an unchanged build does it too.
        """
        for file in self._files.files:
            is_starter = _STARTS.search(file.content) or _LAYOUT.search(file.content)
            is_starter = is_starter and _IMPORTS_APP.search(file.content)
            if file.stem in _ENTRY_POINTS or is_starter or self._is_candidate(file.content):
                yield file

    def _is_candidate(self, content: bytes) -> bool:
        text = b"\n" + content
        return any(pattern.search(text) for pattern in self._patterns)

    def module(self, file: ModuleFile) -> Module | None:
        """Return the facts about *file*, None if Python could not read it."""
        if file.shown not in self._modules:
            # A module that imports itself, through others, finds nothing in this one.
            self._modules[file.shown] = None
            self._modules[file.shown] = self._read(file)
        return self._modules[file.shown]

    def _read(self, file: ModuleFile) -> Module | None:
        if self._depth > _MAX_DEPTH or not file.tree:
            return None
        self._depth += 1
        try:
            return find_definitions(
                file.tree,
                lambda name: self.lookup(name, file),
                is_entry_point=file.stem in _ENTRY_POINTS,
            )
        finally:
            self._depth -= 1

    def starters(self, file: ModuleFile) -> Iterator[tuple[DetectedApp, str]]:
        """Yield the app that *file* imports, completes and starts, with the file that creates it.

        An example is the `index.py` of a Dash app, which gives the app in `app.py` its layout; it
        does not have to start the app. If *file* only starts the app, nothing is yielded: a server
        can serve the app without *file*.
        """
        if _FOR_DEVELOPMENT.search(file.stem):
            return
        module = self.module(file)
        started = {**module.layouts, **module.started} if module else {}
        for name in sorted(set(started) & set(module.origins if module else ())):
            if module is None or not self._completes(module, name, file):
                continue
            if name in module.started or self.gives_layout(module, name, file):
                yield from self._imported_app(module, name, started[name], file)
                return

    def gives_layout(self, module: Module, name: str, file: ModuleFile) -> bool:
        """Whether *module*, in *file*, gives the Dash app *name* of another module its layout.

        False if the other module has a layout itself, or imports *file*.
        """
        target = self.file_of(module.origins[name].rpartition(".")[0], file)
        creator = self.module(target) if target else None
        if creator is None or target is None or name not in module.layouts or creator.layouts:
            return False
        origins = (each for each in creator.origins.values() if each.strip("."))
        imported = (self.file_of(part, target) for each in origins for part in _parts_of(each))
        return all(each is not file for each in imported)

    def completed_by_program(self, file: ModuleFile) -> str:
        """Return the file of a Dash app that only the program *file* can serve; empty: none.

        The program gives the app its layout and starts it, but has no name for its Flask app.
        """
        module = self.module(file)
        names = set(module.started) & set(module.layouts) & set(module.origins) if module else ()
        for name in names:
            if module and self.gives_layout(module, name, file) and not any(self.starters(file)):
                target = self.file_of(module.origins[name].rpartition(".")[0], file)
                return target.shown if target else ""
        return ""

    def only_started(self, module: Module, file: ModuleFile) -> frozenset[str]:
        """Return the files with the apps of which *module*, in *file*, is only a starter."""
        names = set(module.started) & set(module.origins)
        apps = [name for name in names if self.lookup(module.origins[name], file)]
        if any(self._completes(module, name, file) for name in apps):
            return frozenset()
        origins = (module.origins[name].rpartition(".")[0] for name in apps)
        return frozenset(each.shown for origin in origins if (each := self.file_of(origin, file)))

    def _completes(self, module: Module, name: str, file: ModuleFile) -> bool:
        """Whether *module* does more with the app *name* than start it."""
        origin = module.origins[name].rpartition(".")[0]
        target = self.file_of(origin, file)
        creator = self.module(target) if target else None
        is_app = self.lookup(module.origins[name], file) is not None
        if creator is None or not is_app or name in module.started_on_import:
            return False
        other_origins = {each for each in module.origins.values() if not each.startswith(origin)}
        return (
            name in module.changed
            or name not in creator.exports
            or any(self._is_of_app(each, file) for each in other_origins)
        )

    def _is_of_app(self, name: str, file: ModuleFile) -> bool:
        return any(
            self.file_of(each, file) for each in (name, name.rpartition(".")[0]) if each.strip(".")
        )

    def _imported_app(
        self, module: Module, started: str, line: int, file: ModuleFile
    ) -> Iterator[tuple[DetectedApp, str]]:
        """Yield the app that *module* imports as *started*, or under a usual name from there."""
        origin = module.origins[started].rpartition(".")[0]
        for name in (started, *USUAL_NAMES):
            if module.origins.get(name, "").rpartition(".")[0] != origin:
                continue
            traced = self.lookup(module.origins[name], file)
            if traced is None or traced.kind != "object" or not is_served(traced):
                continue
            definition = AppDefinition(
                name,
                traced.framework,
                factory=False,
                line=line,
                interface=traced.interface,
            )
            yield from self._beside_creator(definition, origin, file)
            return
        traced = self.lookup(module.origins[started], file)
        framework = traced.framework if traced else None
        if framework and framework.attributes and started not in module.started:
            # The module has no name for the object that a server needs.
            name = f"{started}.{framework.attributes[0]}"
            definition = AppDefinition(name, framework, factory=False, line=line, interface="WSGI")
            yield from self._beside_creator(definition, origin, file)

    def _beside_creator(
        self, definition: AppDefinition, origin: str, file: ModuleFile
    ) -> Iterator[tuple[DetectedApp, str]]:
        """Yield the app of *definition* in *file*, if *origin* is in the same directory or below.

        A script in another directory is one of several that use the app.
        """
        creator = self.file_of(origin, file)
        is_above = creator and creator.parts[: len(file.parts) - 1] == file.parts[:-1]
        if creator and is_above and (app := self.detected_app(file, definition)):
            yield app, creator.shown

    def lookup(self, name: str, file: ModuleFile) -> Traced | None:
        """Return what the imported *name* (`shop.app.create_app`) is, as seen from *file*."""
        module, _, attribute = name.rpartition(".")
        if not module or not attribute:
            return None
        target = self.file_of(module, file)
        exported = self.module(target) if target and target is not file else None
        if exported is None:
            return None
        traced = exported.exports.get(attribute)
        if traced is None and (origin := exported.origins.get(attribute)) and target:
            return self.lookup(origin, target) if self._depth <= _MAX_DEPTH else None
        return traced

    def file_of(self, module: str, importer: ModuleFile) -> ModuleFile | None:
        """Return the file of *module*, absolute or with leading dots, if the app has it."""
        name = module.lstrip(".")
        level = len(module) - len(name)
        if level:
            package = importer.parts[: len(importer.parts) - level]
            root = "/".join(package)
            if not name:
                return self._files.at(f"{root}/__init__.py" if root else "__init__.py")
            return self._files.module(name, (root,))
        above = ("/".join(importer.parts[:depth]) for depth in range(len(importer.parts)))
        return self._files.module(name, tuple(dict.fromkeys((*above, SOURCE))))

    def detected_app(self, file: ModuleFile, definition: AppDefinition) -> DetectedApp | None:
        """Return the app of *definition* in *file*, None if its framework is not installed."""
        framework = self._framework(definition)
        module = self.module(file)
        if framework is None or module is None:
            return None
        directory, name = importable(self._files.directory, file, module)
        target = definition.module or name
        version = self._installed.get(framework.distribution, "")
        interface: Interface = definition.interface or framework.interface_of(version)
        served = AppObject(interface, target, definition.name, factory=definition.factory)
        development = framework.development.format(
            target=f"'{served}'" if definition.factory else served, host="{host}", port="{port}"
        )
        return DetectedApp(
            framework.title,
            (served,),
            file.shown,
            definition.line,
            definition.name,
            directory,
            development,
            cautions=_cautions(framework, self._files, file),
            started_at=definition.started_at,
            ignored_run=framework.ignored_run if definition.starts_itself else "",
        )

    def _framework(self, definition: AppDefinition) -> Framework | None:
        """Return the framework of *definition*, if it is installed."""
        framework = definition.framework
        if framework:
            is_installed = not framework.distribution or framework.distribution in self._installed
            return framework if is_installed else None
        present = self.installed_frameworks
        if definition.interface:
            present = tuple(each for each in present if each.interface == definition.interface)
        # With Flask and FastAPI installed, the other module may use either.
        return present[0] if len({each.interface for each in present}) == 1 else None


def _parts_of(name: str) -> tuple[str, ...]:
    """Return the modules that the import of the full *name* may mean: itself and its parent."""
    return tuple(each for each in (name, name.rpartition(".")[0]) if each.strip("."))


def _cautions(framework: Framework, files: SourceFiles, file: ModuleFile) -> tuple[Message, ...]:
    caution = framework.caution
    return caution.messages(files.directory, file.shown, file.content) if caution else ()


def _named_by_flaskenv(app_dir: Path) -> str:
    """Return the module that `FLASK_APP` names in `.flaskenv`, dotted; empty without one."""
    path = app_dir / _FLASKENV
    try:
        text = path.read_text("utf-8", "replace") if path.is_file() else ""
    except OSError:
        return ""
    match = _FLASK_APP.search(text)
    return match[1].partition(":")[0].removesuffix(".py").replace("/", ".") if match else ""


def _is_named(app: DetectedApp, module: str) -> bool:
    return bool(module) and module in {app.targets[0].module, app.file.removesuffix(".py")}


def importable(app_dir: Path, file: ModuleFile, module: Module) -> tuple[str, str]:
    """Return the working directory, relative to the app, and the module name of *file* in it.

    The working directory of a file in a package is the directory above that package.
    """
    parts = file.parts
    start = int(_is_source_root(parts, module))
    while start < len(parts) - 1 and not _is_package(app_dir, parts[: start + 1], module):
        start += 1
    names = parts[start:-1] if parts[-1] == "__init__" else parts[start:]
    return "/".join(parts[:start]), ".".join(names)


def _is_source_root(parts: tuple[str, ...], module: Module) -> bool:
    """Whether `src` contains the app's modules, and is not a package itself."""
    is_below = len(parts) > 2 or (len(parts) == 2 and not module.relative)
    return parts[0] == SOURCE and is_below and SOURCE not in module.imports


def _is_package(app_dir: Path, parts: tuple[str, ...], module: Module) -> bool:
    directory = app_dir.joinpath(*parts)
    if not parts[-1].isidentifier():
        return False
    has_init = (directory / "__init__.py").is_file()
    # `from app import app` beside app.py, which may have the name of its directory. That module
    # has no submodules: `from app.models import User` names the directory.
    is_namesake = (
        not has_init
        and (directory / f"{parts[-1]}.py").is_file()
        and not any(re.match(rf"{parts[-1]}\.\w+\.", each) for each in module.origins.values())
    )
    if module.relative or (parts[-1] in module.imports and not is_namesake):
        return True
    # `from models import User` beside models.py is no package, even with an `__init__.py`.
    flat = any((directory / f"{name}.py").is_file() for name in module.imports - _NAMESAKES)
    return not flat and has_init
