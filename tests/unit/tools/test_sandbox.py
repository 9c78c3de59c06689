from copy import replace
from pathlib import Path

from tools.platforms.sandbox import Bind, Sandbox, argv

ROOM = Sandbox(lower=(Path("/top"), Path("/base")), scratch=Path("/scratch"))


def script(room: Sandbox) -> str:
    command = argv(room, "/bin/true")
    return command[command.index("-c") + 1]


def test_variables_of_the_host_are_not_passed() -> None:
    inside = argv(Sandbox((), Path("/s"), env={"A": "1"}, directory="/app"), "/bin/true", "x")

    assert inside[-7:] == ["/usr/bin/env", "-i", "-C", "/app", "A=1", "/bin/true", "x"]


def test_topmost_directory_comes_first() -> None:
    assert "lowerdir=/top:/base" in script(ROOM)


def test_bind_is_read_only_by_default() -> None:
    shut = script(Sandbox((), Path("/s"), binds=(Bind(Path("/usr"), "/shared"),)))
    opened = script(Sandbox((), Path("/s"), binds=(Bind(Path("/usr"), "/shared", writable=True),)))

    assert "mount -o remount,bind,ro /s/root/shared" in shut
    assert "mount -o remount,bind,ro /s/root/shared" not in opened


def test_only_root_has_an_additional_group() -> None:
    stranger = Sandbox((), Path("/s"), user=12345, group=12345)

    assert {"--userspec=0:0", "--groups=0"} <= set(argv(ROOM, "/bin/true"))
    assert {"--userspec=12345:12345", "--groups="} <= set(argv(stranger, "/bin/true"))


def test_a_root_without_programs_is_entered_without_them() -> None:
    room = Sandbox((), Path("/s"), user=7, group=8, env={"A": "1"}, directory="/app")

    command = argv(replace(room, has_programs=False), "/program", "x")

    assert command[command.index("/usr/bin/env") :] == [
        *("/usr/bin/env", "-i", "A=1"),
        *("/usr/bin/unshare", "--root=root", "--wd=/app", "--setgid=8", "--setuid=7"),
        *("/program", "x"),
    ]


def test_own_network_has_only_a_loopback() -> None:
    assert "--net" in argv(Sandbox((), Path("/s"), network=False), "/bin/true")
    assert "--net" not in argv(ROOM, "/bin/true")


def test_umask_is_set_before_the_program_starts() -> None:
    assert "umask 77 && exec" in script(Sandbox((), Path("/s"), umask=0o077))
