"""Writes the pages of `docs/` that are read off the code, for `make docs`.

A test keeps them equal to what the code says.
"""

import io
import textwrap
from importlib import import_module

from cnb_python import errors
from cnb_python.config.kinds import Setting, Value
from cnb_python.config.settings import DEFAULTS, TABLE
from cnb_python.errors.base import AppError, Failure
from cnb_python.preflight import CONTRADICTING, MISPLACING
from cnb_python.system.output import Console
from tools.package import assemble

DOCS = assemble.ROOT / "docs"
_WIDTH = 100
_MADE = "<!-- Made by `make docs` from {}: change that. -->"

_SETTINGS = f"""# Settings

{_MADE.format("src/cnb_python/config/settings.py")}

A setting is a key in the table `[tool.cnb-python]` of the app's `pyproject.toml`, or a build-time
variable:

```toml title="pyproject.toml"
[tool.cnb-python]
python = "3.13"
groups = ["web"]
```

```console
$ pack build shop --env BP_PYTHON_VERSION=3.13 --env BP_PYTHON_GROUPS=web
```

- A variable wins over `pyproject.toml`. With `project`, the `pyproject.toml` in that directory
  wins over the one at the top.
- An empty variable has no effect.
- In a variable, items of a list are separated by commas or spaces. Yes is `1`, `true` or `yes`; no
  is `0`, `false` or `no`.
- An unknown key, an unknown variable that starts with `BP_PYTHON_`, or a value of the wrong type
  stops the build.

The log starts with the settings that differ from their defaults, and where each comes from.

"""


_REFUSED = """
## Variables that are refused

The build stops if one of these is set, and names all of them. Empty, `0`, `false`, `no` and `off`
count as not set.

All other variables of the tools work: indexes, logins, certificates, proxies, constraints. Two
kinds have no effect on the build: variables that choose where a tool keeps its files
(`UV_CACHE_DIR`, `POETRY_HOME`, ...), and all `PYTHON*` variables.

| name | reason |
|---|---|
"""

_ERRORS = f"""# Errors

{_MADE.format("src/cnb_python/errors/")}

Every error that stops a build, with an example of each. The examples come from real builds and
from the tests of this buildpack. The last line of an error in your log leads to its section here.

A bug of the buildpack itself is not on this page: the log shows it with a traceback, and asks you
to report it.
"""

# The modules of cnb_python.errors in the order of the page, with a heading and an introduction.
_FAMILIES = {
    "choosing": (
        "Missing or contradicting files",
        (
            "The buildpack finds the package manager by the app's files. It stops if there is "
            "none, if there are several, or if variables would change what is installed and where."
        ),
    ),
    "config": (
        "Settings, service bindings and the Procfile",
        (
            "All [settings](settings.md), service bindings and the Procfile are checked before "
            "anything is installed."
        ),
    ),
    "inputs": (
        "Files that cannot be read",
        (
            "A file of the app, of the platform or of the lifecycle is missing, damaged or in the "
            "wrong form."
        ),
    ),
    "python": (
        "Python versions",
        (
            "The version in `.python-version`, in a setting or in a file of the package manager "
            "is not valid, not supported or not available."
        ),
    ),
    "finding": (
        "Packages that are not found",
        (
            "The package index does not have what the app requires, or not for this Python and "
            "this kind of machine."
        ),
    ),
    "install": (
        "Packages that cannot be installed",
        "A requirement is not valid, or a package is damaged, changed or in conflict.",
    ),
    "building": (
        "Packages that cannot be built",
        "A package has no wheel for this Python, and building it from source failed.",
    ),
    "locks": (
        "Lock files",
        (
            "A lock file is not valid, out of date, or made for another Python. The buildpack "
            "never changes a lock file."
        ),
    ),
    "programs": (
        "Poetry, Pipenv and PDM",
        "The package manager could not be downloaded, or does not accept the app's files.",
    ),
    "network": (
        "Network, logins and certificates",
        "An index, a proxy, a server or a Git repository cannot be reached, or refuses access.",
    ),
    "frameworks": (
        "Steps that run the app's code",
        "Hooks in `bin/`, Django's collectstatic and NLTK's downloader run during the build.",
    ),
    "machine": (
        "Downloads, disk and memory",
        "The machine that runs the build, or a mirror, is at fault.",
    ),
}
# How words of headings are written, where it is not as in a sentence.
_NAMES = ("API", "JSON", "NLTK", "Poetry", "Procfile", "Python", "TOML", "URL", "UTF8", "uv")
_SPELLINGS = {name.lower(): name for name in _NAMES}


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8")


def pages() -> dict[str, str]:
    """Return what each page holds, by its name."""
    return {"settings.md": settings(), "errors.md": failures()}


def settings() -> str:
    """Return the page of settings."""
    sections = "\n".join(map(_setting, TABLE))
    refused = "".join(
        f"| `{name}` | {reason} |\n" for name, reason in (MISPLACING | CONTRADICTING).items()
    )
    return _SETTINGS + sections + _REFUSED + refused


def failures() -> str:
    """Return the page of errors."""
    return _ERRORS + "".join(map(_family, _FAMILIES))


def errors_of(family: str) -> tuple[type[Failure], ...]:
    """Return the error classes of the module *family*, in their order."""
    module = import_module(f"{errors.__name__}.{family}")
    return tuple(
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Failure)
        and kind.__module__ == module.__name__
        and "describe" in vars(kind)
    )


def all_errors() -> tuple[type[Failure], ...]:
    """Return every error class, family by family."""
    return tuple(kind for family in _FAMILIES for kind in errors_of(family))


def _family(name: str) -> str:
    heading, introduction = _FAMILIES[name]
    sections = "".join(map(_section, errors_of(name)))
    return f"\n## {heading}\n\n{textwrap.fill(introduction, _WIDTH)}\n{sections}"


def _section(kind: type[Failure]) -> str:
    meaning = (kind.__doc__ or "").partition("\n")[0]
    fix_in = (
        "your app" if issubclass(kind, AppError) else "the build environment (not in your app)"
    )
    return (
        f"\n### {_heading(kind)}\n\n{meaning}\n\nFix in: {fix_in}.\n\n"
        f"```\n{shown(kind.example())}\n```\n"
    )


def shown(failure: Failure) -> str:
    """Return *failure* as a log shows it, without the address of its section."""
    stream = io.StringIO()
    Console(stream).error(failure.describe())
    return stream.getvalue().strip()


def _heading(kind: type[Failure]) -> str:
    return " ".join(_SPELLINGS.get(word.lower(), word) for word in kind.heading().split())


def _setting(setting: Setting) -> str:
    default = _default(DEFAULTS._asdict()[setting.name])
    meaning = textwrap.fill(setting.meaning, _WIDTH, break_on_hyphens=False)
    return (
        f"## `{setting.name}`\n\n{meaning}\n\n"
        "| variable | value | default |\n|---|---|---|\n"
        f"| `{setting.variable}` | {setting.kind.in_toml} | {default} |\n"
    )


def _default(value: Value) -> str:
    match value:
        case bool():
            return "`true`" if value else "`false`"
        case str():
            return f'`"{value}"`' if value else "none"
        case tuple():
            return f"`{list(value)}`" if value else "none"


if __name__ == "__main__":
    main()
