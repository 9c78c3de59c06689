"""Collects the static files of a Django project, or has the store give what it has of them."""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cnb_python.cnb import disk
from cnb_python.environment.places import VENV
from cnb_python.errors import CollectstaticFailed, DamagedStore, Killed
from cnb_python.frameworks import asking, causes, tree, variables
from cnb_python.frameworks.running import run
from cnb_python.frameworks.tree import Listing
from cnb_python.provided import Added, Environment
from cnb_python.system.outside import Command, System

MANAGE = "manage.py"
SWITCH = "DISABLE_COLLECTSTATIC"
TITLE = "Static files"
SHOWN = "python manage.py collectstatic --noinput"
_DJANGO = "django"
_STATICFILES = "django.contrib.staticfiles"
_DEPTH = 3
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "venv", "env"})
# Sizes of a generated file and of a salt.
_MOST_BYTES = 64 * 1024
_SALT_BYTES = 16
# To be raised when the same app gives other files by our doing.
_FORMAT = "1"


class Off(NamedTuple):
    """Nothing is collected."""

    reason: str


@dataclass(slots=True)
class Static:
    """The static files of one build."""

    manage: Path
    before: Listing
    """The app as it was before anything ran."""
    noted: str
    """What to note when the files come of exactly this app: `<salt> <digest>`, in hex."""
    brought: int | None = None
    """How many files came from the store; None: it does not have them."""

    @property
    def key(self) -> str:
        """What the store has them under."""
        return f"static-{self.noted.partition(' ')[2]}"


def find(environment: Environment) -> Static | Off | None:
    """Return what there is to collect, None for an app without Django.

    What the store has of exactly this app is put in its place. Raises DiskFull and OSError.
    """
    if _DJANGO not in environment.distributions:
        return None
    job = environment.job
    switch = job.context.environ.get(SWITCH, "")
    if switch not in {"", "0"}:
        return Off(f"Not collecting static files: {SWITCH} is set")
    if not job.settings.collectstatic:
        return Off(f"Not collecting static files: so says {job.settings.named('collectstatic')}")
    manage = find_manage(job.project.directory)
    if manage is None:
        return Off(f"Not collecting static files: there is no {MANAGE}")
    return _brought(environment, _static(environment, manage))


def find_manage(directory: Path) -> Path | None:
    """Return the highest `manage.py` of Django in *directory*, at most three levels down."""
    return next((path for path in _candidates(directory) if _is_django(path)), None)


def collect(environment: Environment, static: Static, system: System) -> Added:
    """Run `collectstatic` where the store did not have the files already.

    Raises CollectstaticFailed with the likely cause, Killed, DiskFull and OSError.
    """
    if static.brought is not None:
        files = f"{static.brought} static files" if static.brought else "Nothing to collect"
        system.output.line(f"{files} as they were: the app, its packages and variables are, too")
        return Added(trees=frozenset({static.key}), collected=static.noted)
    answer = _run(environment, static, system)
    command = answer.get("command")
    if command is None:
        system.output.line(f"Nothing to collect: {_STATICFILES} is not in INSTALLED_APPS")
    root = _shown_root(answer, environment.job.context.app_dir, system)
    if command in {None, _STATICFILES} and (command is None or root):
        return _keep(environment, static)
    return Added()


def _candidates(directory: Path) -> Iterator[Path]:
    """Yield every `manage.py`, the highest first."""
    level = [directory]
    for _ in range(_DEPTH + 1):
        yield from (found for one in level if (found := one / MANAGE).is_file())
        level = [below for one in level for below in _subdirectories(one)]


def _subdirectories(directory: Path) -> list[Path]:
    with os.scandir(directory) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False)
            and entry.name not in _SKIPPED
            and not entry.name.startswith(".")
        )
    return [directory / name for name in names]


def _is_django(path: Path) -> bool:
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES).lower()
    # Those of other frameworks are called so, too; django-configurations has its own.
    return b"django" in content or b"configurations" in content


def _static(environment: Environment, manage: Path) -> Static:
    context = environment.job.context
    before = tree.listing(context.app_dir)
    salt = environment.collected.partition(" ")[0]
    salt = salt if _is_salt(salt) else secrets.token_hex(_SALT_BYTES)
    rest = "\0".join(
        (
            _FORMAT,
            environment.job.release.version,
            environment.job.release.flavour,
            *(f"{name} {digest}" for name, digest in sorted(environment.layers.items())),
            *(context.target.os, context.target.arch, context.target.distro),
            str(manage.relative_to(context.app_dir)),
            tree.digest(before),
        )
    )
    found = variables.digest(context.environ, rest, bytes.fromhex(salt))
    return Static(manage, before, f"{salt} {found}")


def _is_salt(text: str) -> bool:
    return len(text) == 2 * _SALT_BYTES and all(char in "0123456789abcdef" for char in text)


def _brought(environment: Environment, static: Static) -> Static:
    if static.noted != environment.collected:
        return static
    store = environment.store()
    if store.has_tree(static.key):
        try:
            static.brought = store.bring_tree(static.key, environment.job.context.app_dir)
        except DamagedStore:
            return static
    return static


def _run(environment: Environment, static: Static, system: System) -> dict[str, object]:
    job = environment.job
    venv = job.context.layers_dir / VENV
    answer = disk.draft_of(job.context.layers_dir / "answer")
    argv = (str(venv / "bin/python"), asking.__file__, str(static.manage), str(answer))
    env = variables.of_the_app(
        job.context.environ, venv, job.runtime.interpreter.path, job.project.directory
    )
    directory = static.manage.parent
    shown = SHOWN
    if directory != job.context.app_dir:
        shown = f"{SHOWN}` in `{directory.relative_to(job.context.app_dir)}"
    try:
        outcome = run(Command(argv, env, directory, shown), system)
        found = _answer(answer)
    finally:
        answer.unlink(missing_ok=True)
    if outcome.code < 0:
        raise Killed(SHOWN, -outcome.code)
    if outcome.code:
        raise CollectstaticFailed(SHOWN, outcome.code, *causes.cause(outcome.output))
    return found


def _answer(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError, ValueError:
        return {"command": ""}
    return found if isinstance(found, dict) else {"command": ""}


def _shown_root(answer: dict[str, object], app_dir: Path, system: System) -> str:
    """Return where the files are in the app; empty, with a reason, when they are not there."""
    root = str(answer.get("root") or "")
    if not answer.get("command") or not answer.get("local") or not root:
        return ""
    if Path(root).is_relative_to(app_dir):
        return root
    system.output.warning(
        "Static files were collected outside the app",
        (
            f"STATIC_ROOT is {root}, and the image has {app_dir} only: they are lost.",
            "Set it to a directory of the project: BASE_DIR / 'staticfiles'.",
        ),
    )
    return ""


def _keep(environment: Environment, static: Static) -> Added:
    """Put what is new in the app into the store, unless something is gone that was there."""
    app_dir = environment.job.context.app_dir
    paths = tree.added(static.before, tree.listing(app_dir))
    if paths is None:
        return Added()
    tree.normalise(app_dir, paths)
    environment.store().put_tree(static.key, app_dir, frozenset(paths))
    return Added(trees=frozenset({static.key}), collected=static.noted)
