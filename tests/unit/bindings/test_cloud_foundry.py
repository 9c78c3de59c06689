"""Services of Cloud Foundry, which count as service bindings where the platform mounts none."""

import json
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from cnb_python.bindings.apply import apply_bindings
from cnb_python.bindings.cloud_foundry import service_bindings
from cnb_python.bindings.hidden_values import binding_secrets
from cnb_python.cnb.context import BuildContext
from cnb_python.errors.config import BadBinding
from cnb_python.errors.inputs import BadServices
from cnb_python.system.certificates import certificates_in
from tests.support.bindings import bound, certificates
from tests.support.fake_build import context
from tests.support.fake_system import Log
from tests.support.messages import text_of

INDEX = {
    "type": "pypi",
    "url": "https://index.example.org/simple/",
    "username": "me",
    "password": "s3cret-of-the-index",
}


def services(
    *provided: Mapping[str, object], **others: Sequence[Mapping[str, object]]
) -> dict[str, str]:
    return {"VCAP_SERVICES": json.dumps({"user-provided": [*provided], **others})}


def phase(directory: Path, environ: Mapping[str, str]) -> BuildContext:
    return context(directory)._replace(environ=environ)


def test_a_service_with_a_type_is_applied_as_a_binding(tmp_path: Path) -> None:
    log = Log()
    environ = services({"name": "company", "label": "user-provided", "credentials": INDEX})

    with apply_bindings(phase(tmp_path, environ), log) as applied:
        url = "https://me:s3cret-of-the-index@index.example.org/simple/"
        assert applied.environ["PIP_INDEX_URL"] == url
        [binding] = applied.platform.bindings
        assert (binding.name, binding.type, binding.provider) == (
            *("company", "pypi"),
            "user-provided",
        )
        assert "s3cret-of-the-index" in binding_secrets([binding])
        file = binding.secrets["password"]
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(file.parents[2].stat().st_mode) == 0o700

    assert not file.exists()
    assert (
        "company: the usual index, https://index.example.org/simple/, with a login"
        in log.lines[-1]
    )
    assert "s3cret" not in "\n".join(log.lines)


@pytest.mark.parametrize(
    ("label", "service", "kind"),
    [
        ("user-provided", {"tags": ["team-a", "PyPI"]}, "pypi"),
        ("user-provided", {"tags": ["dependency-mirror"]}, "dependency-mirror"),
        ("pypi", {}, "pypi"),
        ("postgres", {"tags": ["sql"]}, "postgres"),
        ("postgres", {"tags": "pypi"}, "postgres"),
        ("pypi", {"credentials": {"type": "netrc"}}, "netrc"),
        ("x", {"credentials": {"type": " uv\n"}, "tags": ["pip"]}, "uv"),
        ("postgres", {"credentials": None}, "postgres"),
        ("postgres", {"credentials": {"type": 5}}, "5"),
    ],
)
def test_type_is_from_the_credentials_then_the_tags_then_the_label(
    tmp_path: Path, label: str, service: dict[str, object], kind: str
) -> None:
    environ = {"VCAP_SERVICES": json.dumps({label: [{"name": "it", **service}]})}

    [binding] = service_bindings(environ, tmp_path / "services")

    assert binding.type == kind


def test_services_of_one_name_keep_their_own_values(tmp_path: Path) -> None:
    given = [{"credentials": {"a": "1"}}, {"credentials": {"a": "2", "b": "3"}}, {}]
    environ = {"VCAP_SERVICES": json.dumps({"postgres": given})}

    bindings = service_bindings(environ, tmp_path / "services")

    values = [{key: each.secret(key) for key in each.secrets} for each in bindings]
    assert values == [{"a": "1"}, {"a": "2", "b": "3"}, {}]
    assert {each.name for each in bindings} == {"postgres"}


def test_nested_secrets_of_a_file_with_services_are_hidden(tmp_path: Path) -> None:
    # IBM's services have credentials in objects.
    login = {"username": "admin", "password": "Qx7-nested-secret"}
    service = {"credentials": {"connection": {"postgres": {"authentication": login}}}}
    file = tmp_path / "vcap_services"
    file.write_text(services(service)["VCAP_SERVICES"])

    bindings = service_bindings({"VCAP_SERVICES_FILE_PATH": str(file)}, tmp_path / "services")

    assert "Qx7-nested-secret" in binding_secrets(bindings)


def test_certificates_of_a_service_are_trusted(tmp_path: Path) -> None:
    text = certificates(2)
    service = {"name": "roots", "tags": ["ca-certificates"], "credentials": {"company.pem": text}}

    with apply_bindings(phase(tmp_path, services(service)), Log()) as applied:
        trusted = Path(applied.environ["SSL_CERT_FILE"]).read_text()

    assert certificates_in(trusted)[-2:] == certificates_in(text)


