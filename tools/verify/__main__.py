"""Verifies an image: builds its app again, and prints `equal` or the first difference.

    python3 -m tools.verify IMAGE --source DIR [--elsewhere]

IMAGE is an OCI image directory, as `make image` makes, or a name that Docker knows. The rebuild
uses this checkout's buildpack and base images, and the Python and the settings that the image
records. Variables `BP_*` of this process win. Exit code 0: equal, 1: not equal, 2: not comparable,
3: all that the build made is equal, but the run image is another one.

    python3 -m tools.verify --fixtures [APP ...]

builds each sample app, and verifies its image with `--elsewhere`: under another umask, locale,
time zone, clock, directory and number of processors, and then as another user too.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tools import fixtures
from tools.package import builder
from tools.platforms import lifecycle, oci, this_machine
from tools.platforms.work_folders import identity
from tools.processes import Unavailable, fail, need_root, say
from tools.verify import causes, comparison, configuration, docker_archive, recorded
from tools.verify.causes import Builds
from tools.verify.comparison import Compared
from tools.verify.other_machine import BY_UMASK
from tools.verify.rebuild import NotDetected, Rebuild, rebuilt, rebuilt_elsewhere

FIXTURES = builder.ROOT / "fixtures"
DIFFERENT, NOT_COMPARABLE, REBASED = 1, 2, 3


def main(argv: Sequence[str]) -> int:
    """Verify what *argv* names; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python3 -m tools.verify",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", nargs="*", help="an OCI image directory, or a name")
    parser.add_argument("--source", type=Path, help="the directory of the app")
    parser.add_argument("--elsewhere", action="store_true", help="rebuild on another machine")
    parser.add_argument("--fixtures", action="store_true", help="verify the sample apps")
    arguments = parser.parse_args(argv)
    need_root("Building an app again")
    with this_machine.interpreters(this_machine.of_this_machine()) as env:
        if arguments.fixtures:
            return verify_fixtures(arguments.image, env)
        if len(arguments.image) != 1 or arguments.source is None:
            parser.error("give one IMAGE and --source DIR")
        if not arguments.source.is_dir():
            fail(f"There is no directory {arguments.source}.")
        source = arguments.source.resolve()
        with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
            image = find_image(arguments.image[0], Path(scratch))
            work = Path(scratch, "rebuild")
            work.mkdir()
            machines = (True,) if arguments.elsewhere else ()
            return verify(image, source, env, work, machines)


def find_image(name: str, scratch: Path) -> oci.Image:
    """Return the image *name*: a directory, or exported by Docker below *scratch*."""
    if Path(name).is_dir():
        return oci.read(Path(name))
    archive, directory = scratch / "image.tar", scratch / "image"
    command = ("docker", "image", "save", "--output", archive, name)
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    if ended.returncode:
        fail(f"{name} is no directory, and Docker has no such image: {ended.stderr.strip()}")
    return docker_archive.to_layout(archive, directory)


def verify(
    image: oci.Image,
    source: Path,
    env: Mapping[str, str],
    scratch: Path,
    machines: Sequence[bool] = (),
) -> int:
    """Build *source* again and compare; print the result and return the exit code.

    *machines*: another machine each, and whether the build has another user there; none: only
    here. *env*: how indexes are reached. *scratch*: an existing directory.
    """
    before = recorded.materials(image)
    _note_release(before)
    settings = recorded.settings(image, builder_version())
    rebuild = Rebuild(source, builder.buildpack(), settings, env)
    platform = lifecycle.standard()
    if not machines:
        after = rebuilt(rebuild, platform, scratch)
        if changed := causes.changed_versions(before, recorded.materials(after)):
            say(f"The app's files leave versions open, and the index has others: {changed[0]}")
            say("Building again with the recorded versions.")
            rebuild = replace(rebuild, versions=recorded.versions(before))
            (scratch / "again").mkdir()
            after = rebuilt(rebuild, platform, scratch / "again")
        return _report(image, after, comparison.compare(image, after), source)
    for number, as_other_user in enumerate(machines):
        directory = scratch / str(number)
        directory.mkdir()
        after = rebuilt_elsewhere(rebuild, platform, directory, as_other_user=as_other_user)
        compared = comparison.compare(
            _without_layers_by_umask(image),
            _without_layers_by_umask(after),
            ignore_owner=as_other_user,
        )
        if code := _report(image, after, compared, source):
            return code
    return 0


def _without_layers_by_umask(image: oci.Image) -> oci.Image:
    kept = tuple(layer for layer in image.layers if layer.title not in BY_UMASK)
    return replace(image, layers=kept)


def _note_release(before: Mapping[str, recorded.Material]) -> None:
    own = builder_version()
    image = next((each.version for each in before.values() if each.kind == "buildpack"), "")
    if image != own:
        say(f"Release {image} of the buildpack built the image, and {own} builds it again.")


def builder_version() -> str:
    """Return the release of this checkout's buildpack."""
    return identity(builder.ROOT)[1]


def _report(before: oci.Image, after: oci.Image, compared: Compared, source: Path) -> int:
    difference = compared.difference
    if difference is None or compared.is_rebased:
        return _report_equal_layers(before, after, compared)
    builds = Builds(recorded.materials(before), recorded.materials(after), source)
    say(f"not equal: {comparison.title_of(difference)}")
    for entry, of in ((difference.before, "image"), (difference.after, "rebuild")):
        if entry:
            say(f"  in the {of}: {entry}")
    if difference.more:
        say(f"  and {difference.more} more in this layer")
    say(f"Likely cause: {causes.cause(difference, builds)}")
    return DIFFERENT


def _report_equal_layers(before: oci.Image, after: oci.Image, compared: Compared) -> int:
    equal = f"{len(compared.equal)} layers"
    if changed := configuration.difference(before, after, of_build=compared.is_rebased):
        say(f"not equal: {equal} are equal, and {changed}")
        say(f"Likely cause: {causes.of_configuration(changed)}")
        return DIFFERENT
    count = len(compared.owner_only)
    note = f", and {count} except for an owner or mode that the platform decides" if count else ""
    say(f"equal: {equal}{note}")
    if compared.is_rebased:
        say("The run image differs from that of the rebuild. Its contents were not compared.")
    return REBASED if compared.is_rebased else 0


def verify_fixtures(names: Sequence[str], env: Mapping[str, str]) -> int:
    """Build the sample apps *names*, all if there are none, and verify each on other machines."""
    fixtures.main()
    code = 0
    for name in names or sorted(path.name for path in FIXTURES.iterdir()):
        with tempfile.TemporaryDirectory(prefix="cnb-python-") as scratch:
            say(f"{name}:")
            code = max(code, _verify_fixture(FIXTURES / name, env, Path(scratch)))
    return code


def _verify_fixture(source: Path, env: Mapping[str, str], scratch: Path) -> int:
    for name in ("first", "others"):
        (scratch / name).mkdir()
    first = Rebuild(source, builder.buildpack(), {}, env)
    try:
        image = rebuilt(first, lifecycle.standard(), scratch / "first")
        return verify(image, source, env, scratch / "others", (False, True))
    except NotDetected as error:
        say(str(error))
        return 0
    except Unavailable as error:
        say(str(error))
        return NOT_COMPARABLE


if __name__ == "__main__":
    os.umask(0o022)
    try:
        sys.exit(main(sys.argv[1:]))
    except Unavailable as error:
        say(str(error))
        sys.exit(NOT_COMPARABLE)
