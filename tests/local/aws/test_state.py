"""moto's part of a kept state, through real clients, across the real end of a process."""

import base64
import contextlib
import io
import json
import random
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.waiting import wait_until

SERVE = """
import asyncio, signal, sys
from pathlib import Path
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application
from keyfront.web.serving import Listener, bind
from keyfront.local.aws import Endpoint, ServicesState

async def serve():
    state = ServicesState(Path(sys.argv[1]))
    endpoint = Endpoint(application(ControlPlane()), state=state)
    await endpoint.warm_up()
    listener, stopped = Listener(endpoint, bind("127.0.0.1", 0)), asyncio.Event()
    listener.start()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    print(listener.port, flush=True)
    await stopped.wait()
    endpoint.close()
    await listener.stop()
    await asyncio.to_thread(state.close)

asyncio.run(serve())
"""

MESSAGE = b"what was signed before"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "arn:aws:ssm:*:*:parameter/one"}],
}


@dataclass(frozen=True)
class Process:
    """An endpoint in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
        )

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(30) == 0


@contextmanager
def serving(directory: Path) -> Iterator[Process]:
    process = subprocess.Popen([sys.executable, "-c", SERVE, directory], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield Process(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


def _without_metadata(answer: Any) -> Any:
    answer.pop("ResponseMetadata", None)
    return answer


def _make_objects(s3: Any) -> None:
    s3.create_bucket(Bucket="plain")
    s3.put_object(Bucket="plain", Key="a b/ü%2F.txt", Body=b"text", Metadata={"under_score": "x"}, ContentType="text/x")
    s3.put_object(Bucket="plain", Key="empty", Body=b"")
    s3.put_object(Bucket="plain", Key="large", Body=random.Random(1).randbytes(6 * 1024 * 1024))
    s3.put_object_tagging(Bucket="plain", Key="empty", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})
    for number in range(2):
        upload = s3.create_multipart_upload(Bucket="plain", Key=f"parts-{number}")["UploadId"]
        parts = []
        for part in (1, 2):
            body = random.Random(part).randbytes(5 * 1024 * 1024 + part)
            sent = s3.upload_part(Bucket="plain", Key=f"parts-{number}", UploadId=upload, PartNumber=part, Body=body)
            parts.append({"PartNumber": part, "ETag": sent["ETag"]})
        if number == 0:  # the other one is still under way
            s3.complete_multipart_upload(
                Bucket="plain", Key="parts-0", UploadId=upload, MultipartUpload={"Parts": parts}
            )


def _look_at_objects(s3: Any) -> Any:
    seen = {}
    for item in s3.list_objects_v2(Bucket="plain")["Contents"]:
        got = s3.get_object(Bucket="plain", Key=item["Key"])
        seen[item["Key"]] = (item["ETag"], got["LastModified"], got["Metadata"], got["ContentType"], got["Body"].read())
    (upload,) = s3.list_multipart_uploads(Bucket="plain")["Uploads"]
    parts = s3.list_parts(Bucket="plain", Key=upload["Key"], UploadId=upload["UploadId"])["Parts"]
    return seen, parts, s3.get_object_tagging(Bucket="plain", Key="empty")["TagSet"]


def _make_versions(s3: Any) -> None:
    s3.create_bucket(Bucket="versions")
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"first", b"second" * 20_000, b"third"):
        s3.put_object(Bucket="versions", Key="file", Body=body)
    s3.put_object(Bucket="versions", Key="gone", Body=b"gone")
    s3.delete_object(Bucket="versions", Key="gone")


def _look_at_versions(s3: Any) -> Any:
    listed = s3.list_object_versions(Bucket="versions")
    bodies = [
        s3.get_object(Bucket="versions", Key=each["Key"], VersionId=each["VersionId"])["Body"].read()
        for each in listed["Versions"]
    ]
    assert len(bodies) == 4
    return listed["Versions"], listed["DeleteMarkers"], bodies


def _make_settings(s3: Any) -> None:
    s3.create_bucket(Bucket="settings")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::settings/*"}
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    s3.put_bucket_policy(Bucket="settings", Policy=json.dumps(policy))
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="settings", ServerSideEncryptionConfiguration={"Rules": [rule]})
    s3.put_public_access_block(Bucket="settings", PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    s3.put_bucket_tagging(Bucket="settings", Tagging={"TagSet": [{"Key": "k", "Value": "v"}]})


def _look_at_settings(s3: Any) -> Any:
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.get_object(Bucket="settings", Key="anything")
    looks = (s3.get_bucket_policy, s3.get_bucket_encryption, s3.get_public_access_block, s3.get_bucket_tagging)
    return [_without_metadata(look(Bucket="settings")) for look in looks]


def _make_parameters(ssm: Any) -> None:
    for value in ("one", "two"):
        ssm.put_parameter(Name="/a/secret", Type="SecureString", Value=value, Overwrite=value == "two")


def _look_at_parameters(ssm: Any) -> Any:
    history = ssm.get_parameter_history(Name="/a/secret", WithDecryption=True)["Parameters"]
    assert [each["Value"] for each in history] == ["one", "two"]
    return history, ssm.get_parameter(Name="/a/secret")["Parameter"]


def _make_keys(kms: Any) -> None:
    for spec in ("RSA_2048", "ECC_NIST_P256", "SYMMETRIC_DEFAULT"):
        usage = "ENCRYPT_DECRYPT" if spec == "SYMMETRIC_DEFAULT" else "SIGN_VERIFY"
        key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
        kms.create_alias(AliasName=f"alias/{spec}", TargetKeyId=key)
    sealed = kms.encrypt(KeyId="alias/SYMMETRIC_DEFAULT", Plaintext=MESSAGE)["CiphertextBlob"]
    kms.tag_resource(  # where the next process finds it
        KeyId=kms.describe_key(KeyId="alias/SYMMETRIC_DEFAULT")["KeyMetadata"]["KeyId"],
        Tags=[{"TagKey": "sealed", "TagValue": base64.b64encode(sealed).decode()}],
    )


def _look_at_keys(kms: Any) -> Any:
    public = {spec: kms.get_public_key(KeyId=f"alias/{spec}")["PublicKey"] for spec in ("RSA_2048", "ECC_NIST_P256")}
    rsa_key, ec_key = (serialization.load_der_public_key(der) for der in public.values())
    assert isinstance(rsa_key, rsa.RSAPublicKey)
    assert isinstance(ec_key, ec.EllipticCurvePublicKey)
    sign = {"MessageType": "RAW", "Message": MESSAGE}
    rsa_signature = kms.sign(KeyId="alias/RSA_2048", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256", **sign)["Signature"]
    ec_signature = kms.sign(KeyId="alias/ECC_NIST_P256", SigningAlgorithm="ECDSA_SHA_256", **sign)["Signature"]
    rsa_key.verify(rsa_signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    ec_key.verify(ec_signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
    symmetric = kms.describe_key(KeyId="alias/SYMMETRIC_DEFAULT")["KeyMetadata"]
    (tag,) = kms.list_resource_tags(KeyId=symmetric["KeyId"])["Tags"]
    assert kms.decrypt(CiphertextBlob=base64.b64decode(tag["TagValue"]))["Plaintext"] == MESSAGE
    return public, kms.list_keys()["Keys"], kms.list_aliases()["Aliases"], symmetric


def _make_role(iam: Any) -> None:
    iam.create_role(RoleName="signer", AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName="signer", PolicyName="read", PolicyDocument=json.dumps(POLICY))
    made = iam.create_policy(PolicyName="managed", PolicyDocument=json.dumps(POLICY))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="signer", PolicyArn=made)
    iam.create_user(UserName="zoe@example.org")
    iam.create_access_key(UserName="zoe@example.org")


def _look_at_role(iam: Any) -> Any:
    return (
        iam.get_role(RoleName="signer")["Role"],
        iam.get_role_policy(RoleName="signer", PolicyName="read")["PolicyDocument"],
        iam.list_attached_role_policies(RoleName="signer")["AttachedPolicies"],
        iam.list_access_keys(UserName="zoe@example.org")["AccessKeyMetadata"],
    )


def _make_function(client: Any) -> None:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as packed:
        packed.writestr("handler.py", "def handle(event, context):\n    return {'statusCode': 303}\n")
    client.create_function(
        FunctionName="download",
        Runtime="python3.11",
        Role="arn:aws:iam::123456789012:role/signer",
        Handler="handler.handle",
        Code={"ZipFile": package.getvalue()},
        Environment={"Variables": {"PARAMETER": "/a/secret"}},
        Publish=True,
    )
    client.add_permission(
        FunctionName="download", StatementId="s", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )


def _look_at_function(client: Any) -> Any:
    return (
        client.get_function_configuration(FunctionName="download")["CodeSha256"],
        _without_metadata(client.get_function(FunctionName="download")),
        client.get_policy(FunctionName="download")["Policy"],
        client.list_versions_by_function(FunctionName="download")["Versions"],
    )


def _make_api(api: Any) -> None:
    made = api.create_api(Name="downloads", ProtocolType="HTTP")["ApiId"]
    arn = "arn:aws:lambda:us-east-1:123456789012:function:download"
    integration = api.create_integration(ApiId=made, IntegrationType="AWS_PROXY", IntegrationUri=arn)["IntegrationId"]
    api.create_route(ApiId=made, RouteKey="GET /download", Target=f"integrations/{integration}")
    api.create_stage(ApiId=made, StageName="$default", AutoDeploy=True)


def _look_at_api(api: Any) -> Any:
    (item,) = api.get_apis()["Items"]
    identifier = item["ApiId"]
    looks = (api.get_routes, api.get_integrations, api.get_stages)
    return item["ApiId"], item["Name"], [look(ApiId=identifier)["Items"] for look in looks]


def _make_table(dynamodb: Any) -> None:
    dynamodb.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(3):
        item = {"id": {"S": str(number)}, "n": {"N": "1.5"}, "b": {"B": b"\x00\xff"}, "l": {"L": [{"BOOL": True}]}}
        dynamodb.put_item(TableName="orders", Item=item)


def _look_at_table(dynamodb: Any) -> Any:
    items = dynamodb.scan(TableName="orders")["Items"]
    assert len(items) == 3
    return items, dynamodb.describe_table(TableName="orders")["Table"]["TableArn"]


def _make_secret(secrets: Any) -> None:
    secrets.create_secret(Name="shop/key", SecretString="one")
    secrets.put_secret_value(SecretId="shop/key", SecretString="two")


def _look_at_secret(secrets: Any) -> Any:
    now = secrets.get_secret_value(SecretId="shop/key")
    before = secrets.get_secret_value(SecretId="shop/key", VersionStage="AWSPREVIOUS")
    assert (before["SecretString"], now["SecretString"]) == ("one", "two")
    return now["ARN"], now["VersionId"], before["VersionId"]


def _make_logs(logs: Any) -> None:
    logs.create_log_group(logGroupName="/aws/lambda/download")
    logs.put_retention_policy(logGroupName="/aws/lambda/download", retentionInDays=7)
    logs.create_log_stream(logGroupName="/aws/lambda/download", logStreamName="s")
    logs.put_log_events(
        logGroupName="/aws/lambda/download",
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "signed"}],
    )


def _look_at_logs(logs: Any) -> Any:
    events = logs.get_log_events(logGroupName="/aws/lambda/download", logStreamName="s")["events"]
    assert [event["message"] for event in events] == ["signed"]
    return events, logs.describe_log_groups()["logGroups"]


def _make_certificate(acm: Any) -> None:
    acm.request_certificate(DomainName="shop.example.org")


def _look_at_certificate(acm: Any) -> Any:
    (found,) = acm.list_certificates()["CertificateSummaryList"]
    return found["CertificateArn"], acm.get_certificate(CertificateArn=found["CertificateArn"])["Certificate"]


PARTS: dict[str, tuple[str, Callable[[Any], None], Callable[[Any], Any]]] = {
    "objects, whole and in parts": ("s3", _make_objects, _look_at_objects),
    "versions of objects": ("s3", _make_versions, _look_at_versions),
    "settings of buckets": ("s3", _make_settings, _look_at_settings),
    "encrypted parameters": ("ssm", _make_parameters, _look_at_parameters),
    "keys that sign and encrypt": ("kms", _make_keys, _look_at_keys),
    "roles, policies and users": ("iam", _make_role, _look_at_role),
    "functions": ("lambda", _make_function, _look_at_function),
    "HTTP APIs": ("apigatewayv2", _make_api, _look_at_api),
    "tables": ("dynamodb", _make_table, _look_at_table),
    "secrets": ("secretsmanager", _make_secret, _look_at_secret),
    "logs": ("logs", _make_logs, _look_at_logs),
    "certificates": ("acm", _make_certificate, _look_at_certificate),
}


@pytest.fixture(scope="module")
def before_and_after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, Any], Process]]:
    """What was seen in a process that had something of everything, and the third process after it."""
    directory = tmp_path_factory.mktemp("state") / "services"
    with serving(directory) as first:
        seen = {}
        for name, (service, make, look) in PARTS.items():
            make(first.client(service))
            seen[name] = look(first.client(service))
        first.stop()
    with serving(directory) as second:  # which writes again what it has read
        second.client("sqs").create_queue(QueueName="another-change")
        second.stop()
    with serving(directory) as third:
        yield seen, third


@pytest.mark.large
@pytest.mark.parametrize("part", PARTS)
def test_it_comes_back_as_it_was(part: str, before_and_after: tuple[dict[str, Any], Process]) -> None:
    seen, process = before_and_after
    service, _, look = PARTS[part]
    assert look(process.client(service)) == seen[part]


@pytest.mark.large
def test_what_came_back_can_be_changed(before_and_after: tuple[dict[str, Any], Process]) -> None:
    _, process = before_and_after
    s3 = process.client("s3")
    s3.put_object(Bucket="plain", Key="new", Body=b"new")
    s3.delete_object(Bucket="plain", Key="new")
    process.client("lambda").update_function_configuration(FunctionName="download", Timeout=5)
    process.client("lambda").update_function_configuration(FunctionName="download", Timeout=3)


def _write_until_killed(process: Process, state: Path) -> int:
    """Write numbers as parameters, and each tenth as an object of 100 kB. Returns the last that is surely kept."""
    ssm, s3, kept = process.client("ssm"), process.client("s3"), 0
    s3.create_bucket(Bucket="stream")
    with contextlib.suppress(BotoCoreError):
        for number in range(1, 100_000):
            ssm.put_parameter(Name="/stream/last", Type="String", Value=str(number), Overwrite=True)
            if number % 10 == 0:
                s3.put_object(Bucket="stream", Key=str(number), Body=str(number).encode() * 20_000)
            if number in (20, 21):
                # A write that is under way may have begun before this number: only the next one has it for sure.
                _wait_until_written(state)
                kept = 20
            if number == 21:
                threading.Timer(random.random(), process.process.kill).start()
    assert process.process.wait(60) == -signal.SIGKILL
    return kept


def _wait_until_written(state: Path) -> None:
    def written() -> int:
        return state.stat().st_mtime_ns if state.exists() else 0

    before = written()
    wait_until(lambda: written() != before)


@pytest.mark.large
def test_a_killed_process_loses_only_what_came_after_the_state_was_written(tmp_path: Path) -> None:
    directory = tmp_path / "services"
    with serving(directory) as process:
        kept = _write_until_killed(process, directory / "state")
    with serving(directory) as process:
        last, keys = _last(process), _keys(process)
        assert 20 == kept <= last
        # At one moment: what was written before the parameter is there, and nothing from after it.
        assert set(range(10, last, 10)) <= keys
        assert max(keys) <= last
        body = process.client("s3").get_object(Bucket="stream", Key=str(max(keys)))["Body"].read()
        assert body == str(max(keys)).encode() * 20_000


def _last(process: Process) -> int:
    return int(process.client("ssm").get_parameter(Name="/stream/last")["Parameter"]["Value"])


def _keys(process: Process) -> set[int]:
    pages = process.client("s3").get_paginator("list_objects_v2").paginate(Bucket="stream")
    return {int(item["Key"]) for page in pages for item in page.get("Contents", [])}
