"""Installing each package of a lock file from its own indexes."""

from pathlib import Path
from typing import cast

import pytest

from cnb_python.errors.base import BuildpackError, Failure
from cnb_python.errors.network import IndexRefused, SourceRefused
from cnb_python.managers.base import Pin
from cnb_python.managers.uv import commands
from cnb_python.managers.uv import commands as uv
from tests.support.fake_tools import FakeTools, context_of, write_app

PRIVATE, PUBLIC = "https://me:word@ours.example/simple", "https://all.example/simple"


def pin(name: str) -> Pin:
    return Pin(name, "1.0", "", f"{name}==1.0 --hash=sha256:{'a' * 64}")


def installing(
    home: commands.IndexesOf, directory: Path, *pins: Pin, **variables: str
) -> FakeTools:
    tools, context = FakeTools(), context_of(write_app(directory, [("x", "")]))
    commands.install_from_indexes(
        pins,
        commands.IndexedLock("PDM", home),
        context,
        tools,
        uv.UvSources(is_own=False, variables=variables),
    )
    return tools


def test_package_comes_from_its_own_index_first(tmp_path: Path) -> None:
    homes = {"tools": (PRIVATE,), "six": ()}

    ran = installing(
        lambda pin: homes[pin.name], tmp_path, pin("tools"), pin("six"), UV_INDEX=PUBLIC
    )

    usual, company = ran.ran
    assert usual.env["UV_INDEX"] == PUBLIC
    assert "unsafe-best-match" in usual.argv
    assert company.env["UV_INDEX"] == f"{PRIVATE} {PUBLIC}"
    assert "first-index" in company.argv
    assert not any("word" in word for command in ran.ran for word in command.argv)


@pytest.mark.parametrize(("homes", "kind"), [((PRIVATE,), SourceRefused), ((), IndexRefused)])
def test_rejected_login_is_explained_with_its_source(
    tmp_path: Path, homes: tuple[str, ...], kind: type[BuildpackError]
) -> None:
    tools, context = FakeTools(), context_of(write_app(tmp_path, [("x", "")]))
    output = "error: Failed to fetch: https://ours.example/simple/six/\n  cause: HTTP status "
    tools.answer("install", f"{output}client error (401 Unauthorized) for url (https://h/)", 2)
    lock = commands.IndexedLock("Poetry", lambda _: homes)

    with pytest.raises(kind) as raised:
        commands.install_from_indexes(
            [pin("six")], lock, context, tools, uv.UvSources(is_own=False)
        )

    fixes = cast("Failure", raised.value).describe().fixes
    assert ("POETRY_HTTP_BASIC_<NAME>_USERNAME" in fixes[0]) == bool(homes)
