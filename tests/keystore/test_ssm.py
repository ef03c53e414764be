"""`ssm:`, with SSM Parameter Store as moto has it."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.stub import Stubber

from keyfront import SigningKey
from keyfront.errors import InputError, ServiceError
from keyfront.keystore import SignerDocument, SSMParameter, open_writable

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

MARKER = "MARKERsecretMARKER"


def test_a_secure_string_is_fetched_decrypted(ssm: "SSMClient") -> None:
    ssm.put_parameter(Name="/parameters/secure", Type="SecureString", Value="the key")
    assert SSMParameter("/parameters/secure", ssm).read() == "the key"


def test_a_version_of_a_parameter_can_be_named(ssm: "SSMClient") -> None:
    for value in ("first", "second"):
        ssm.put_parameter(Name="/parameters/versions", Type="SecureString", Value=value, Overwrite=True)
    assert SSMParameter("/parameters/versions", ssm).read() == "second"
    assert SSMParameter("/parameters/versions:1", ssm).read() == "first"


def test_without_a_client_boto3s_own_rules_hold(ssm: "SSMClient", monkeypatch: pytest.MonkeyPatch) -> None:
    ssm.put_parameter(Name="/parameters/environment", Type="SecureString", Value="by the environment")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", ssm.meta.endpoint_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    assert SSMParameter("/parameters/environment").read() == "by the environment"


def test_a_missing_parameter_is_named_with_the_error_code(ssm: "SSMClient") -> None:
    with pytest.raises(
        ServiceError, match=r"SSM parameter /parameters/none .*: ParameterNotFound: .*AWS_DEFAULT_REGION"
    ):
        SSMParameter("/parameters/none", ssm).read()


def test_no_region_says_which_variable_boto3_reads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    for name in ("AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(ServiceError, match="set AWS_DEFAULT_REGION"):
        SSMParameter("/parameters/any").read()


def test_an_endpoint_that_does_not_listen_is_a_service_error() -> None:
    client = boto3.session.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-central-1"
    ).client("ssm", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(ServiceError, match=r"SSM parameter /parameters/any .* EndpointConnectionError"):
        SSMParameter("/parameters/any", client).read()


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
        ("AccessDeniedException", "", "ssm:GetParameter on it, and kms:Decrypt"),
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
        SSMParameter("/shop/key", ssm).read()
    shown = str(caught.value)
    assert "SSM parameter /shop/key" in shown
    assert code in shown
    assert advice in shown


def test_a_write_that_is_refused_says_so(refused: Stubber, ssm: "SSMClient", ecdsa_key: SigningKey) -> None:
    refused.add_client_error("put_parameter", service_error_code="AccessDeniedException")
    with pytest.raises(ServiceError, match=r"SSM parameter /shop/key could not be written: .*ssm:PutParameter"):
        SignerDocument("KONE", ecdsa_key).save(open_writable("ssm:/shop/key", connect=lambda _: ssm))


def test_the_value_stays_out_of_every_log_even_at_debug(ssm: "SSMClient", caplog: pytest.LogCaptureFixture) -> None:
    ssm.put_parameter(Name="/parameters/logged", Type="SecureString", Value=MARKER)
    caplog.set_level(1)
    caplog.set_level(1, "botocore")
    caplog.clear()
    assert SSMParameter("/parameters/logged", ssm).read() == MARKER
    assert any(record.name.startswith("botocore") for record in caplog.records), "botocore must have logged"
    assert MARKER not in caplog.text
    ssm.describe_parameters()
    assert "botocore.parsers" in {record.name for record in caplog.records}, "other answers are logged as ever"
    logging.getLogger("botocore").setLevel(logging.NOTSET)


def test_a_parameter_keeps_its_tier_and_is_encrypted(ssm: "SSMClient", ecdsa_key: SigningKey) -> None:
    SignerDocument("KONE", ecdsa_key).save(open_writable("ssm:/parameters/kind", connect=lambda _: ssm))
    assert ssm.get_parameter(Name="/parameters/kind")["Parameter"]["Type"] == "SecureString"


def test_a_version_cannot_be_written(ssm: "SSMClient") -> None:
    with pytest.raises(InputError, match="version or a label"):
        open_writable("ssm:/shop/key:3", connect=lambda _: ssm)
