"""Function URLs with the auth type AWS_IAM, and what the edge tells the endpoint about requests."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.local.aws.functions import zipped

if TYPE_CHECKING:
    from tests.local.aws.conftest import Headers, Reply, Running, Start

ARN = "arn:aws:cloudfront::123456789012:distribution/E1"
_ECHO = "def handler(event, context): return {'statusCode': 200, 'body': __import__('json').dumps(event)}"
_ROLE = "arn:aws:iam::123456789012:role/runs"


def deploy(endpoint: Running, auth: str = "AWS_IAM") -> str:
    """A function with a URL; the URL's host."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    endpoint.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    api = endpoint.client("lambda")
    code = {"ZipFile": zipped({"app.py": _ECHO})}
    api.create_function(FunctionName="shop", Runtime="python3.12", Role=_ROLE, Handler="app.handler", Code=code)
    url: str = api.create_function_url_config(FunctionName="shop", AuthType=auth)["FunctionUrl"]
    return urlsplit(url).netloc


def allow(endpoint: Running, action: str = "lambda:InvokeFunctionUrl", **more: Any) -> None:
    """What the guide's command adds to the function's policy."""
    endpoint.client("lambda").add_permission(
        FunctionName="shop",
        StatementId=action.rpartition(":")[2],
        Action=action,
        Principal="cloudfront.amazonaws.com",
        SourceArn=ARN,
        **more,
    )


@pytest.fixture
def host(endpoint: Running) -> str:
    return deploy(endpoint)


def said(reply: Reply) -> tuple[int, Any]:
    return reply.status, json.loads(reply.body)


FORBIDDEN = (403, {"Message": "Forbidden"})


def test_only_the_distribution_that_the_policy_names_calls_a_function_url(
    endpoint: Running, host: str, signed_for: Headers
) -> None:
    def ask(arn: str, service: str = "lambda") -> Reply:
        return endpoint.send("GET", "/", headers=signed_for(service, Host=host, X_Amz_Source_Arn=arn))

    assert said(ask(ARN)) == FORBIDDEN
    allow(endpoint, FunctionUrlAuthType="AWS_IAM")
    status, event = said(ask(ARN))
    assert (status, event["requestContext"]["accountId"]) == (200, "123456789012")
    assert event["requestContext"]["authorizer"]["iam"]["userArn"] == ARN
    assert event["headers"]["x-forwarded-proto"] == "https"
    assert said(ask(f"{ARN}OTHER")) == FORBIDDEN
    assert said(ask(ARN, "s3")) == FORBIDDEN
    assert said(endpoint.send("GET", "/", headers={"Host": host})) == FORBIDDEN
    assert said(endpoint.send("GET", "/", headers={"Host": host, "X-Amz-Source-Arn": ARN})) == FORBIDDEN


def test_a_permission_for_urls_of_another_auth_type_opens_nothing(
    endpoint: Running, host: str, signed_for: Headers
) -> None:
    allow(endpoint, FunctionUrlAuthType="NONE")
    asked = signed_for("lambda", Host=host, X_Amz_Source_Arn=ARN)
    assert said(endpoint.send("GET", "/", headers=asked)) == FORBIDDEN
    policy = json.loads(endpoint.client("lambda").get_policy(FunctionName="shop")["Policy"])
    condition = policy["Statement"][0]["Condition"]
    assert condition["StringEquals"] == {"lambda:FunctionUrlAuthType": "NONE"}
    assert "FunctionUrlAuthType" not in policy["Statement"][0]


def test_a_signature_has_to_cover_the_body(endpoint: Running, host: str, signed_for: Headers) -> None:
    allow(endpoint)
    for told, status in ((sha256(b"body").hexdigest(), 200), ("UNSIGNED-PAYLOAD", 403), ("0" * 64, 403), (None, 403)):
        more = {"X_Amz_Content_SHA256": told} if told else {}
        headers = signed_for("lambda", Host=host, X_Amz_Source_Arn=ARN, **more)
        reply = endpoint.send("POST", "/", b"body", headers)
        assert (reply.status, b"signature we calculated does not match" in reply.body) == (status, status == 403)


def test_an_account_calls_its_own_function_url(endpoint: Running, host: str, signed_for: Headers) -> None:
    assert endpoint.send("GET", "/", headers=signed_for("lambda", Host=host)).status == 200


def test_with_iam_enforced_both_permissions_are_needed(
    start_endpoint: Start, endpoint: Running, host: str, signed_for: Headers
) -> None:
    strict = start_endpoint(enforce_iam=True)
    asked = signed_for("lambda", Host=host, X_Amz_Source_Arn=ARN)
    allow(endpoint)
    assert said(strict.send("GET", "/", headers=asked)) == FORBIDDEN
    allow(endpoint, "lambda:InvokeFunction", InvokedViaFunctionUrl=True)
    assert strict.send("GET", "/", headers=asked).status == 200
    iam = endpoint.client("iam")
    iam.create_user(UserName="caller")
    key = iam.create_access_key(UserName="caller")["AccessKey"]["AccessKeyId"]
    user = {"Host": host, "Authorization": signed_for("lambda")["Authorization"].replace("test/", f"{key}/")}
    assert said(strict.send("GET", "/", headers=user)) == FORBIDDEN
    may = {"Effect": "Allow", "Action": "lambda:InvokeFunctionUrl", "Resource": "*"}
    iam.put_user_policy(
        UserName="caller", PolicyName="may", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [may]})
    )
    assert strict.send("GET", "/", headers=user).status == 200


def test_a_url_that_gets_the_viewers_host_refuses(endpoint: Running) -> None:
    host = deploy(endpoint, "NONE")
    assert endpoint.send("GET", "/", headers={"Host": host}).status == 200
    told = {"Host": host, "X-Amz-Source-Host": "d1.cloudfront.net"}
    assert said(endpoint.send("GET", "/", headers=told)) == FORBIDDEN


def test_a_bucket_that_gets_the_viewers_host_refuses(endpoint: Running, s3: Any, signed_for: Headers) -> None:
    s3.put_object(Bucket="shop", Key="a", Body=b"a")
    told = {"X_Amz_Source_Host": "media.example.com", "X_Amz_Source_Arn": ARN}
    reply = endpoint.send("GET", "/shop/a", headers=signed_for("s3", **told))
    assert (reply.status, b"<Code>SignatureDoesNotMatch</Code>" in reply.body) == (403, True)
    reply = endpoint.send("GET", "/shop/a", headers={"X-Amz-Source-Host": "media.example.com"})
    assert (reply.status, b"<Code>NoSuchBucket</Code>" in reply.body) == (404, True)
