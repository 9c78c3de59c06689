"""Who wants to see Python and the packages while the image is built."""

from cnb_python.cnb import toml
from cnb_python.cnb.context import BuildContext
from cnb_python.cnb.plan import merged
from cnb_python.errors.inputs import UnreadableToml
from cnb_python.plan import PYTHON
from cnb_python.settings import Settings

_PROJECT = "project.toml"


def asked_by(context: BuildContext, settings: Settings) -> str:
    """Return who asked, as a phrase: `the setting BP_PYTHON_BUILD`; empty where nobody did."""
    if settings.build:
        return f"the setting {settings.named('build')}"
    if True in merged(context.plan, PYTHON).get("build", ()):
        return "another buildpack"
    if _adds_buildpacks(context):
        return f"the buildpacks that {_PROJECT} adds"
    return ""


def _adds_buildpacks(context: BuildContext) -> bool:
    """Whether the app's project descriptor adds buildpacks, which cannot say what they need.

    https://github.com/buildpacks/spec/blob/main/extensions/project-descriptor.md
    """
    path = context.app_dir / _PROJECT
    try:
        table = toml.read(path) if path.is_file() else {}
    except UnreadableToml:
        return False  # pack has read it before us, and says so
    buildpacks = toml.table_at(toml.table_at(table, "io"), "buildpacks")
    own, after = buildpacks.get("group"), toml.table_at(buildpacks, "post").get("group")
    # A group in place of the builder's has us in it.
    return bool(after) or (isinstance(own, list) and len(own) > 1)
