"""Runs a program in a copy-on-write view of a root file system, as a container engine would.

Uses namespaces of the kernel (`unshare`, util-linux). Mounts, processes and shared memory end
with the first process, however it ends, so nothing is left behind.
"""

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote

from tools.processes import fail, need_root

# Exit code of a failed set-up, which differs from those of the programs.
SETUP_FAILED = 125
# Only what enters the root may have these three, and none of what it starts: without a bounding
# set, a process of another user inherits nothing (capabilities(7)).
_CONFINED = (
    *("setpriv", "--inh-caps", "-all,+sys_chroot,+setuid,+setgid"),
    *("setpriv", "--bounding-set", "-all", "--no-new-privs"),
)
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")


@dataclass(frozen=True, slots=True)
class Bind:
    """A directory or file of the host, mounted at *target*."""

    source: Path
    target: str
    writable: bool = False


@dataclass(frozen=True, slots=True)
class Sandbox:
    """File systems, user and network of a program."""

    lower: tuple[Path, ...]
    """Lower directories of the overlay, the topmost first; never written to."""
    scratch: Path
    """An existing empty directory of the host, used as a mount point within the namespace."""
    binds: tuple[Bind, ...] = ()
    read_only: bool = False
    """Whether `/` is read-only (as with `docker run --read-only`), apart from binds."""
    tmpfs: tuple[str, ...] = ()
    """Where empty file systems in memory are mounted."""
    user: int = 0
    group: int = 0
    confined: bool = False
    """Whether its processes can never have a capability (as with `docker run --cap-drop ALL
    --security-opt no-new-privileges`).
    """
    umask: int = 0o022
    network: bool = True
    """Whether it has the host's network; else only a loopback device."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The program's whole environment."""
    directory: str = "/"
    has_programs: bool = True
    """Whether the lower directories have `env`; a run image without a shell lacks it."""


@dataclass(frozen=True, slots=True)
class Ended:
    """Output and exit code of a program: 128 and the number of the signal that ended it, if any.

    None: it was killed after the timeout.
    """

    code: int | None
    output: str


def argv(room: Sandbox, *program: str) -> list[str]:
    """Return the command that runs *program* in *room*."""
    spaces = ["--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child"]
    if not room.network:
        spaces.append("--net")
    # If this process is killed, the kernel kills unshare and its child, the shell, which is the
    # first process of a namespace, and so everything in it. It cannot be the program itself: a
    # process that changes its user loses its parent-death signal (prctl(2)).
    death = ["setpriv", "--pdeathsig", "KILL"]
    confined = _CONFINED if room.confined else ()
    inside = [*confined, *_inside(room), *program]
    return [*death, "unshare", *spaces, "sh", "-c", _script(room), "sh", *inside]


def _inside(room: Sandbox) -> list[str]:
    """Return the command that enters the root file system, and runs the program after it there."""
    env = ["/usr/bin/env", "-i"]
    variables = [f"{name}={value}" for name, value in room.env.items()]
    if not room.has_programs:
        enter = ["/usr/bin/unshare", "--root=root", f"--wd={room.directory}"]
        become = [f"--setgid={room.group}", f"--setuid={room.user}"]
        return [*env, *variables, *enter, *become]
    # An engine gives root the additional group root, which the lifecycle passes on.
    groups = "" if room.user else "0"
    become = [f"--userspec={room.user}:{room.group}", f"--groups={groups}"]
    return ["chroot", *become, "root", *env, "-C", room.directory, *variables]


def run(
    room: Sandbox,
    *program: str,
    timeout: float,
    on_line: Callable[[str], None] | None = None,
) -> Ended:
    """Run *program* in *room* until it ends, or kill it after *timeout* seconds."""
    process = start(room, *program, output=subprocess.PIPE)
    timer = threading.Timer(timeout, kill, [process])
    timer.start()
    lines = []
    try:
        with process:
            assert process.stdout is not None  # noqa: S101 - PIPE was asked for; for mypy
            for raw in process.stdout:
                lines.append(raw.decode(errors="replace"))
                if on_line:
                    on_line(lines[-1].rstrip("\n"))
    finally:
        late = timer.finished.is_set()
        timer.cancel()
        kill(process)
    output = "".join(lines)
    if process.returncode == SETUP_FAILED:
        fail(f"The sandbox could not be set up: {output.strip()}")
    return Ended(None if late else process.returncode, output)


