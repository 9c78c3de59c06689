"""Has Pipenv check its lock and say what it holds, or what a `Pipfile` asks for."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from cnb_python.cnb import toml
from cnb_python.cnb.toml import Writable
from cnb_python.config.settings import Settings
from cnb_python.errors.base import BuildpackError
from cnb_python.errors.install import InstallFailed
from cnb_python.errors.locks import StaleLock, UnknownGroup
from cnb_python.errors.programs import LockTooNew
from cnb_python.managers import build_errors, exported_requirements, install_locked, schema
from cnb_python.managers.base import InstallContext, Pin, Resolution
from cnb_python.managers.install_locked import Choice
from cnb_python.managers.pipenv import sources as pipenv_sources
from cnb_python.managers.pipenv.sources import PipenvSources
from cnb_python.managers.tool import Program
from cnb_python.managers.uv import commands as uv
from cnb_python.managers.uv import index_env
from cnb_python.system.interface import Command, Outcome, Run

# uv wants one; nobody has a package of that name.
_PROJECT = "cnb-python-pipfile"


def uv_files(lines: Iterable[str], sources: PipenvSources, scratch: Path) -> tuple[str, ...]:
    """Write what *lines* ask for into files for `uv pip compile`, in *scratch*; return these.

    What is bound to another than the first of *sources* goes into a project, whose table says so:
    a requirements file has no words for it.
    """
    plain, bound = scratch / "Pipfile.txt", scratch / "pipfile" / "pyproject.toml"
    homes = {line: _address(line, sources) for line in lines}
    others = [line for line, address in homes.items() if not address]
    plain.write_text("\n".join(others) + "\n", encoding="utf-8")
    if len(others) == len(homes):
        return (str(plain),)
    elsewhere = {line: address for line, address in homes.items() if address}
    bound.parent.mkdir(exist_ok=True)
    toml.write(bound, _project(elsewhere))
    return (str(plain), str(bound))


def _project(addresses: Mapping[str, str]) -> Mapping[str, Writable]:
    """Return a project that asks for each line of *addresses*, from there."""
    names = {
        one: f"source-{number}" for number, one in enumerate(dict.fromkeys(addresses.values()))
    }
    sources = {_name(line): {"index": names[one]} for line, one in addresses.items()}
    index: list[Writable] = [
        {"name": name, "url": one, "explicit": True} for one, name in names.items()
    ]
    return {
        "project": {"name": _PROJECT, "version": "0", "dependencies": list(addresses)},
        "tool": {"uv": {"sources": sources, "index": index}},
    }


def _address(line: str, sources: PipenvSources) -> str:
    """Return the one source of what *line* asks for; empty: the first, or it names a place."""
    name = _name(line)
    found = sources.home(Pin(name, "", "", line)) if name else ()
    return next((one for one in found if f"--index-url {one}" not in sources.lines), "")


def _name(line: str) -> str:
    """Return the name of what comes from an index; empty: *line* is about something else."""
    try:
        read = Requirement(line)
    except InvalidRequirement:
        return ""
    return "" if read.url else canonicalize_name(read.name)


_LOCK, _PIPFILE, _NAME = "Pipfile.lock", "Pipfile", "Pipenv"
_STALE = re.compile(r"Pipfile\.lock is out-of-date")
_FRAGMENT = re.compile(r"#egg=[^&]*&?")
# Where and among what to look.
_FINDING = ("-i ", "--index-url ", "--extra-index-url ", "--trusted-host ")
# As a Pipfile calls a group, and as its lock does.
_SECTIONS = {"packages": "default", "dev-packages": "develop", "dev": "develop"}
# `pipfile-spec` of the locks that the pinned Pipenv writes.
_FORM = 6
_LAST_WORDS = 8
# It has no option for it. What a process says is searched for logins, and its answer has some.
_WRITTEN = ("/bin/sh", "-c", 'exec "$@" >"$0"')
# What they choose is ours to choose: neither the app nor its environment is to be touched.
_OURS = re.compile(
    r"PIPENV_(ACTIVE|CACHE_DIR|PIPFILE|PYTHON|DEFAULT_PYTHON_VERSION|VENV_IN_PROJECT|SKIP_LOCK)"
    r"|WORKON_HOME"
)


class PipenvExport(NamedTuple):
    """What Pipenv is asked."""

    program: Program
    settings: Settings
    processor: str
    place: InstallContext
    run: Run


def read_lock(asked: PipenvExport) -> Resolution:
    """Return what the lock of the app holds for its Python. Raises what Pipenv says of it."""
    sections = _sections(asked)
    _pipenv(asked, ("verify",))
    said = _pipenv(asked, ("requirements", "--hash", *_categories(asked.settings)))
    names = {place: name for one in sections for place, name in _places(one)}
    lines = [_named(line, names) for line in _lines(said)]
    _note_finding(asked.place, lines)
    choice = Choice(asked.place.python, asked.processor)
    text = exported_requirements.plain("\n".join(lines))
    return exported_requirements.read(text, _LOCK, asked.place.app_dir, choice, uv.NAME).decision


def resolve(asked: PipenvExport) -> Resolution:
    """Return what the app's `Pipfile` means today. Raises what Pipenv, or uv, says of it."""
    place = asked.place
    schema.check(place.app_dir, _PIPFILE)
    said = _pipenv(asked, ("requirements", "--no-lock", *_categories(asked.settings)))
    lines = _lines(said)
    _note_finding(place, lines)
    lock = place.scratch / "pylock.toml"
    wanted = [line for line in lines if not line.startswith(_FINDING)]
    lock.unlink(missing_ok=True)
    pipfile = toml.read(place.app_dir / _PIPFILE)
    alike = {**pipfile, "_meta": {"sources": pipfile.get("source")}}
    sources = pipenv_sources.read(alike, pipfile, _found(place), place.environ, _PIPFILE)
    files = uv_files(wanted, sources, place.scratch)
    found = replace(place, environ=_as_uv(sources.lines, place).variables)
    resolving = uv.compile_all(files, lock, found)
    command = replace(resolving, shown=f"uv pip compile {_PIPFILE}")
    outcome = asked.run(command)
    if outcome.code:
        raise uv.explain(command, outcome, place)
    choice = Choice(place.python, asked.processor)
    return install_locked.read_lock(lock, choice, _PIPFILE)._replace(from_files_alone=False)


