"""System packages of Debian, fetched by the real apt as an ordinary user."""

import hashlib
import re
import tomllib

from tests.support.builds import Builds, Built
from tests.support.trees import App
from tools.package.assemble import ROOT

PAGE = ROOT / "docs/how-to/system-packages.md"
READ = "import magic; print(magic.from_buffer(b'%PDF-1.4'))"
HTML = "import weasyprint; print(weasyprint.HTML(string='<h1>Hi</h1>').write_pdf()[:8])"

FIND = (
    "from ctypes.util import find_library as find; from pyzbar.pyzbar import decode; "
    "print(find('zbar'), find('nothing'), decode((bytes(100), 10, 10)))"
)
MESSAGES = "locale/de/LC_MESSAGES/django.po"
TRANSLATED = """\
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\n"

msgid "Hi"
msgstr "Hallo"
"""
COMMAND = """
[tool.cnb-python.commands.messages]
run = "django-admin compilemessages"
inputs = ["locale/**/*.po"]
outputs = ["locale/**/*.mo"]
"""
TRANSLATE = (
    "import gettext, shutil; "
    "print(gettext.translation('django', 'locale', ['de']).gettext('Hi'), shutil.which('msgfmt'))"
)


def files(requirements: str, *packages: str) -> dict[str, str]:
    listed = ", ".join(f'"{name}"' for name in packages)
    return {
        "requirements.txt": requirements,
        "Procfile": "web: python -V\n",
        "pyproject.toml": f"[tool.cnb-python]\nsystem-packages = [{listed}]\n",
    }


def digest(built: Built) -> str:
    layer = built.layer("system-packages")
    return hashlib.sha256(built.image.blob(layer).read_bytes()).hexdigest()


def test_example_of_the_documentation_works(builds: Builds, app: App) -> None:
    """Built from nothing twice, unchanged, and with one more Python package."""
    (example,) = re.findall(r"```toml[^\n]*\n(.*?)```", PAGE.read_text(), re.DOTALL)
    packages = tomllib.loads(example)["tool"]["cnb-python"]["system-packages"]
    directory = app(files("python-magic==0.4.27\n", *packages))

    built = builds.image(directory)

    assert built.code == 0, built.output
    assert "Fetching 2 system packages with apt" in built.output
    assert "PDF document" in built.run("python", "-c", READ)
    documents = built.documents()["system-packages.toml"]
    assert [each.split("=")[0] for each in documents["metadata"]["packages"]] == [
        "libmagic-mgc",
        "libmagic1",
    ]
    assert digest(builds.image(directory)) == digest(built)

    unchanged = builds.image(directory, built)
    assert "Reusing 2 system packages from the previous image" in unchanged.output
    assert "Nothing changed: reusing 1 packages" in unchanged.output
    (directory / "requirements.txt").write_text("python-magic==0.4.27\nsix==1.17.0\n")
    changed = builds.image(directory, unchanged)
    assert (
        "Fetching" not in changed.output.partition("System packages")[2].partition("Packages")[0]
    )
    assert changed.layer("system-packages") == built.layer("system-packages")
    assert "PDF document" in changed.run("python", "-c", READ)

    (directory / "pyproject.toml").write_text("")
    removed = builds.image(directory, changed)
    assert removed.code != 0
    assert 'Add the line `system-packages = ["libmagic1"]`' in removed.output


def test_unknown_package_stops_the_build(builds: Builds, app: App) -> None:
    built = builds.image(app(files("", "libmagik1")))

    assert built.code != 0
    assert "No such system package: libmagik1" in built.error
    assert "libmagic1" in built.error


def test_weasyprint_with_fonts_and_pyzbar_by_find_library(builds: Builds, app: App) -> None:
    """The library is found in the build, which has a compiler, and in the image without one.

    gettext is for the build alone, which compiles translations with it.
    """
    names = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
    hook = f'#!/bin/sh\npython -c "{FIND}"\n'
    requirements = "weasyprint==68.1\npyzbar==0.1.9\ndjango==5.2.8\n"

    listed = files(requirements, *names, "libzbar0", "gettext")
    listed["pyproject.toml"] += COMMAND

    built = builds.image(app({**listed, "bin/post_compile": hook, MESSAGES: TRANSLATED}))

    assert built.code == 0, built.output
    assert "libzbar.so.0 None []" in built.output
    assert "b'%PDF-1.7'" in built.run("python", "-c", HTML)
    assert built.run("python", "-c", FIND).startswith("libzbar.so.0 None []")
    assert built.run("python", "-c", TRANSLATE) == "Hallo None\n"
    label = built.labels()["io.github.cnb-python.libraries"]
    assert ["system-packages"] in [each["packages"] for each in label.values()]
    assert "libzbar.so.0" not in label
