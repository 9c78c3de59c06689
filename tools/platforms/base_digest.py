"""Pins the registry's image in `builder/base.toml` by its digest: `make data` runs it.

A tag may name another image later; a digest always names the same bytes. The new digest is a line
in a change that is reviewed, like a new release of Python.
"""

import re
import sys
from pathlib import Path

from tools.platforms import engine, rootfs
from tools.platforms.engine import Engine
from tools.processes import Unavailable, fail, say

_LINE = re.compile(r'^digest = ".*"$', re.MULTILINE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def newest(docker: Engine, image: str) -> str:
    """Return the digest that the tag *image* has in its registry. Raises `Unavailable`."""
    docker.docker("pull", "--quiet", image)
    listed = docker.docker("image", "inspect", "--format", "{{json .RepoDigests}}", image)
    if match := _DIGEST.search(listed):
        return match[0]
    return fail(f"The registry gives no digest for {image}.")


def pin(digest: str, file: Path = rootfs.BASE) -> bool:
    """Write *digest* into *file*; return whether it was another one."""
    text = file.read_text(encoding="utf-8")
    pinned, count = _LINE.subn(f'digest = "{digest}"', text)
    if count != 1:
        fail(f"{file.name} needs exactly one line that starts with `digest =`.")
    if pinned != text:
        file.write_text(pinned, encoding="utf-8")
    return pinned != text


def main() -> None:
    """Pin the digest that the tag has now; keep the old one without Docker or the registry."""
    tag = rootfs.base_tag()
    try:
        with engine.running() as docker:
            digest = newest(docker, tag)
    except Unavailable as error:
        say(f"The digest of {tag} stays as it is: {error}")
        return
    say(f"{tag}: {digest}{'' if pin(digest) else ', as before'}")


if __name__ == "__main__":
    try:
        main()
    except Unavailable as error:
        sys.exit(str(error))