def install(pins: Sequence[Pin], place: InstallContext, run: Run) -> None:
    """Install exactly *pins*. Raises what uv says went wrong."""
    if pins and (place.app_dir / _LOCK).is_file():
        lock, pipfile = _document(place), toml.read(place.app_dir / _PIPFILE)
        found = pipenv_sources.read(lock, pipfile, _found(place), place.environ)
        lock_of = install_locked.IndexedLock(_NAME, found.home)
        install_locked.install_from_indexes(pins, lock_of, place, run, _as_uv(found.lines, place))
    elif pins:
        install_locked.install(pins, place, run, _sources(place))


def explain(command: Command, outcome: Outcome) -> BuildpackError:
    """Say why Pipenv failed."""
    said = tuple(line.strip() for line in outcome.output.splitlines() if line.strip())
    last = said[-_LAST_WORDS:]
    if trouble := build_errors.machine_failure(outcome.code, outcome.output, _NAME):
        return trouble
    if _STALE.search(outcome.output):
        return StaleLock(_LOCK, _PIPFILE, "pipenv lock", last)
    return InstallFailed(_NAME, command.shown, outcome.code, last)


def _pipenv(asked: PipenvExport, words: Sequence[str]) -> str:
    """Return what Pipenv answers to *words*. Raises what it says went wrong."""
    place = asked.place
    answer = place.scratch / "pipenv.answer.txt"
    command = Command(
        (*_WRITTEN, str(answer), *place.bring(asked.program), *words),
        _variables(place),
        place.app_dir,
        shown=" ".join(("pipenv", *words)),
    )
    outcome = asked.run(command)
    if outcome.code:
        raise explain(command, outcome)
    return answer.read_text("utf-8")


