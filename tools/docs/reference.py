"""Writes the pages of `docs/` that are read off the code, for `make docs`.

A test keeps them equal to what the code says.
"""

import io
import textwrap

from cnb_python.config.kinds import Setting, Value
from cnb_python.config.settings import DEFAULTS, TABLE
from cnb_python.errors.base import AppError, Failure
from cnb_python.preflight import CONTRADICTING, MISPLACING
from cnb_python.system.output import Console
from tools.docs.error_samples import samples
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

Everything that stops a build, as it is shown, with likely names and versions. What is our own
fault is no part of this page: it is shown with a traceback, and we want to know of it.

"""


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
    return _ERRORS + "\n".join(map(_section, samples()))


def _section(failure: Failure) -> str:
    message = failure.describe()
    stream = io.StringIO()
    Console(stream).error(message.title, message.body, message.steps)
    who = "the app" if isinstance(failure, AppError) else "the surroundings of the build"
    meaning = (type(failure).__doc__ or "").partition("\n")[0]
    return (
        f"## {type(failure).__name__}\n\n{meaning} To be mended in {who}.\n\n"
        f"```\n{stream.getvalue().strip()}\n```\n"
    )


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
