"""What an environment depends on besides the packages themselves."""

from dataclasses import dataclass
from pathlib import Path

from cnb_python.cnb.context import BuildContext
from cnb_python.config.settings import Settings
from cnb_python.layers.reuse import LayerKey, part
from cnb_python.managers.build_settings import settings_digest
from cnb_python.version.inventory import Release

# To be raised with every change of what becomes of an installed package: of its bytes, of the
# store's form, of shares and links.
FORMAT = "2"


@dataclass(frozen=True, slots=True)
class EnvironmentKey(LayerKey):
    """Equal keys and equal decisions are equal environments.

    Not the patch release of Python: a security release changes the interpreter alone. Where a
    decision depends on it, `Record.patch` says so.
    """

    format: str = part("form of the environment")
    python: str = part("Python line")
    flavour: str = part("flavour of Python")
    os: str = part("operating system")
    arch: str = part("processor")
    distro: str = part("distribution of the image")
    directory: str = part("directory of the layers")
    tools: str = part("version of the installing tools")
    building: str = part("digest of the settings for builds from source")


@dataclass(frozen=True, slots=True)
class OutcomeKey(LayerKey):
    """What may differ while every kept package is still of use."""

    manager: str = part("package manager")
    installer: str = part("installer")
    layout: str = part("layout")
    exec_env: str = part("execution environment")
    app: str = part("directory of the app")


def environment_key(
    release: Release, context: BuildContext, tools: str, project: Path
) -> EnvironmentKey:
    """Return the key of everything that was installed for *release* in the directory *project*.

    *tools* are those that install: `pip 26.3, uv 0.13.8`.
    """
    target = context.target
    return EnvironmentKey(
        format=FORMAT,
        python=release.minor,
        flavour=release.flavour,
        os=target.os,
        arch=" ".join(filter(None, (target.arch, target.arch_variant))),
        distro=target.distro,
        directory=str(context.layers_dir),
        tools=tools,
        building=settings_digest(context.environ, project),
    )


def outcome_key(manager: str, settings: Settings, context: BuildContext) -> OutcomeKey:
    """Return what else the image's environment depends on."""
    return OutcomeKey(
        manager=manager,
        installer=settings.installer,
        layout=settings.layout,
        exec_env=context.exec_env,
        app=str(context.app_dir / settings.project),
    )
