"""The settings: their table and their defaults.

A `BP_PYTHON_*` variable or a key of `[tool.cnb-python]` in `pyproject.toml` gives a setting.
To add one: a field with its default in `Settings`, a row in `TABLE`, `make docs`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from cnb_python.cnb.context import EXEC_ENVS
from cnb_python.config.build_commands import BuildCommand, BuildCommands
from cnb_python.config.kinds import (
    Age,
    Commands,
    Directory,
    EnvironmentVariables,
    Flag,
    Names,
    OneOf,
    Seconds,
    Setting,
    SettingOrigin,
    Text,
    UrlPath,
    Variable,
)
from cnb_python.system.limits import DEFAULT_LIMITS, Limits

FILE = "pyproject.toml"
TOOL = "cnb-python"
PREFIX = "BP_PYTHON_"

VERSION = "BP_PYTHON_VERSION"
LAYOUT = "BP_PYTHON_LAYOUT"
INSTALLER = "BP_PYTHON_INSTALLER"
BUILD = "BP_PYTHON_BUILD"
FULL = "BP_PYTHON_FULL"
COLLECTSTATIC = "BP_PYTHON_COLLECTSTATIC"
COLLECTSTATIC_ENV = "BP_PYTHON_COLLECTSTATIC_ENV"
LIBRARIES = "BP_PYTHON_LIBRARIES"
SYSTEM_PACKAGES = "BP_PYTHON_SYSTEM_PACKAGES"
STICKY = "BP_PYTHON_STICKY"
MIRROR = "BP_PYTHON_MIRROR"
PROJECT = "BP_PYTHON_PROJECT"
EXEC_ENV = "BP_PYTHON_EXEC_ENV"

COOLDOWN = "BP_PYTHON_COOLDOWN"
AUDIT = "BP_PYTHON_AUDIT"
VEX = "BP_PYTHON_VEX"

LINKED, MERGED = "linked", "merged"
ERROR, WARN, IGNORE = "error", "warn", "ignore"
STOP, OFF = "stop", "off"
SEVERITIES = ("low", "medium", "high", "critical")
AUTO, PIP, UV = "auto", "pip", "uv"
MANAGERS = (AUTO, PIP, "pipenv", "poetry", UV, "pdm", "pylock", "project")

TABLE: tuple[Setting, ...] = (
    Setting(
        "python",
        VERSION,
        Text("3.14"),
        "The Python version. It wins over every file of the app that names one.",
    ),
    Setting(
        "sticky",
        STICKY,
        Flag(),
        "For an app that names no Python version: stay on the release line of the previous build "
        "when the default changes. If the app names a range, prefer that line within the range.",
    ),
    Setting(
        "manager",
        "BP_PYTHON_MANAGER",
        OneOf(MANAGERS),
        "The package manager whose files are used. Needed if the app has the files of several.",
    ),
    Setting(
        "poetry",
        "BP_PYTHON_POETRY",
        Text("2.1.3"),
        "The release of Poetry that reads `poetry.lock`, or a range of releases. It wins over "
        "`requires-poetry`.",
    ),
    Setting(
        "pipenv",
        "BP_PYTHON_PIPENV",
        Text("2026.0.3"),
        "The release of Pipenv that reads `Pipfile.lock`, or a range of releases.",
    ),
    Setting(
        "pdm",
        "BP_PYTHON_PDM",
        Text("2.26.0"),
        "The release of PDM that reads `pdm.lock`, or a range of releases.",
    ),
    Setting(
        "requirements",
        "BP_PYTHON_REQUIREMENTS",
        Names(("requirements/base.txt", "requirements/web.txt")),
        "Requirements files to install from, in place of `requirements.txt`.",
    ),
    Setting(
        "groups",
        "BP_PYTHON_GROUPS",
        Names(("web", "worker")),
        "Dependency groups to install in addition to the app's own dependencies.",
    ),
    Setting(
        "extras",
        "BP_PYTHON_EXTRAS",
        Names(("postgres", "s3")),
        "Extras of the app's own project to install.",
    ),
    Setting(
        "exec_env",
        EXEC_ENV,
        OneOf(EXEC_ENVS),
        "What the image is for. `test` adds the packages for tests and the process `test`; "
        "`development` adds the same packages and restarts the app when its code changes. The "
        "default is what the platform sets in `CNB_EXEC_ENV`, or else `production`.",
    ),
    Setting(
        "dev_groups",
        "BP_PYTHON_DEV_GROUPS",
        Names(("test", "lint")),
        "Dependency groups to add to images for tests and development, instead of those with "
        "usual names such as `dev` and `test`.",
    ),
    Setting(
        "dev_extras",
        "BP_PYTHON_DEV_EXTRAS",
        Names(("test",)),
        "Extras to add to images for tests and development, instead of those with usual names "
        "such as `dev` and `test`.",
    ),
    Setting(
        "dev_requirements",
        "BP_PYTHON_DEV_REQUIREMENTS",
        Names(("requirements/ci.txt",)),
        "Requirements files to add to images for tests and development, instead of those with "
        "usual names such as `requirements-dev.txt`.",
    ),
    Setting(
        "project",
        PROJECT,
        Directory("services/api"),
        "The directory of the app in a repository that holds several projects. The rest of the "
        "repository is in the image too.",
    ),
    Setting(
        "installer",
        INSTALLER,
        OneOf((AUTO, PIP, UV)),
        "The program that installs a `requirements.txt`. `auto` takes uv if it installs the same "
        "packages as pip, and pip otherwise.",
    ),
    Setting(
        "layout",
        LAYOUT,
        OneOf((LINKED, MERGED)),
        "How packages are spread over layers. `linked` puts them into several layers, so that a "
        "change of one package makes only its layer new. `merged` puts them all into one layer of "
        "ordinary files.",
    ),
    Setting(
        "build",
        BUILD,
        Flag(),
        "Make Python and the packages available to later buildpacks during the build.",
    ),
    Setting(
        "full",
        FULL,
        Flag(),
        "Keep libpython, C headers and build settings of Python in the image, for programs that "
        "load libpython without being linked with it, and for code that compiles C when it runs.",
    ),
    Setting(
        "system_packages",
        SYSTEM_PACKAGES,
        Names(("libgl1", "ffmpeg")),
        "Debian or Ubuntu packages that the image needs, such as those with shared libraries. "
        "They are unpacked into a layer, with what they depend on.",
    ),
    Setting(
        "libraries",
        LIBRARIES,
        OneOf((ERROR, WARN, IGNORE)),
        "What to do if a package needs a shared library that does not exist: stop the build "
        "(`error`, the default), `warn`, or `ignore`.",
    ),
    Setting(
        "collectstatic",
        COLLECTSTATIC,
        Flag(),
        "Run collectstatic during the build of a Django app. On by default.",
    ),
    Setting(
        "collectstatic_env",
        COLLECTSTATIC_ENV,
        EnvironmentVariables(),
        "Variables that only collectstatic gets, for settings that read them without a default. "
        "They win over other variables of the build. Values in `pyproject.toml` must not be "
        "secrets: the file is in the repository and in the image.",
    ),
    Setting(
        "collectstatic_secret_key",
        "BP_PYTHON_COLLECTSTATIC_SECRET_KEY",
        Flag(),
        "Give collectstatic alone a random `SECRET_KEY` if that variable is not set.",
    ),
    Setting(
        "collectstatic_record",
        "BP_PYTHON_COLLECTSTATIC_RECORD",
        Flag(),
        "Record what collectstatic reads, and run it again only if some of that has changed. On "
        "by default.",
    ),
    Setting(
        "collectstatic_on_demand",
        "BP_PYTHON_COLLECTSTATIC_ON_DEMAND",
        Flag(),
        "When collectstatic runs again and the packages are in the previous image, write only "
        "those of their files to disk that it read before, and others when it reads them. On by "
        "default.",
    ),
    Setting(
        "commands",
        "BP_PYTHON_COMMANDS",
        BuildCommands(),
        "Commands that the build runs before collectstatic, with the files that they read and "
        "make. What a command made is reused if nothing that it depends on has changed.",
    ),
    Setting(
        "start",
        "BP_PYTHON_START",
        Text("gunicorn shop.wsgi"),
        "The command of the process `web`, as in a `Procfile`. It wins over `processes`, the "
        "`Procfile` and what is found in the code; other processes stay as they are.",
    ),
    Setting(
        "processes",
        "BP_PYTHON_PROCESSES",
        Commands(),
        "Commands of processes by their types, as in a `Procfile`. They win over the `Procfile` "
        "and what is found in the code; processes of other types stay as they are. An empty "
        'command leaves a process out of the image: `release = ""`.',
    ),
    Setting(
        "health",
        "BP_PYTHON_HEALTH",
        UrlPath("/healthz"),
        "The path at which the app answers when it is healthy. The image then has a process "
        "`health`, which exits with 0 if the answer has a status of 200 to 399, else with 1.",
    ),
    Setting(
        "safe_path",
        "BP_PYTHON_SAFE_PATH",
        Flag(),
        "Set `PYTHONSAFEPATH=1` for each process whose command works with it: no file in the "
        "app's directory then replaces a module of the standard library or of a package.",
    ),
    Setting(
        "keep",
        "BP_PYTHON_KEEP",
        Names((".git", ".venv")),
        "Files and directories to keep in the image that are otherwise removed from the app: "
        "virtual environments, bytecode, `.git`. A name applies in every directory; a path counts "
        "from the top of the app.",
    ),
    Setting(
        "idle_timeout",
        "BP_PYTHON_IDLE_TIMEOUT",
        Seconds(3600),
        "The number of seconds without progress after which a program of the build is ended: a "
        "package manager, a hook, collectstatic, a command of yours. It makes no progress if it "
        "prints nothing, uses less than 1% of a processor, and writes less than 4 kB per second. "
        "A program that prints, but does no more than that, has eight times as long. 1800 by "
        "default; 0 means no limit.",
    ),
    Setting(
        "timeout",
        "BP_PYTHON_TIMEOUT",
        Seconds(7200),
        "The number of seconds after which a program of the build is ended even if it makes "
        "progress. 86400 (a day) by default; 0 means no limit.",
    ),
    Setting(
        "cooldown",
        COOLDOWN,
        Age("7 days"),
        "How old a release must be before it is installed, by the upload time that the index "
        "has. A younger release stops the build before it is installed.",
    ),
    Setting(
        "cooldown_except",
        "BP_PYTHON_COOLDOWN_EXCEPT",
        Names(("company-tools", "django")),
        "Packages that `cooldown` does not apply to: your own, or those of an index that has no "
        "upload times.",
    ),
    Setting(
        "audit",
        AUDIT,
        OneOf((STOP, WARN, OFF)),
        "What to do if a package has a known vulnerability: `stop` the build, or `warn`, the "
        "default. Packages that are known to be malware stop the build in both cases. `off` "
        "turns the audit off. The records come from a service binding of type `osv`.",
    ),
    Setting(
        "audit_severity",
        "BP_PYTHON_AUDIT_SEVERITY",
        OneOf(SEVERITIES),
        "With `audit` set to `stop`: the lowest severity that stops the build. Less severe "
        "vulnerabilities are warnings. The default is `low`. A vulnerability of unknown severity "
        "always stops it.",
    ),
    Setting(
        "vex",
        VEX,
        Names(("security/shop.openvex.json",)),
        "Files of the app that say which vulnerabilities do not affect it, as OpenVEX or "
        "CycloneDX documents, in place of `vex.json` and `.vex/*.json`.",
    ),
    Setting(
        "mirror",
        MIRROR,
        Text("https://mirror.example.org/python"),
        "Where Python is downloaded from: the URL or path of a mirror of the releases of "
        "python-build-standalone, or of a table of your own builds (`.../python.toml`).",
    ),
)


class Settings(NamedTuple):
    """The value of every setting; each field has the name and the default of its setting."""

    python: str = ""
    sticky: bool = False
    manager: str = AUTO
    poetry: str = ""
    pipenv: str = ""
    pdm: str = ""
    requirements: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()
    exec_env: str = ""
    """Empty: what the platform sets."""
    dev_groups: tuple[str, ...] = ()
    dev_extras: tuple[str, ...] = ()
    dev_requirements: tuple[str, ...] = ()
    project: str = ""
    """Relative to the top of the app, without a slash at its end; empty: the top."""
    installer: str = AUTO
    layout: str = LINKED
    build: bool = False
    full: bool = False
    system_packages: tuple[str, ...] = ()
    libraries: str = ERROR
    collectstatic: bool = True
    collectstatic_env: tuple[Variable, ...] = ()
    collectstatic_secret_key: bool = False
    collectstatic_record: bool = True
    collectstatic_on_demand: bool = True
    commands: tuple[BuildCommand, ...] = ()
    start: str = ""
    processes: tuple[str, ...] = ()
    """Lines such as `web: gunicorn app:app`."""
    health: str = ""
    safe_path: bool = False
    keep: tuple[str, ...] = ()
    idle_timeout: int = DEFAULT_LIMITS.idle
    """In seconds; 0: no limit."""
    timeout: int = DEFAULT_LIMITS.total
    """In seconds; 0: no limit."""
    cooldown: str = ""
    """`7 days` or `36 hours`; empty: no age is required."""
    cooldown_except: tuple[str, ...] = ()
    audit: str = ""
    """Empty: `warn` if there are records."""
    audit_severity: str = SEVERITIES[0]
    vex: tuple[str, ...] = ()
    """Empty: the files with the usual names."""
    mirror: str = ""
    origins: Mapping[str, SettingOrigin] = MappingProxyType({})
    """Where each setting that was given comes from, by the setting's name."""

    @property
    def decider(self) -> str:
        """The name of the chosen manager: pip if requirements files are given, or `auto`."""
        return PIP if self.manager == AUTO and self.requirements else self.manager

    @property
    def limits(self) -> Limits:
        """The limits of the programs that the build runs."""
        return Limits(self.idle_timeout, self.timeout)

    def named(self, name: str) -> str:
        """Return what messages call the setting *name*: with its origin, or its variable."""
        variable = next(setting.variable for setting in TABLE if setting.name == name)
        origin = self.origins.get(name)
        return f"{name} ({origin})" if origin and origin.name != variable else variable


DEFAULTS = Settings()
