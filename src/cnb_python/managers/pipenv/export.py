"""Exports `Pipfile.lock` with Pipenv, or resolves a `Pipfile` without one; uv installs it.

Pipenv installs source by source: a package from the one that the lock file names, else from the
first. https://pipenv.pypa.io/en/latest/indexes.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import TomlTable, Writable
from cnb_python.config.settings import Settings
from cnb_python.errors.locks import BadLock, UnknownGroup, UnsetVariable
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers import from_source, index_config, pylock_file, schema
from cnb_python.managers.base import PackageIndexes, Pin, Resolution
from cnb_python.managers.lock_export import LocalSource, LockExport, LockSources, LockTool
from cnb_python.managers.requirement_lines import index_url
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.system.redaction import parts_of

_INDEX_NOTE = "the lines of pipenv requirements that name indexes"
_PIPENV = LockTool(
    title="Pipenv",
    command="pipenv",
    lock="Pipfile.lock",
    source="Pipfile",
    stale=re.compile(r"Pipfile\.lock is out-of-date"),
    newer=None,
    reserved=re.compile(
        r"PIPENV_(ACTIVE|CACHE_DIR|PIPFILE|PYTHON|DEFAULT_PYTHON_VERSION|VENV_IN_PROJECT|SKIP_LOCK)"
        r"|WORKON_HOME"
    ),
)
# The name of a group in a lock file, by its name in a Pipfile.
_SECTIONS = {"packages": "default", "dev-packages": "develop", "dev": "develop"}
# `pipfile-spec` of the lock files that the pinned Pipenv writes.
_NEWEST_SPEC = 6
# Pipenv has no option for a file to write to. Its output has logins, so it must not be logged.
_TO_FILE = ("/bin/sh", "-c", 'exec "$@" >"$0"')
_INDEX_OPTIONS = ("-i ", "--index-url ", "--extra-index-url ", "--trusted-host ")
_EGG = re.compile(r"#egg=([\w.-]+)")
_EGG_FRAGMENT = re.compile(r"#egg=[^&]*&?")
# A variable in a URL, in the shell's form, and Pipenv's own in quotes.
_VARIABLE = re.compile(r"'?\$\{(\w+)\}'?|\$(\w+)")
# uv needs a name for the project; no package has this one.
_PROJECT_NAME = "cnb-python-pipfile"


@dataclass(frozen=True, slots=True)
class PipenvExport(LockExport):
    """One build's export of `Pipfile.lock`."""

    tool: ClassVar = _PIPENV

    @property
    def program(self) -> Program:
        """The Pipenv that reads the files."""
        return Program.chosen("pipenv", self.settings.pipenv)

    def resolve(self) -> Resolution:
        """Return the resolution in the lock file, or what the `Pipfile` resolves to without one.

        Raises Pipenv's and uv's failures, LockTooNew, UnknownGroup, and what
        `schema.check_types` and `read_sources` raise.
        """
        return self._read_lock() if self.lock.is_file() else self._resolve_pipfile()

    def install(self, pins: Sequence[Pin]) -> frozenset[str]:
        """See `Manager`. Raises uv's failure."""
        sources, variables = self._sources()
        return self.install_with_uv(pins, sources.indexes_of, variables)

    def package_indexes(self) -> PackageIndexes:
        """See `Manager`."""
        sources, variables = self._sources()
        return index_config.package_indexes(variables, sources.indexes_of)

    def _sources(self) -> tuple[LockSources, dict[str, str]]:
        """Return the indexes of the lock file, and uv's variables for the others."""
        environ = self.context.environ
        if self.lock.is_file():
            pipfile = toml.read(self._pipfile)
            sources = read_sources(self._document(), pipfile, self._index_lines(), environ)
        else:
            lines = tuple(expanded(line, environ) for line in self._index_lines())
            sources = LockSources(lambda _: (), lines)
        return sources, index_config.exported_index_variables(sources.lines, environ)

    def local_sources(self) -> Iterator[LocalSource]:
        """See `LockExport`."""
        for section in self._document().values():
            for path, name in _local_sources(section):
                if "://" not in path:
                    yield LocalSource(name, path)

    def variables(self) -> dict[str, str]:
        """Return the user's variables with a cache of the build's own, and no environment."""
        # For the usual index, whose URL the lock file has.
        mirror = index_config.index_variables(self.context.environ).get("UV_DEFAULT_INDEX", "")
        return {
            **({"PIPENV_PYPI_MIRROR": mirror} if mirror else {}),
            **self.user_variables(),
            "PIPENV_CACHE_DIR": str(self.context.scratch / "pipenv"),
            "PIPENV_IGNORE_VIRTUALENVS": "1",
            "PIPENV_DONT_LOAD_ENV": "1",
            "PIPENV_NOSPIN": "1",
        }

    def _read_lock(self) -> Resolution:
        """Return what the lock file holds for the app's Python."""
        sections = self._sections()
        self._run(("verify",))
        output = self._run(("requirements", "--hash", *_categories(self.settings)))
        names = {path: name for section in sections for path, name in _local_sources(section)}
        lines = [_with_name(line, names) for line in output]
        self._keep_index_lines(lines)
        resolution = self.resolution("\n".join(lines))
        return from_source.apply(from_source.of_pip(self.context.environ), resolution)

    def _resolve_pipfile(self) -> Resolution:
        """Return what uv resolves for the lines that Pipenv prints for the `Pipfile`."""
        schema.check_types(self.context.app_dir, _PIPENV.source)
        output = self._run(("requirements", "--no-lock", *_categories(self.settings)))
        self._keep_index_lines(output)
        requirements = [line for line in output if not line.startswith(_INDEX_OPTIONS)]
        pylock = self.context.scratch / "pylock.toml"
        # uv would keep the releases in it.
        pylock.unlink(missing_ok=True)
        pipfile, environ = toml.read(self._pipfile), self.context.environ
        like_a_lock = {**pipfile, "_meta": {"sources": pipfile.get("source")}}
        sources = read_sources(like_a_lock, pipfile, self._index_lines(), environ, _PIPENV.source)
        files = uv_files(requirements, sources, self.context.scratch)
        context = replace(
            self.context,
            environ=index_config.exported_index_variables(sources.lines, environ),
            no_index=index_config.asks_no_index(environ),
        )
        command = replace(
            uv.compile_all(files, pylock, context), shown=f"uv pip compile {_PIPENV.source}"
        )
        outcome = self.run(command)
        if outcome.code:
            raise uv.explain(command, outcome, self.context, self.run)
        resolution = pylock_file.read_lock(pylock, self.choice, _PIPENV.source)
        resolution = from_source.apply(from_source.of_pip(self.context.environ), resolution)
        return resolution._replace(from_files_alone=False)

    def _run(self, words: Sequence[str]) -> list[str]:
        """Return the lines that Pipenv prints for *words*. Raises its failure."""
        file = self.context.scratch / "pipenv.answer.txt"
        command = self.command(words)
        command = replace(command, argv=(*_TO_FILE, str(file), *command.argv))
        outcome = self.run(command)
        if outcome.code:
            raise self.explain(command, outcome)
        return [line.strip() for line in file.read_text("utf-8").splitlines() if line.strip()]

    def _sections(self) -> list[Mapping[str, object]]:
        """Return the chosen sections of the lock file.

        Raises what `schema.check_types` does, LockTooNew and UnknownGroup.
        """
        schema.check_types(self.context.app_dir, _PIPENV.lock, _PIPENV.source)
        document = self._document()
        _check_spec(document, self.program)
        groups = self.settings.groups
        chosen = [_SECTIONS.get(name, name) for name in ("packages", *groups)]
        sections = {name: table for name, table in document.items() if name != "_meta"}
        for group, section in zip(groups, chosen[1:], strict=True):
            if section not in sections:
                names = tuple(sorted(sections.keys() - {"default"}))
                raise UnknownGroup(_PIPENV.lock, "group", group, names)
        return [sections.get(name, {}) for name in chosen]

    def _document(self) -> dict[str, Mapping[str, object]]:
        """Return the tables of the lock file, whose types have been checked."""
        _, document = schema.read_json(self.lock)
        tables = document if isinstance(document, dict) else {}
        return {name: table for name, table in tables.items() if isinstance(table, dict)}

    def _keep_index_lines(self, lines: Iterable[str]) -> None:
        """Keep those of *lines* that name indexes, for `install`."""
        index_lines = (line for line in lines if line.startswith(_INDEX_OPTIONS))
        self.context.notes[_INDEX_NOTE] = "\n".join(index_lines)

    def _index_lines(self) -> list[str]:
        return self.context.notes[_INDEX_NOTE].splitlines()

    @property
    def _pipfile(self) -> Path:
        return self.context.app_dir / _PIPENV.source


