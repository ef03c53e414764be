"""`--enforce-iam`: roles and users may do what their policies allow, the operator everything."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from zipfile import ZipFile

import boto3
import pytest
from botocore.exceptions import ClientError

_ACCOUNT = "arn:aws:ssm:us-east-1:123456789012:parameter"
_TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
_READ = (
    "import boto3\nssm = boto3.client('ssm')\ndef handler(event, context):\n"
    "    return ssm.get_parameter(Name=event['name'], WithDecryption=True)['Parameter']['Value']"
)
_LOGS = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"}


@pytest.fixture(scope="session")
def strict(start_endpoint: Callable[..., Any]) -> Any:
    return start_endpoint(enforce_iam=True)


@pytest.fixture
def account(strict: Any) -> Iterator[Any]:
    """An endpoint that enforces, with two parameters and a role that may do nothing."""
    for name in ("/shop/key", "/shop/other"):
        strict.client("ssm").put_parameter(Name=name, Value=f"value of {name}", Type="SecureString")
    document = json.dumps({"Version": "2012-10-17", "Statement": [_TRUST]})
    strict.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document)
    yield strict
    strict.endpoint.reset()


def _allow(account: Any, *statements: dict[str, Any]) -> None:
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    account.client("iam").put_role_policy(RoleName="runs", PolicyName="may", PolicyDocument=document)


def _allowed(action: str, resource: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def _deploy(account: Any, source: str = _READ) -> Callable[[str], Any]:
    held = io.BytesIO()
    with ZipFile(held, "w") as package:
        package.writestr("app.py", source)
    api = account.client("lambda")
    role = "arn:aws:iam::123456789012:role/runs"
    given = {"Runtime": "python3.12", "Role": role, "Handler": "app.handler", "Timeout": 20, "MemorySize": 256}
    api.create_function(FunctionName="shop", Code={"ZipFile": held.getvalue()}, **given)

    def call(name: str) -> Any:
        return json.loads(api.invoke(FunctionName="shop", Payload=json.dumps({"name": name}))["Payload"].read())

    return call


def _as(account: Any, service: str, key: str, secret: str, token: str | None = None) -> Any:
    session = boto3.Session(key, secret, token, region_name="us-east-1")
    return session.client(service, endpoint_url=account.url)  # type: ignore[call-overload]


def _code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_function_reads_the_parameter_that_its_role_may_read_and_no_other(
    account: Any, caplog: pytest.LogCaptureFixture
) -> None:
    _allow(account, _allowed("ssm:GetParameter", f"{_ACCOUNT}/shop/key"), _LOGS)
    call = _deploy(account)
    assert call("/shop/key") == "value of /shop/key"
    with caplog.at_level(logging.WARNING):
        said = call("/shop/other")
    assert said["errorType"] == "AccessDeniedException"
    assert (
        "User: arn:aws:sts::123456789012:assumed-role/runs/shop is not authorized to perform: ssm:GetParameter on "
        f"resource: {_ACCOUNT}/shop/other because no identity-based policy allows the ssm:GetParameter action"
    ) in said["errorMessage"]
    assert (
        f"IAM: role runs may not ssm:GetParameter on {_ACCOUNT}/shop/other: no policy of it allows that" in caplog.text
    )


def test_the_request_that_keyfronts_own_function_signs_is_its_roles(account: Any) -> None:
    _allow(account, _allowed("ssm:GetParameter", f"{_ACCOUNT}/shop/key"))
    source = "from keyfront.keystore import direct\ndef handler(event, context): return direct.parameter(event['name'])"
    call = _deploy(account, source)
    assert call("/shop/key") == "value of /shop/key"
    assert call("/shop/other") is None


def test_a_policy_that_comes_later_counts_for_a_warm_function(account: Any) -> None:
    call = _deploy(account)
    assert call("/shop/key")["errorType"] == "AccessDeniedException"
    _allow(account, _allowed("ssm:Get*", f"{_ACCOUNT}/shop/*"))
    assert call("/shop/key") == "value of /shop/key"
    denial = {"Effect": "Deny", "Action": "ssm:*", "Resource": f"{_ACCOUNT}/shop/key"}
    _allow(account, _allowed("ssm:Get*", "*"), denial)
    assert call("/shop/key")["errorType"] == "AccessDeniedException"
    _allow(account, _allowed("ssm:Get*", "*", Condition={"StringEquals": {"aws:PrincipalArn": "arn:another"}}))
    assert call("/shop/key")["errorType"] == "AccessDeniedException"


def test_a_parameter_under_a_key_of_ones_own_needs_that_key_too(account: Any) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]
    account.client("ssm").put_parameter(Name="/shop/own", Value="held", Type="SecureString", KeyId=key["KeyId"])
    _allow(account, _allowed("ssm:GetParameter", f"{_ACCOUNT}/shop/own"))
    call = _deploy(account)
    assert f"kms:Decrypt on resource: {key['Arn']}" in call("/shop/own")["errorMessage"]
    _allow(account, _allowed("ssm:GetParameter", f"{_ACCOUNT}/shop/own"), _allowed("kms:Decrypt", key["Arn"]))
    assert call("/shop/own") == "held"


def test_a_role_that_may_not_write_logs_writes_none(account: Any) -> None:
    call, logs = _deploy(account, "def handler(event, context): return 1"), account.client("logs")
    assert call("") == 1
    assert logs.describe_log_groups()["logGroups"] == []
    _allow(account, _LOGS)
    call("")
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["/aws/lambda/shop"]


def test_the_operator_may_do_everything_and_a_user_what_is_theirs(account: Any) -> None:
    iam = account.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    document = {"Version": "2012-10-17", "Statement": _allowed("s3:GetObject", "arn:aws:s3:::shop/open/*")}
    iam.put_user_policy(UserName="reader", PolicyName="may", PolicyDocument=json.dumps(document))
    s3 = account.client("s3")
    s3.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    for name in ("open/a", "closed/a"):
        s3.put_object(Bucket="shop", Key=name, Body=b"content")
    reader = _as(account, "s3", key["AccessKeyId"], key["SecretAccessKey"])
    assert reader.get_object(Bucket="shop", Key="open/a")["Body"].read() == b"content"
    with pytest.raises(ClientError) as refused:
        reader.get_object(Bucket="shop", Key="closed/a")
    assert _code(refused) == "AccessDenied"
    presigned = [
        reader.generate_presigned_url("get_object", {"Bucket": "shop", "Key": key}) for key in ("open/a", "closed/a")
    ]
    assert [account.send("GET", url.removeprefix(account.url)).status for url in presigned] == [200, 403]
    with pytest.raises(ClientError) as refused:
        reader.list_objects_v2(Bucket="shop")
    assert _code(refused) == "AccessDenied"
    with pytest.raises(ClientError) as refused:
        _as(account, "iam", key["AccessKeyId"], key["SecretAccessKey"]).list_users()
    assert _code(refused) == "AccessDenied"
    sts = _as(account, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"].endswith(":user/reader")


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"])
def test_a_key_that_nobody_was_given_opens_nothing(account: Any, key: str) -> None:
    with pytest.raises(ClientError) as refused:
        _as(account, "ssm", key, "secret", "token" if key.startswith("ASIA") else None).get_parameter(Name="/shop/key")
    assert _code(refused) == "UnrecognizedClientException"


def test_a_session_with_another_token_opens_nothing(account: Any) -> None:
    _allow(account, _allowed("ssm:*", "*"))
    role = "arn:aws:iam::123456789012:role/runs"
    given = account.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    ours = given["AccessKeyId"], given["SecretAccessKey"]
    assert _as(account, "ssm", *ours, given["SessionToken"]).get_parameter(Name="/shop/key")
    for token in ("another", None):
        with pytest.raises(ClientError) as refused:
            _as(account, "ssm", *ours, token).get_parameter(Name="/shop/key")
        assert _code(refused) == "UnrecognizedClientException"


def test_a_request_without_a_signature_opens_nothing(account: Any) -> None:
    headers = {"X-Amz-Target": "AmazonSSM.GetParameter", "Content-Type": "application/x-amz-json-1.1"}
    reply = account.send("POST", "/", b'{"Name": "/shop/key"}', headers)
    assert (reply.status, b"value of" in reply.body) == (403, False)


def test_calling_a_function_takes_permission(account: Any) -> None:
    _deploy(account, "def handler(event, context): return 1")
    role = "arn:aws:iam::123456789012:role/runs"
    given = account.client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    caller = _as(account, "lambda", given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])
    with pytest.raises(ClientError) as refused:
        caller.invoke(FunctionName="shop")
    assert _code(refused) == "AccessDeniedException"
    _allow(account, _allowed("lambda:InvokeFunction", "arn:aws:lambda:us-east-1:123456789012:function:shop"))
    assert caller.invoke(FunctionName="shop")["StatusCode"] == 200


def test_an_api_needs_the_permission_to_call_its_function(account: Any) -> None:
    _deploy(account, "def handler(event, context): return 'here'")
    arn = "arn:aws:lambda:us-east-1:123456789012:function:shop"
    api = account.client("apigatewayv2").create_api(Name="quick", ProtocolType="HTTP", Target=arn)
    host = {"Host": api["ApiEndpoint"].removeprefix("https://")}
    assert account.send("GET", "/", headers=host).status == 500
    account.client("lambda").add_permission(
        FunctionName="shop",
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{api['ApiId']}/*/*",
    )
    assert account.send("GET", "/", headers=host).body == b"here"


def test_without_it_nothing_is_asked(endpoint: Any, strict: Any) -> None:
    assert strict.url != endpoint.url
    with pytest.raises(ClientError) as missing:
        _as(endpoint, "ssm", "AKIAIOSFODNN7EXAMPLE", "secret").get_parameter(Name="/nothing")
    assert _code(missing) == "ParameterNotFound"
