"""Inputs that change without the lock file: the image is that of a clean build."""

from pathlib import Path

from tests.support import lock_files
from tests.support.build_variants import digest_of, layers_of
from tests.support.builds import Builds, Built
from tests.support.sdists import sdist
from tests.support.trees import write_files
from tests.support.wheels import wheel

PYPROJECT = """\
[project]
name = "shop"
dynamic = ["version"]
requires-python = ">=3.14"
dependencies = ["flat"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[tool.hatch.version]
path = "../VERSION.py"
[tool.uv]
find-links = ["./wheels"]
"""
ENV = {"BP_PYTHON_PROJECT": "app"}


def test_replaced_wheel_version_file_and_setting_give_the_image_of_a_clean_build(
    builds: Builds, flask: Built, tmp_path: Path
) -> None:
    files = {
        "VERSION.py": '__version__ = "1.0"\n',
        "app/pyproject.toml": PYPROJECT,
        "app/shop/__init__.py": "",
        "app/Procfile": "web: python -V\n",
    }
    source = write_files(tmp_path / "repository", files)
    source.chmod(0o755)
    wheels = source / "app/wheels"
    wheels.mkdir()
    wheel(wheels, "flat", "1.0", {"flat.py": "V = 'old wheel'\n"})
    sdist(wheels, "flat", "1.0", {"flat.py": "V = 'from source'\n"})
    lock_files.run_uv(source / "app", "lock", index="https://pypi.org/simple")
    built = builds.image(source, flask, env=ENV)
    assert built.code == 0, built.output
    code = "import flat, importlib.metadata as m; print(m.version('shop'), flat.V)"
    outputs = [built.run("python", "-c", code)]

    wheel(wheels, "flat", "1.0", {"flat.py": "V = 'new wheel'\n"})
    (source / "VERSION.py").write_text('__version__ = "1.1"\n')
    built = builds.image(source, built, env=ENV)
    assert built.code == 0, built.output
    outputs.append(built.run("python", "-c", code))
    # uv locks the setting too, but not in the lock file.
    text = f'{PYPROJECT}no-binary-package = ["flat"]\n'
    (source / "app/pyproject.toml").write_text(text)
    built = builds.image(source, built, env=ENV)
    assert built.code == 0, built.output
    outputs.append(built.run("python", "-c", code))
    clean = builds.image(source, env=ENV)

    assert outputs == ["1.0 old wheel\n", "1.1 new wheel\n", "1.1 from source\n"]
    assert clean.code == 0, clean.output
    assert layers_of(built) == layers_of(clean)
    assert digest_of(built) == digest_of(clean)