def _check_spec(document: Mapping[str, Mapping[str, object]], program: Program) -> None:
    """Refuse a form newer than the pinned Pipenv's, which does not look. Raises LockTooNew."""
    spec = document.get("_meta", {}).get("pipfile-spec")
    if isinstance(spec, int) and spec > _NEWEST_SPEC and program.is_locked:
        raise LockTooNew(_PIPENV.lock, _PIPENV.title, (f'"pipfile-spec": {spec}',))


def _categories(settings: Settings) -> tuple[str, ...]:
    groups = ["dev-packages" if name == "dev" else name for name in settings.groups]
    return ("--categories", " ".join(("packages", *groups))) if groups else ()


def _local_sources(section: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield path or URL, and name, of each package of *section* that no index serves."""
    for name, entry in section.items():
        if isinstance(entry, dict):
            for key in ("path", "file"):
                if isinstance(source := entry.get(key), str):
                    yield source, name


def _with_name(line: str, names: Mapping[str, str]) -> str:
    """Return *line* with the name of its package, in a form that uv accepts.

    Pipenv leaves out the names of files and directories. uv has no editable repositories; a copy
    has the same contents.
    """
    is_editable = line.startswith("-e ")
    requirement, mark, marker = line.removeprefix("-e ").partition("; ")
    if egg := _EGG.search(requirement):
        url = _EGG_FRAGMENT.sub("#", requirement).rstrip("#").partition(" --hash")[0]
        return f"{egg[1]} @ {url}{mark}{marker}"
    source, space, hashes = requirement.partition(" --hash")
    name = names.get(source) or names.get(source.removeprefix("./"))
    if not name:
        return line
    if is_editable:
        return f"-e {source}#egg={name}{mark}{marker}"
    return f"{name} @ {source}{mark}{marker}{space}{hashes}"


def uv_files(requirements: Iterable[str], sources: LockSources, scratch: Path) -> tuple[str, ...]:
    """Write *requirements* into files for `uv pip compile` in *scratch*; return their paths.

    Packages of another source than the first go into a project: a requirements file cannot name
    the index of a single package.
    """
    plain, project = scratch / "Pipfile.txt", scratch / "pipfile" / "pyproject.toml"
    indexes = {line: _own_index(line, sources) for line in requirements}
    unbound = [line for line, url in indexes.items() if not url]
    plain.write_text("\n".join(unbound) + "\n", encoding="utf-8")
    if len(unbound) == len(indexes):
        return (str(plain),)
    project.parent.mkdir(exist_ok=True)
    toml.write(project, _project({line: url for line, url in indexes.items() if url}))
    return (str(plain), str(project))


def _own_index(line: str, sources: LockSources) -> str:
    """Return the index of the package of *line*; empty: the first one, or it has none."""
    name = _index_name(line)
    urls = sources.indexes_of(Pin(name, "", "", line)) if name else ()
    return next((url for url in urls if f"--index-url {url}" not in sources.lines), "")


def _project(indexes: Mapping[str, str]) -> Mapping[str, Writable]:
    """Return a `pyproject.toml` that requires each line of *indexes* from its index."""
    names = {url: f"source-{at}" for at, url in enumerate(dict.fromkeys(indexes.values()))}
    sources = {_index_name(line): {"index": names[url]} for line, url in indexes.items()}
    index: list[Writable] = [
        {"name": name, "url": url, "explicit": True} for url, name in names.items()
    ]
    return {
        "project": {"name": _PROJECT_NAME, "version": "0", "dependencies": list(indexes)},
        "tool": {"uv": {"sources": sources, "index": index}},
    }


def _index_name(line: str) -> str:
    """Return the name of the package of *line*; empty: it does not come from an index."""
    try:
        requirement = Requirement(line)
    except ValueError, RecursionError:
        return ""
    return "" if requirement.url else canonicalize_name(requirement.name)


def read_sources(
    lock: Mapping[str, object],
    pipfile: TomlTable,
    printed: Iterable[str],
    environ: Mapping[str, str],
    file: str = _PIPENV.lock,
) -> LockSources:
    """Return the indexes of the packages of *lock*.

    *printed*: Pipenv's lines with index options, in which a mirror may replace the usual index;
    *file*: the name of the file that *lock* comes from. Raises UnsetVariable, and BadLock if a
    package names an unknown source.
    """
    lines = tuple(expanded(line, environ) for line in printed)
    urls = list(filter(None, map(index_url, lines)))
    url_of = dict(_urls_by_name(lock, urls, environ, file))
    trusted = tuple(_trusted_hosts(lock, url_of))
    if toml.table_at(pipfile, "pipenv").get("install_search_all_sources") is True or not urls:
        return LockSources(lambda _: (), (*lines, *trusted))
    own_urls = dict(_own_urls(lock, url_of, file))
    first = next(iter(url_of.values()), urls[0])
    # Without a mirror, which the user sets up for all packages.
    locked = {expanded(str(source.get("url", "")), environ) for source in _sources(lock)}

    def indexes_of(pin: Pin) -> tuple[str, ...]:
        url = own_urls.get(pin.name, first)
        return (url,) if url in locked else ()

    return LockSources(indexes_of, (f"--index-url {first}", *trusted))


def expanded(text: str, environ: Mapping[str, str]) -> str:
    """Return *text*, a URL or a line with one, with the values of its variables.

    As Pipenv does, which percent-encodes logins, and has variables in quotes:

    >>> expanded("-i https://$USER:'${TOKEN}'@h.example/", {"USER": "me", "TOKEN": "a@b"})
    '-i https://me:a%40b@h.example/'
    """
    front, scheme, address = text.partition("://")
    login, at, host = (
        _filled(address, environ).rpartition("@") if "$" in address else ("", "", address)
    )
    if at:
        user, colon, password = login.partition(":")
        login = f"{quote(user, safe='')}{colon}{quote(password, safe='')}"
    return f"{_filled(front, environ)}{scheme}{login}{at}{host}"


def _filled(text: str, environ: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: environ.get(match[1] or match[2], "") or match[0], text)


def _urls_by_name(
    lock: Mapping[str, object], printed: list[str], environ: Mapping[str, str], file: str
) -> Iterator[tuple[str, str]]:
    """Yield name and URL of each source; one that Pipenv did not print has the mirror's."""
    for source in _sources(lock):
        name, written = str(source.get("name", "")), str(source.get("url", ""))
        if unset := tuple(_unset_variables(written, environ)):
            raise UnsetVariable(file, name, unset, "index")
        url = expanded(written, environ)
        yield name, url if url in printed else printed[0]


def _unset_variables(text: str, environ: Mapping[str, str]) -> Iterator[str]:
    names = (match[1] or match[2] for match in _VARIABLE.finditer(text))
    return (name for name in names if not environ.get(name))


def _sources(lock: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    meta = lock.get("_meta")
    sources = meta.get("sources") if isinstance(meta, dict) else None
    yield from (source for source in sources or () if isinstance(source, dict))


def _trusted_hosts(lock: Mapping[str, object], url_of: Mapping[str, str]) -> Iterator[str]:
    """Yield an option for each source whose certificate is not checked."""
    for source in _sources(lock):
        if source.get("verify_ssl") is False:
            host = parts_of(url_of[str(source.get("name", ""))]).netloc
            if host := host.rpartition("@")[2]:
                yield f"--trusted-host {host}"


def _own_urls(
    lock: Mapping[str, object], url_of: Mapping[str, str], file: str
) -> Iterator[tuple[str, str]]:
    """Yield each package that has a source of its own, and the URL of that source."""
    for section, packages in lock.items():
        for name, entry in packages.items() if isinstance(packages, dict) else ():
            index = entry.get("index") if isinstance(entry, dict) else None
            if section == "_meta" or not isinstance(index, str):
                continue
            if index not in url_of:
                names = ", ".join(sorted(url_of))
                raise BadLock(
                    file, f"it has {name} from a source {index}, and its sources are {names}"
                )
            yield canonicalize_name(name), url_of[index]
