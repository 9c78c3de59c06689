"""Every leaf that has words of its own: what `messages.describe` must know."""

from cnb_python.errors.bindings import BindingFailure
from cnb_python.errors.building import BuildingFailure
from cnb_python.errors.choosing import ChoiceFailure
from cnb_python.errors.finding import FindingFailure
from cnb_python.errors.frameworks import FrameworkFailure
from cnb_python.errors.inputs import InputFailure
from cnb_python.errors.install import InstallFailure
from cnb_python.errors.launch import LaunchFailure
from cnb_python.errors.locks import LockFailure
from cnb_python.errors.machine import MachineFailure
from cnb_python.errors.network import NetworkFailure
from cnb_python.errors.programs import ProgramFailure
from cnb_python.errors.python import PythonFailure
from cnb_python.errors.runtimes import RuntimeFailure
from cnb_python.errors.settings import SettingFailure

type Failure = (
    InputFailure
    | ChoiceFailure
    | BindingFailure
    | LockFailure
    | SettingFailure
    | ProgramFailure
    | MachineFailure
    | InstallFailure
    | FindingFailure
    | BuildingFailure
    | NetworkFailure
    | FrameworkFailure
    | PythonFailure
    | RuntimeFailure
    | LaunchFailure
)
