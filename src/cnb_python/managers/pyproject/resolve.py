"""Has uv resolve what a project declares, for this build alone."""

from cnb_python.config.settings import Settings
from cnb_python.managers import install_locked
from cnb_python.managers.base import InstallContext, Resolution
from cnb_python.managers.install_locked import Choice
from cnb_python.managers.uv import commands as uv
from cnb_python.system.interface import Command, Run

_PYPROJECT = "pyproject.toml"


def resolve(
    settings: Settings, place: InstallContext, run: Run, *, is_package: bool
) -> Resolution:
    """Return what uv takes for the project of the app. Raises what it says went wrong.

    *is_package*: the project itself is installed too, editable.
    """
    lock = place.scratch / "pylock.toml"
    # uv keeps the choices of a file that is there.
    lock.unlink(missing_ok=True)
    own = uv.own_place(place, as_pip=True)
    if is_package:
        extras = f"[{','.join(settings.extras)}]" if settings.extras else ""
        source = place.scratch / "project.in"
        source.write_text(f"-e {place.app_dir}{extras}\n", encoding="utf-8")
        words: list[str] = []
    else:
        source = place.app_dir / _PYPROJECT
        words = [word for name in settings.extras for word in ("--extra", name)]
    words += [word for name in settings.groups for word in ("--group", name)]
    command = Command(
        (
            *(str(own.uv), "pip", "compile", "--quiet", "--format", "pylock.toml", "--no-header"),
            *("--generate-hashes", *words, "--output-file", str(lock), str(source)),
            *uv.options(own),
        ),
        own.environ,
        own.app_dir,
        shown=" ".join(("uv pip compile", *words, "-e ." if is_package else _PYPROJECT)),
    )
    outcome = run(command)
    if outcome.code:
        raise uv.explain(command, outcome, place)
    return install_locked.read_lock(lock, Choice(place.python, ""))