def test_the_file_of_a_platform_counts_as_the_variable(tmp_path: Path) -> None:
    file = tmp_path / "vcap_services"
    file.write_text(services({"name": "company", "credentials": INDEX})["VCAP_SERVICES"])

    [binding] = service_bindings({"VCAP_SERVICES_FILE_PATH": str(file)}, tmp_path / "services")

    assert (binding.name, binding.secret("username")) == ("company", "me")


def test_mounted_bindings_win_over_services(tmp_path: Path) -> None:
    mounted = bound(tmp_path, team={"type": "pypi", "url": "https://team.example.org/simple/"})
    own = phase(tmp_path, services({"name": "company", "credentials": INDEX}))
    own = own._replace(platform=own.platform._replace(bindings=mounted))

    with apply_bindings(own, Log()) as applied:
        assert applied.environ["PIP_INDEX_URL"] == "https://team.example.org/simple/"
        assert applied.platform.bindings == mounted


def test_services_of_other_types_set_no_variable(tmp_path: Path) -> None:
    environ = services(postgres=[{"name": "db", "credentials": {"uri": "postgres://u:pw@h/d"}}])
    log = Log()

    with apply_bindings(phase(tmp_path, environ), log) as applied:
        assert applied.environ == environ
        assert [binding.name for binding in applied.platform.bindings] == ["db"]

    assert log.lines == []


def test_names_with_any_characters_stay_in_the_directory(tmp_path: Path) -> None:
    directory = tmp_path / "deep/services"
    environ = services(
        {"name": "../../../up", "credentials": {"../../../../key": "v", "/etc": "w"}}
    )

    [binding] = service_bindings(environ, directory)

    assert (binding.secret("../../../../key"), binding.secret("/etc")) == ("v", "w")
    assert all(path.is_relative_to(directory) for path in binding.secrets.values())
    assert {path.parent.parent for path in tmp_path.rglob("*") if path.is_file()} == {directory}


def test_the_same_service_has_the_same_files_in_each_build(tmp_path: Path) -> None:
    company: dict[str, object] = {"name": "company", "credentials": {"client-cert": "a"}}
    other: dict[str, object] = {"name": "aaa", "credentials": {"client-cert": "b"}}

    [alone] = service_bindings(services(company), tmp_path)
    both = service_bindings(services(other, company), tmp_path)

    assert [binding.name for binding in both] == ["aaa", "company"]
    assert both[1].secrets == alone.secrets
    assert both[0].secrets != alone.secrets


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\r\nb\n", "a\r\nb\n"),
        (8080, "8080"),
        (True, "true"),
        (["a", "b"], '["a", "b"]'),
        ({"a": None}, '{"a": null}'),
        ("café ✓", "café ✓"),
    ],
)
def test_values_that_are_not_text_are_json(tmp_path: Path, value: object, text: str) -> None:
    environ = services({"name": "it", "credentials": {"key": value}})

    [binding] = service_bindings(environ, tmp_path)

    assert binding.secrets["key"].read_bytes().decode() == text


@pytest.mark.parametrize("text", ["", " ", "{}", '{"user-provided": []}'])
def test_no_services_mean_no_bindings(tmp_path: Path, text: str) -> None:
    assert service_bindings({"VCAP_SERVICES": text}, tmp_path / "services") == ()
    assert not (tmp_path / "services").exists()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{s3cret", "line 1 is not valid JSON"),
        ("[]", "it is not a JSON object"),
        ('"s3cret"', "it is not a JSON object"),
        ('{"pypi": {"name": "s3cret"}}', "pypi is not a list of services"),
        ('{"pypi": ["s3cret"]}', "a service of pypi is not a JSON object"),
        ('{"pypi": [{"name": "\\ud800"}]}', "line 1 is not valid JSON"),
        ("[" * 100_000, "line 1 is not valid JSON"),
    ],
)
def test_a_malformed_description_is_refused_without_its_values(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(BadServices) as caught:
        service_bindings({"VCAP_SERVICES": text}, tmp_path)

    message = text_of(caught.value.describe())
    assert (caught.value.source, caught.value.reason) == ("VCAP_SERVICES", reason)
    assert "s3cret" not in message


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = str(tmp_path / "missing")

    with pytest.raises(BadServices) as caught:
        service_bindings({"VCAP_SERVICES_FILE_PATH": path}, tmp_path)

    assert (caught.value.source, caught.value.reason) == (path, "No such file or directory")


def test_an_unknown_key_names_the_service(tmp_path: Path) -> None:
    environ = services({"name": "company", "credentials": INDEX | {"pasword": "s3cret"}})

    with pytest.raises(BadBinding) as caught, apply_bindings(phase(tmp_path, environ), Log()):
        pass

    message = text_of(caught.value.describe())
    assert "Service binding company has the unknown key pasword" in message
    assert "Cloud Foundry" in message
    assert "s3cret" not in message