def _variables(place: InstallContext) -> dict[str, str]:
    kept = {name: value for name, value in place.environ.items() if not _OURS.fullmatch(name)}
    mirror = index_env.variables(place.environ).get("UV_DEFAULT_INDEX", "")
    return {
        # For the usual index, which a lock names with its address.
        **({"PIPENV_PYPI_MIRROR": mirror} if mirror else {}),
        **kept,
        "PIPENV_CACHE_DIR": str(place.scratch / "pipenv"),
        "PIPENV_IGNORE_VIRTUALENVS": "1",
        "PIPENV_DONT_LOAD_ENV": "1",
        "PIPENV_NOSPIN": "1",
    }


def _categories(settings: Settings) -> tuple[str, ...]:
    chosen = " ".join(("packages", *_chosen(settings)))
    return ("--categories", chosen) if _chosen(settings) else ()


def _chosen(settings: Settings) -> tuple[str, ...]:
    return tuple("dev-packages" if name == "dev" else name for name in settings.groups)


def _sections(asked: PipenvExport) -> list[Mapping[str, object]]:
    """Return the parts of the lock that count.

    Raises what `forms.check` does, LockTooNew and UnknownGroup.
    """
    schema.check(asked.place.app_dir, _LOCK, _PIPFILE)
    document = _document(asked.place)
    _check_form(document, asked.program)
    groups = asked.settings.groups
    wanted = [_SECTIONS.get(name, name) for name in ("packages", *groups)]
    known = {name: one for name, one in document.items() if name != "_meta"}
    for name, section in zip(groups, wanted[1:], strict=True):
        if section not in known:
            raise UnknownGroup(_LOCK, "group", name, tuple(sorted(known.keys() - {"default"})))
    return [known.get(name, {}) for name in wanted]


def _document(place: InstallContext) -> dict[str, Mapping[str, object]]:
    """Return the tables of the lock, which has been checked."""
    document = json.loads((place.app_dir / _LOCK).read_text("utf-8-sig"))
    return {name: one for name, one in document.items() if isinstance(one, dict)}


def _check_form(document: Mapping[str, Mapping[str, object]], program: Program) -> None:
    """Refuse a form that came after our Pipenv, which does not look. Raises LockTooNew."""
    form = document.get("_meta", {}).get("pipfile-spec")
    if isinstance(form, int) and form > _FORM and program.is_locked:
        raise LockTooNew(_LOCK, _NAME, (f'"pipfile-spec": {form}',))


def _places(section: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield place and name of each package of *section* that is not from an index."""
    for name, entry in section.items():
        if isinstance(entry, dict):
            for key in ("path", "file"):
                if isinstance(place := entry.get(key), str):
                    yield place, name


def _lines(said: str) -> list[str]:
    return [line.strip() for line in said.splitlines() if line.strip()]


def _named(line: str, names: Mapping[str, str]) -> str:
    """Return *line* with the name of what it asks for, and in words that uv understands.

    Pipenv leaves out the names of files and directories. uv knows no editable repositories; what
    is in it is the same.
    """
    editable = line.startswith("-e ")
    wanted, mark, marker = line.removeprefix("-e ").partition("; ")
    if egg := re.search(r"#egg=([\w.-]+)", wanted):
        address = _FRAGMENT.sub("#", wanted).rstrip("#").partition(" --hash")[0]
        return f"{egg[1]} @ {address}{mark}{marker}"
    place, space, hashes = wanted.partition(" --hash")
    name = names.get(place) or names.get(place.removeprefix("./"))
    if not name:
        return line
    if editable:
        return f"-e {place}#egg={name}{mark}{marker}"
    return f"{name} @ {place}{mark}{marker}{space}{hashes}"


def _note_finding(place: InstallContext, lines: Sequence[str]) -> None:
    """Keep what *lines* say of where to look, for installing."""
    found = (line for line in lines if line.startswith(_FINDING))
    (place.scratch / "Pipfile.sources").write_text("\n".join(found), encoding="utf-8")


def _found(place: InstallContext) -> list[str]:
    return (place.scratch / "Pipfile.sources").read_text("utf-8").splitlines()


def _sources(place: InstallContext) -> uv.UvSources:
    lines = (pipenv_sources.expanded(line, place.environ) for line in _found(place))
    return _as_uv(lines, place)


def _as_uv(lines: Iterable[str], place: InstallContext) -> uv.UvSources:
    return uv.UvSources(is_own=False, variables=index_env.found_by(lines, place.environ))