def start(room: Sandbox, *program: str, output: int) -> subprocess.Popen[bytes]:
    """Start *program* in *room*; the caller ends it with `kill` or `terminate`."""
    need_root("Running the lifecycle without a container engine")
    return subprocess.Popen(
        argv(room, *program),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End the program and everything it started, at once."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def terminate(process: subprocess.Popen[bytes], patience: float) -> int | None:
    """Send SIGTERM to the program, as `docker stop` does, and wait.

    Returns the exit code (see `Ended`), or None if it had to be killed.
    """
    program = first_process(process)
    if program:
        os.kill(program, signal.SIGTERM)
    try:
        return process.wait(patience)
    except subprocess.TimeoutExpired:
        kill(process)
        process.wait()
        return None


def first_process(process: subprocess.Popen[bytes]) -> int | None:
    """Return the host's process id of the program; None before it starts and after it ends."""
    pids = [process.pid]
    # unshare, the shell that set up, unshare, the program.
    for _ in range(3):
        pids = [child for pid in pids for child in _children(pid)]
    return pids[0] if pids else None


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]
    except FileNotFoundError:
        return []


def _script(room: Sandbox) -> str:
    """Return the script for the new namespaces: set up, run the program, exit with its code."""
    root = room.scratch / "root"
    setup = [
        f"mount -t tmpfs -o mode=755 cnb-python {quote(str(room.scratch))}",
        f"cd {quote(str(room.scratch))}",
        "mkdir upper work root",
        f"mount -t overlay -o {quote(_layers(room))} cnb-python root",
        "mkdir -p root/proc root/dev",
        "mount -t tmpfs -o mode=755 dev root/dev",
        "mkdir root/dev/shm",
        "mount -t tmpfs -o mode=1777 shm root/dev/shm",
        *(
            f"touch root/dev/{name} && mount --bind /dev/{name} root/dev/{name}"
            for name in DEVICES
        ),
        "ln -s /proc/self/fd root/dev/fd",
        "ln -s /proc/self/fd/1 root/dev/stdout",
        "ln -s /proc/self/fd/2 root/dev/stderr",
        *(line for bind in _binds(room) for line in _bind(root, bind)),
        *(
            f"mkdir -p root{path} && mount -t tmpfs -o mode=1777 tmp root{path}"
            for path in room.tmpfs
        ),
        *(["mount -o remount,ro root"] if room.read_only else []),
        *([] if room.network else ["{ ip link set lo up || true; }"]),
    ]
    guarded = " &&\n".join(setup)
    # The program is the first process of a second namespace, as in a container; `argv` says why
    # not of the outer one.
    enter = f'mount -t proc proc root/proc && umask {room.umask:o} && exec "$@"'
    first = f'unshare --pid --mount --fork sh -c {quote(enter)} sh "$@"'
    # A command follows, since otherwise the shell would replace itself with unshare.
    return f"{{ {guarded}; }} || exit {SETUP_FAILED}\n{first}\nexit $?\n"


def _layers(room: Sandbox) -> str:
    lower = ":".join(str(path) for path in room.lower)
    return f"lowerdir={lower},upperdir=upper,workdir=work"


def _binds(room: Sandbox) -> tuple[Bind, ...]:
    # The network is the host's, and so are its names.
    files = (Path("/etc/resolv.conf"), Path("/etc/hosts"))
    return (*(Bind(path, str(path)) for path in files if path.exists()), *room.binds)


def _bind(root: Path, bind: Bind) -> list[str]:
    source, target = quote(str(bind.source)), quote(f"{root}{bind.target}")
    parent = quote(str(Path(f"{root}{bind.target}").parent))
    make = f"mkdir -p {target}" if bind.source.is_dir() else f"mkdir -p {parent} && touch {target}"
    # A bind has the flags of its source; only a second call makes it read-only.
    lock = [] if bind.writable else [f"mount -o remount,bind,ro {target}"]
    return [make, f"mount --bind {source} {target}", *lock]
