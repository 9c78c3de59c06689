"""What this buildpack offers to, and asks of, the others in its group."""

from cnb_python.cnb.plan import BuildPlan, Require

# Required by ourselves too: a provide that nobody requires would fail the group.
# https://github.com/buildpacks/spec/blob/main/buildpack.md#phase-1-detection
PYTHON = "python"


def build_plan() -> BuildPlan:
    """Return the plan of an app that this buildpack takes part in."""
    return BuildPlan(provides=(PYTHON,), requires=(Require(PYTHON),))
