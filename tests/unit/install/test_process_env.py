"""The environment variables of a manager's processes."""

from pathlib import Path

import pytest

from cnb_python.install.process_env import manager_environ

VENV = Path("/layers/venv")
INTERPRETER = Path("/layers/python/bin/python3.14")


def variables(scratch: Path, **environ: str) -> dict[str, str]:
    return manager_environ(environ, VENV, INTERPRETER, scratch, bundles=())


def test_user_settings_are_passed_on(tmp_path: Path) -> None:
    given = {
        "PIP_INDEX_URL": "https://me:secret@index.example.org/simple",
        "PIP_CERT": "/ca.pem",
        "HTTPS_PROXY": "http://proxy:3128",
        "TOKEN": "secret",
    }

    assert given.items() <= variables(tmp_path, **given).items()


@pytest.mark.parametrize(
    "name",
    [
        *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONUSERBASE", "PYTHONOPTIMIZE"),
        *("PYTHONWARNINGS", "PYTHONPYCACHEPREFIX", "PIP_LOG", "PIP_CACHE_DIR"),
        *("PIP_NO_COLOR", "PIP_REPORT", "PIP_report", "PIP_quiet", "PIP_CACHE-DIR"),
    ],
)
def test_harmful_variables_are_removed(tmp_path: Path, name: str) -> None:
    assert name not in variables(tmp_path, **{name: "/somewhere"})


def test_programs_of_environment_are_first_on_path(tmp_path: Path) -> None:
    actual = variables(tmp_path, PATH="/usr/bin", VIRTUAL_ENV="/another")

    assert actual["PATH"] == "/layers/venv/bin:/layers/python/bin:/usr/bin"
    assert actual["VIRTUAL_ENV"] == "/layers/venv"


def test_missing_path_has_standard_directories(tmp_path: Path) -> None:
    assert variables(tmp_path)["PATH"].endswith(":/usr/bin:/sbin:/bin")


@pytest.mark.parametrize("name", ["LC_ALL", "LC_CTYPE", "LANG"])
def test_locale_of_user_is_kept(tmp_path: Path, name: str) -> None:
    actual = variables(tmp_path, **{name: "de_DE.UTF-8"})

    assert actual[name] == "de_DE.UTF-8"
    assert name == "LC_ALL" or "LC_ALL" not in actual


def test_missing_locale_becomes_utf8(tmp_path: Path) -> None:
    assert variables(tmp_path)["LC_ALL"] == "C.UTF-8"


def test_source_date_epoch_has_default(tmp_path: Path) -> None:
    assert variables(tmp_path)["SOURCE_DATE_EPOCH"] == "315532801"
    assert variables(tmp_path, SOURCE_DATE_EPOCH="7")["SOURCE_DATE_EPOCH"] == "7"


def test_debug_information_is_disabled(tmp_path: Path) -> None:
    chosen = variables(tmp_path, CFLAGS="-O3 -g")

    assert chosen["CFLAGS"] == "-O3 -g -g0", "the last word counts"
    assert chosen["CXXFLAGS"] == "-g0"


def test_existing_home_is_kept(tmp_path: Path) -> None:
    assert variables(tmp_path, HOME=str(tmp_path))["HOME"] == str(tmp_path)


@pytest.mark.parametrize("home", ["", "/nonexistent"])
def test_missing_home_becomes_temporary_directory(tmp_path: Path, home: str) -> None:
    assert variables(tmp_path, HOME=home)["HOME"] == str(tmp_path)


def test_system_certificates_are_default(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.crt"
    bundle.touch()

    def trusted(**environ: str) -> str | None:
        actual = manager_environ(environ, VENV, INTERPRETER, tmp_path, (tmp_path / "no", bundle))
        return actual.get("SSL_CERT_FILE")

    assert trusted() == str(bundle)
    assert trusted(SSL_CERT_FILE="/mine.pem") == "/mine.pem"


def test_bytecode_is_not_written(tmp_path: Path) -> None:
    assert variables(tmp_path)["PYTHONDONTWRITEBYTECODE"] == "1"


def test_verbosity_of_pip_is_fixed(tmp_path: Path) -> None:
    """A silent pip would not print the reason of a failure."""
    actual = variables(tmp_path, PIP_QUIET="3", PIP_VERBOSE="2")

    assert (actual["PIP_QUIET"], actual["PIP_VERBOSE"]) == ("0", "0")
