"""Apps with a `Pipfile` and no lock file. Those with one: test_locked_managers."""

import shutil
from pathlib import Path

from tests.support.builds import Builds, Built
from tests.support.trees import App
from tests.support.wheels import wheel


def test_pipfile_without_lock_is_resolved_with_a_warning(
    builds: Builds, flask: Built, app: App, tmp_path: Path
) -> None:
    directory = app({"Procfile": "web: python app.py\n"})
    local = wheel(tmp_path, "kept", "1.0", {"kept.py": "VALUE = 1\n"})
    shutil.copy(local, directory)
    (directory / "Pipfile").write_text(
        f'[packages]\nitsdangerous = "<3"\nkept = {{ file = "./{local.name}" }}\n'
    )

    built = builds.image(directory, flask)

    assert built.code == 0, built.output
    assert "Run pipenv lock and commit Pipfile.lock" in built.output
    assert built.run("python", "-c", "import itsdangerous, kept; print(kept.VALUE)") == "1\n"
