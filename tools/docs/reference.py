"""Writes the pages of `docs/` that are read off the code, for `make docs`.

A test keeps them equal to what the code says.
"""

import io

from cnb_python.config.kinds import Setting, Value
from cnb_python.config.settings import DEFAULTS, TABLE
from cnb_python.errors.base import AppError, Failure
from cnb_python.preflight import CONTRADICTING, MISPLACING
from cnb_python.system.output import Console
from tools.docs.error_samples import samples
from tools.package import assemble

DOCS = assemble.ROOT / "docs"
_MADE = "<!-- Made by `make docs` from {}: change that. -->"

_SETTINGS = f"""# Settings

{_MADE.format("src/cnb_python/config/settings.py")}

Each setting has a name in the table `[tool.cnb-python]` of the app's `pyproject.toml`, and a
build-time variable (`pack build --env NAME=VALUE`, `project.toml`, the platform):

```toml
[tool.cnb-python]
python = "3.13"
groups = ["web"]
```

```sh
pack build shop --env BP_PYTHON_VERSION=3.13 --env BP_PYTHON_GROUPS=web
```

A variable comes before `pyproject.toml`; with `project`, the `pyproject.toml` of that directory
comes before the one at the top. An empty variable says nothing. In a variable, lists have commas
or spaces between their names; yes and no are `1`, `true`, `yes` and `0`, `false`, `no`.

A name that no setting has, also of a variable that starts with `BP_PYTHON_`, stops the build with
the nearest one that exists, and so does a value of another kind. What is chosen and is no default
is shown at the start of the build, with who chose it:

```
Settings
  groups = web, by pyproject.toml, line 12
  layout = merged, by BP_PYTHON_LAYOUT
```

"""


_REFUSED = """
## Variables that are refused

All that are set stop the build together, unless they are empty, `0`, `false`, `no` or `off`. Other
variables of the tools reach them: indexes, logins, certificates, proxies, constraints. What says
where tools keep their files (`UV_CACHE_DIR`, `POETRY_HOME`, ...) and every `PYTHON*` variable does
not reach them, and does no harm.

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
    head = "| name | variable | value | default | meaning |\n|---|---|---|---|---|\n"
    rows = "".join(_row(setting) for setting in TABLE)
    refused = "".join(
        f"| `{name}` | {reason} |\n" for name, reason in (MISPLACING | CONTRADICTING).items()
    )
    return _SETTINGS + head + rows + _REFUSED + refused


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


def _row(setting: Setting) -> str:
    default = _default(DEFAULTS._asdict()[setting.name])
    cells = (
        f"`{setting.name}`",
        f"`{setting.variable}`",
        setting.kind.in_toml,
        default,
        setting.meaning,
    )
    return f"| {' | '.join(cells)} |\n"


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
