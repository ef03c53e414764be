"""Other people's services behind the endpoint: used as people use them, with boto3 and the AWS CLI."""

import io
import json
import os
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from tests.local.aws.conftest import CommandLine, Running


def test_a_secure_parameter_comes_back_decrypted_only_when_asked(endpoint: "Running") -> None:
    ssm = endpoint.client("ssm")
    ssm.put_parameter(Name="/keyfront/key", Value="-----BEGIN PRIVATE KEY-----", Type="SecureString")
    clear = ssm.get_parameter(Name="/keyfront/key", WithDecryption=True)["Parameter"]
    sealed = ssm.get_parameter(Name="/keyfront/key")["Parameter"]
    assert clear["Value"] == "-----BEGIN PRIVATE KEY-----"
    assert sealed["Value"] != clear["Value"]


def test_a_kms_key_signs_so_that_its_public_key_verifies(endpoint: "Running") -> None:
    kms = endpoint.client("kms")
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    signed = kms.sign(KeyId=key, Message=b"policy", MessageType="RAW", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")
    public = serialization.load_der_public_key(kms.get_public_key(KeyId=key)["PublicKey"])
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signed["Signature"], b"policy", padding.PKCS1v15(), hashes.SHA256())


def test_the_caller_has_an_identity_and_can_make_a_role(endpoint: "Running") -> None:
    account = endpoint.client("sts").get_caller_identity()["Account"]
    trust = {"Version": "2012-10-17", "Statement": []}
    role = endpoint.client("iam").create_role(RoleName="signer", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    assert role["Arn"] == f"arn:aws:iam::{account}:role/signer"


def test_secrets_and_logs_are_kept(endpoint: "Running") -> None:
    secrets, logs = endpoint.client("secretsmanager"), endpoint.client("logs")
    secrets.create_secret(Name="key", SecretString="s3cret")
    logs.create_log_group(logGroupName="/edge")
    logs.create_log_stream(logGroupName="/edge", logStreamName="one")
    assert secrets.get_secret_value(SecretId="key")["SecretString"] == "s3cret"
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/edge"]


def test_reset_forgets_everything(endpoint: "Running") -> None:
    endpoint.client("ssm").put_parameter(Name="name", Value="value", Type="String")
    endpoint.endpoint.reset()
    with pytest.raises(ClientError, match="ParameterNotFound"):
        endpoint.client("ssm").get_parameter(Name="name")


def test_the_command_line_copies_a_folder_up_and_down_again(
    aws: "CommandLine", endpoint: "Running", tmp_path: Path
) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "a b").mkdir(parents=True)
    (source / "a b" / "ü+1%2F.txt").write_bytes(os.urandom(1000))
    (source / "large.bin").write_bytes(os.urandom(20_000_000))
    aws("s3", "mb", "s3://shop")
    aws("s3", "sync", str(source), "s3://shop/")
    aws("s3", "sync", "s3://shop/", str(target))
    for file in ("a b/ü+1%2F.txt", "large.bin"):
        assert (target / file).read_bytes() == (source / file).read_bytes()


def test_the_command_line_reads_a_parameter(aws: "CommandLine", endpoint: "Running") -> None:
    aws("ssm", "put-parameter", "--name", "/k", "--value", "v", "--type", "SecureString")
    answer = json.loads(aws("ssm", "get-parameter", "--name", "/k", "--with-decryption"))
    assert answer["Parameter"]["Value"] == "v"


def test_a_command_of_a_service_that_nobody_plays_says_so(
    aws: "CommandLine", capfd: pytest.CaptureFixture[str]
) -> None:
    answer = aws("chime-sdk-voice", "list-voice-profile-domains", expect=255)
    assert "does not exist at this endpoint" in answer
    assert capfd.readouterr().out == ""


def test_an_operation_that_moto_lacks_says_so(endpoint: "Running") -> None:
    with pytest.raises(ClientError, match=r"has not been implemented") as raised:
        endpoint.client("ssm").get_calendar_state(CalendarNames=["arn:aws:ssm:us-east-1:123456789012:document/x"])
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_a_function_keeps_its_whole_configuration(endpoint: "Running") -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("index.mjs", "export const handler = async () => ({});")
    trust = {"Version": "2012-10-17", "Statement": []}
    role = endpoint.client("iam").create_role(RoleName="runner", AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    made = {"Runtime": "nodejs22.x", "Role": role["Arn"], "Code": {"ZipFile": package.getvalue()}}
    functions = endpoint.client("lambda")
    plain = functions.create_function(FunctionName="plain", Handler="index.handler", **made)
    assert plain["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "/aws/lambda/plain"}

    functions.create_function(
        FunctionName="own", Handler="index.handler", LoggingConfig={"LogFormat": "JSON", "LogGroup": "ours"}, **made
    )
    levels = {"ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO"}
    kept = functions.get_function_configuration(FunctionName="own")
    assert kept["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": "ours", **levels}

    functions.update_function_configuration(
        FunctionName="own",
        LoggingConfig={"LogFormat": "Text", "LogGroup": "others"},
        TracingConfig={"Mode": "Active"},
        EphemeralStorage={"Size": 1024},
    )
    kept = functions.get_function_configuration(FunctionName="own")
    assert kept["LoggingConfig"] == {"LogFormat": "Text", "LogGroup": "others"}
    assert (kept["TracingConfig"], kept["EphemeralStorage"]) == ({"Mode": "Active"}, {"Size": 1024})
