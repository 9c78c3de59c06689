"""Starts processes of a staged app as Cloud Foundry does.

Its program is https://github.com/cloudfoundry/cnbapplifecycle, which has the library of the pinned
lifecycle: `cmd/launcher/cli` decides what is started, and `pkg/staging` names the commands.
"""

import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.lifecycles.registry_builds import RegistryPlatform
from tests.support.builds import free_port
from tools.platforms.sandbox import Bind, Sandbox, kill, start
from tools.platforms.serving import Served

_LIFECYCLE = "/tmp/lifecycle"


def process_types(staging: RegistryPlatform) -> dict[str, str]:
    """Return the command of each type of process, as the result of the staging has it: a text."""
    metadata = (staging.work / "fresh/layers/config/metadata.toml").read_text()
    return {
        process["type"]: " ".join((*process["command"], *process.get("args", ())))
        for process in tomllib.loads(metadata)["processes"]
    }


@contextmanager
def started(
    staging: RegistryPlatform, command: str, env: Mapping[str, str], *, task: bool = False
) -> Iterator[Served]:
    """Run *command* in the droplet of the last staging, with the variables *env*.

    The text of a type's command starts that type, unless it is the command of a *task*. All other
    texts run in a shell.
    """
    types = {} if task else {text: name for name, text in process_types(staging).items()}
    name = types.get(command, "launcher")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="droplet-") as directory:
        folder = Path(directory)
        folder.chmod(0o755)
        for part in ("scratch", "programs"):
            (folder / part).mkdir()
        # The launcher starts the type that it is called by.
        (folder / "programs" / name).symlink_to("/cnb/lifecycle/launcher")
        room = _container(staging, folder, {**env, "PORT": str(port)})
        arguments = () if command in types else (command,)
        log = folder / "log"
        with log.open("wb") as file:
            process = start(room, f"{_LIFECYCLE}/{name}", *arguments, output=file.fileno())
        try:
            yield Served(process, port, log)
        finally:
            kill(process)
            process.wait()


def _container(staging: RegistryPlatform, folder: Path, env: Mapping[str, str]) -> Sandbox:
    platform, home = staging.platform, staging.home
    return Sandbox(
        lower=(platform.run_rootfs,),
        scratch=folder / "scratch",
        binds=(
            Bind(platform.lifecycle, "/cnb/lifecycle"),
            Bind(folder / "programs", _LIFECYCLE),
            *(
                Bind(staging.work / "fresh" / name, f"{home}/{name}", writable=True)
                for name in ("layers", "workspace")
            ),
        ),
        tmpfs=("/var/tmp",),
        user=platform.user,
        group=platform.group,
        confined=True,
        env={
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": f"{home}/workspace",
            "USER": "vcap",
            "CNB_LAYERS_DIR": f"{home}/layers",
            "CNB_APP_DIR": f"{home}/workspace",
            "CNB_PLATFORM_API": staging.api,
            **env,
        },
        directory=home,
    )
