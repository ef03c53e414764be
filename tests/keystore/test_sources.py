"""Sources: a file, and SSM Parameter Store as moto has it."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from keyfront.errors import InputError, ServiceError
from keyfront.keystore import EnvironmentVariable, KeyFile, Secret, SSMParameter

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient

MARKER = "MARKERsecretMARKER"


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.touch(mode=0o600)
    path.write_text("one")
    source = KeyFile(path)
    assert source.fetch() == "one"
    path.write_text("two")
    assert source.fetch() == "two"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "none.pem"
    with pytest.raises(ServiceError, match=rf"{path} cannot be read: No such file"):
        KeyFile(path).fetch()


def test_a_file_that_is_not_text_says_so(tmp_path: Path) -> None:
    path = tmp_path / "key.der"
    path.touch(mode=0o600)
    path.write_bytes(b"\x30\x82\xff\xfe")
    with pytest.raises(ServiceError, match="is not text"):
        KeyFile(path).fetch()


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o660, 0o602])
def test_a_file_that_others_can_read_or_change_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key.pem"
    path.write_text(MARKER)
    path.chmod(mode)
    with pytest.raises(InputError, match=rf"mode {mode:04o}.*chmod 600 {path}") as caught:
        KeyFile(path).fetch()
    assert MARKER not in str(caught.value)


def test_an_environment_variable_is_a_source() -> None:
    assert EnvironmentVariable("SIGNING_KEY", {"SIGNING_KEY": "the key"}).fetch() == "the key"
    with pytest.raises(ServiceError, match="the environment variable SIGNING_KEY is not set"):
        EnvironmentVariable("SIGNING_KEY", {"SIGNING_KEY": " "}).fetch()


def test_the_current_version_of_a_secret_counts(secretsmanager: "SecretsManagerClient") -> None:
    secretsmanager.create_secret(Name="shop/sources", SecretString="old")
    secretsmanager.put_secret_value(SecretId="shop/sources", SecretString="new")
    pending = {"SecretId": "shop/sources", "SecretString": "next", "VersionStages": ["AWSPENDING"]}
    secretsmanager.put_secret_value(**pending)  # type: ignore[arg-type]
    assert Secret("shop/sources", secretsmanager).fetch() == "new"


def test_a_secret_that_is_not_there_and_one_of_bytes_say_so(secretsmanager: "SecretsManagerClient") -> None:
    with pytest.raises(ServiceError, match=r"secret shop/none .*ResourceNotFoundException: there is no such secret"):
        Secret("shop/none", secretsmanager).fetch()
    secretsmanager.create_secret(Name="shop/bytes", SecretBinary=b"\x00")
    with pytest.raises(ServiceError, match="SecretString"):
        Secret("shop/bytes", secretsmanager).fetch()


def test_a_secret_stays_out_of_every_log_even_at_debug(
    secretsmanager: "SecretsManagerClient", caplog: pytest.LogCaptureFixture
) -> None:
    secretsmanager.create_secret(Name="shop/logged", SecretString=MARKER)
    caplog.set_level(1)
    caplog.set_level(1, "botocore")
    caplog.clear()
    assert Secret("shop/logged", secretsmanager).fetch() == MARKER
    assert MARKER not in caplog.text
    logging.getLogger("botocore").setLevel(logging.NOTSET)


def test_a_secure_string_is_fetched_decrypted(ssm: "SSMClient") -> None:
    ssm.put_parameter(Name="/sources/secure", Type="SecureString", Value="the key")
    assert SSMParameter("/sources/secure", ssm).fetch() == "the key"


def test_a_version_of_a_parameter_can_be_named(ssm: "SSMClient") -> None:
    for value in ("first", "second"):
        ssm.put_parameter(Name="/sources/versions", Type="SecureString", Value=value, Overwrite=True)
    assert SSMParameter("/sources/versions", ssm).fetch() == "second"
    assert SSMParameter("/sources/versions:1", ssm).fetch() == "first"


def test_without_a_client_boto3s_own_rules_hold(ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.put_parameter(Name="/sources/environment", Type="SecureString", Value="by the environment")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm.meta.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    assert SSMParameter("/sources/environment").fetch() == "by the environment"


def test_a_missing_parameter_is_named_with_the_error_code(ssm: "SSMClient") -> None:
    with pytest.raises(ServiceError, match=r"SSM parameter /sources/none .*: ParameterNotFound: .*AWS_DEFAULT_REGION"):
        SSMParameter("/sources/none", ssm).fetch()


def test_no_region_says_which_variable_boto3_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ServiceError, match="set AWS_DEFAULT_REGION"):
        SSMParameter("/sources/any").fetch()


def test_an_endpoint_that_does_not_listen_is_a_service_error() -> None:
    client = boto3.session.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-central-1"
    ).client("ssm", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(ServiceError, match=r"SSM parameter /sources/any .* EndpointConnectionError"):
        SSMParameter("/sources/any", client).fetch()


@pytest.fixture
def refused(ssm: "SSMClient") -> Iterator[Stubber]:
    """SSM's own refusals, in Amazon's words: moto cannot be brought to give them."""
    with Stubber(ssm) as stubber:
        yield stubber


@pytest.mark.parametrize(
    ("code", "message", "advice"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:sts::123456789012:assumed-role/s/i is not authorized to perform: ssm:GetParameter on x",
            "the IAM action ssm:GetParameter is missing",
        ),
        (
            "AccessDeniedException",
            "The ciphertext refers to a customer master key that does not exist or you are not allowed to access.",
            "the IAM action kms:Decrypt is missing",
        ),
        (
            "AccessDeniedException",
            "User: arn:aws:iam::123456789012:user/shop is not authorized to perform: kms:Decrypt on the resource",
            "the IAM action kms:Decrypt is missing",
        ),
        ("AccessDeniedException", "", "ssm:GetParameter on it and kms:Decrypt"),
        ("ThrottlingException", "Rate exceeded", "too many requests to SSM"),
        ("ExpiredTokenException", "The security token included in the request is expired", "have expired"),
        ("InternalServerError", "An error occurred on the server side.", "occurred on the server side"),
        ("Strange", "", "SSM gave no reason"),
    ],
)
def test_a_refusal_names_the_parameter_the_code_and_what_is_missing(
    code: str, message: str, advice: str, refused: Stubber, ssm: "SSMClient"
) -> None:
    refused.add_client_error("get_parameter", service_error_code=code, service_message=message)
    with pytest.raises(ServiceError) as caught:
        SSMParameter("/shop/key", ssm).fetch()
    shown = str(caught.value)
    assert "SSM parameter /shop/key" in shown
    assert code in shown
    assert advice in shown


def test_the_value_stays_out_of_every_log_even_at_debug(ssm: "SSMClient", caplog: pytest.LogCaptureFixture) -> None:
    ssm.put_parameter(Name="/sources/logged", Type="SecureString", Value=MARKER)
    caplog.set_level(1)
    caplog.set_level(1, "botocore")
    caplog.clear()
    assert SSMParameter("/sources/logged", ssm).fetch() == MARKER
    assert any(record.name.startswith("botocore") for record in caplog.records), "botocore must have logged"
    assert MARKER not in caplog.text
    ssm.describe_parameters()
    assert "botocore.parsers" in {record.name for record in caplog.records}, "other answers are logged as ever"
    logging.getLogger("botocore").setLevel(logging.NOTSET)
